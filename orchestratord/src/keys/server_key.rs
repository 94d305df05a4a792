//! The daemon's own key, which the codes of all keys are made under.

use std::env;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use orchestrator_core::key::{KeyMac, ServerKeyMark};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::token::ApiKey;

/// Name of its file in the data directory.
pub const SERVER_KEY_FILE: &str = "server.key";
/// The variable that may hold it instead.
pub const SERVER_KEY_VARIABLE: &str = "ORCH_SERVER_KEY";

const BYTES: usize = 32;
/// Only its owner may read and write the file.
const MODE: u32 = 0o600;

/// Why the daemon's own key cannot be had.
#[derive(Debug, Error)]
pub enum ServerKeyError {
    /// The text is no key.
    #[error("{place}: this is no server key, which is {} hexadecimal digits; put the right one there, or see docs/keys.md for how to begin anew", 2 * BYTES)]
    Malformed {
        /// Where it stands.
        place: String,
    },
    /// Others than its owner may see or change the file.
    #[error("{}: the server key has the mode {mode:04o}, and may be seen or changed by its owner only; run chmod 0600 on it, and if others could read it, rotate all keys", .path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system said no.
    #[error("{}: {source}; let the user that runs the daemon read and write there", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The operating system gives no chance.
    #[error("the operating system gives no random bytes: {0}")]
    NoChance(#[from] getrandom::Error),
}

/// The daemon's own key.
#[derive(Clone)]
pub struct ServerKey([u8; BYTES]);

impl ServerKey {
    /// The key from the environment, or else from its file; none if there is neither.
    ///
    /// # Errors
    /// [`ServerKeyError`] if there is something that cannot be used.
    pub fn find(data_dir: &Path) -> Result<Option<Self>, ServerKeyError> {
        match env::var(SERVER_KEY_VARIABLE) {
            Ok(text) if !text.is_empty() => Self::parse(&text)
                .map(Some)
                .ok_or_else(|| malformed(SERVER_KEY_VARIABLE)),
            Err(env::VarError::NotUnicode(_)) => Err(malformed(SERVER_KEY_VARIABLE)),
            _ => Self::read(&data_dir.join(SERVER_KEY_FILE)),
        }
    }

    fn read(path: &Path) -> Result<Option<Self>, ServerKeyError> {
        let io = |source| ServerKeyError::Io {
            path: path.to_owned(),
            source,
        };
        let mode = match fs::metadata(path) {
            Ok(found) => found.permissions().mode() & 0o7777,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        if mode != MODE {
            let path = path.to_owned();
            return Err(ServerKeyError::Open { path, mode });
        }
        let text = fs::read_to_string(path).map_err(io)?;
        let key = Self::parse(text.trim_end());
        key.map(Some)
            .ok_or_else(|| malformed(&path.display().to_string()))
    }

    /// Draws a key and writes its file, which must not exist.
    ///
    /// # Errors
    /// [`ServerKeyError`] if that is not possible.
    pub fn make(data_dir: &Path) -> Result<Self, ServerKeyError> {
        let path = data_dir.join(SERVER_KEY_FILE);
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&path)
            .and_then(|mut file| {
                // Whatever the process's mask takes away.
                file.set_permissions(fs::Permissions::from_mode(MODE))?;
                writeln!(file, "{text}")?;
                file.sync_all()
            })
            .and_then(|()| File::open(data_dir)?.sync_all());
        written.map_err(|source| ServerKeyError::Io { path, source })?;
        Ok(Self(bytes))
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut bytes = [0; BYTES];
        for (byte, pair) in bytes.iter_mut().zip(0..) {
            let pair = text.get(2 * pair..2 * pair + 2).filter(|_| digits)?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The code that a key is checked by.
    #[must_use]
    pub fn mac(&self, key: &ApiKey) -> KeyMac {
        KeyMac(self.code("api key", key.reveal()))
    }

    /// True if a key is the one that a code was made of. It takes the same time for every code.
    #[must_use]
    pub fn verifies(&self, key: &ApiKey, mac: &KeyMac) -> bool {
        bool::from(self.mac(key).0.ct_eq(&mac.0))
    }

    /// What tells this server key from others.
    #[must_use]
    pub fn mark(&self) -> ServerKeyMark {
        let code = self.code("mark", "");
        let (mark, _) = code.split_first_chunk().expect("a code has 32 bytes");
        ServerKeyMark(*mark)
    }

    /// A code for one purpose cannot be taken for one of another.
    fn code(&self, purpose: &str, text: &str) -> [u8; 32] {
        let mut code =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length will do");
        code.update(purpose.as_bytes());
        code.update(&[0]);
        code.update(text.as_bytes());
        code.finalize().into_bytes().into()
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(..)")
    }
}

fn malformed(place: &str) -> ServerKeyError {
    ServerKeyError::Malformed {
        place: place.to_owned(),
    }
}

#[cfg(test)]
impl ServerKey {
    /// A key for tests.
    pub(super) const fn of(byte: u8) -> Self {
        Self([byte; BYTES])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_file_is_made_once_for_its_owner_alone_and_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(SERVER_KEY_FILE);
        assert!(ServerKey::read(&path).unwrap().is_none());
        let made = ServerKey::make(dir.path()).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
            0o600
        );
        assert_eq!(ServerKey::read(&path).unwrap().unwrap().0, made.0);
        assert!(matches!(
            ServerKey::make(dir.path()),
            Err(ServerKeyError::Io { .. })
        ));
        assert_eq!(ServerKey::read(&path).unwrap().unwrap().0, made.0);
    }

    #[test]
    fn a_file_that_others_may_see_or_that_is_no_key_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(SERVER_KEY_FILE);
        ServerKey::make(dir.path()).unwrap();
        for mode in [0o640, 0o604, 0o644, 0o666, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let said = ServerKey::read(&path).unwrap_err().to_string();
            assert!(
                said.contains(&format!("{mode:04o}")) && said.contains("chmod 0600"),
                "{said}"
            );
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let half = "ab".repeat(31);
        for text in ["", "no key", &half] {
            fs::write(&path, text).unwrap();
            let said = ServerKey::read(&path).unwrap_err().to_string();
            assert!(said.contains("64 hexadecimal digits"), "{said}");
        }
    }

    #[test]
    fn a_code_is_of_one_key_under_one_server_key() {
        let (one, other) = (ServerKey::of(1), ServerKey::of(2));
        let (key, wrong) = (ApiKey::draw().unwrap(), ApiKey::draw().unwrap());
        let mac = one.mac(&key);
        assert!(one.verifies(&key, &mac));
        assert!(!one.verifies(&wrong, &mac) && !other.verifies(&key, &mac));
        assert_ne!(one.mark(), other.mark());
        // Every bit of the code counts: nothing is compared that is shorter than all of it.
        for byte in 0..32 {
            for bit in 0..8 {
                let mut bent = mac;
                bent.0[byte] ^= 1 << bit;
                assert!(!one.verifies(&key, &bent), "byte {byte}, bit {bit}");
            }
        }
    }

    /// Every store keeps these codes, so the way they are made must stay.
    #[test]
    fn the_code_of_a_key_is_what_it_always_was() {
        let text = format!("orch_00000000000000ff_{}", "cd".repeat(32));
        let KeyMac(mac) = ServerKey::of(7).mac(&ApiKey::parse(&text).unwrap());
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        insta::assert_snapshot!(hex, @"959fffbffc09c7f229b43b633514c22dbb9e7aa82ec2d9f3bbd437ff5a3e5e7c");
        let ServerKeyMark(mark) = ServerKey::of(7).mark();
        let hex: String = mark.iter().map(|byte| format!("{byte:02x}")).collect();
        insta::assert_snapshot!(hex, @"d722850cf69cc4ce");
    }
}
