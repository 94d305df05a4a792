//! Whether a daemon may serve with the keys that it finds.

use std::net::SocketAddr;

use orchestrator_core::key::{KeyStanding, Keys};
use orchestrator_core::time::WallMs;
use thiserror::Error;

use super::server_key::{SERVER_KEY_FILE, SERVER_KEY_VARIABLE, ServerKey};

/// Why a daemon may not serve with the keys that it finds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeysError {
    /// Others can reach it, and anybody would be let in.
    #[error(
        "{address} can be reached from other machines, and there are no keys, so anybody would be let in; make the \
         first key with `orchestratord init`, or listen on 127.0.0.1 or [::1]"
    )]
    NoKeys {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// There are keys, and nothing to check them with.
    #[error(
        "there are keys, and no server key to check them with; put {SERVER_KEY_FILE} back into the data directory or \
         its text into {SERVER_KEY_VARIABLE}. If it is lost, so are all keys: `orchestratord init --again` makes a new \
         server key and a first key under it"
    )]
    ServerKeyMissing,
    /// The server key is not the one that the keys were made under.
    #[error(
        "none of the {keys} keys in force was made under this server key; put the right {SERVER_KEY_FILE} back into \
         the data directory or its text into {SERVER_KEY_VARIABLE}. If it is lost, so are these keys: \
         `orchestratord init --again` makes a first key under the one that is there"
    )]
    ServerKeyOther {
        /// Keys that are in force.
        keys: usize,
    },
}

/// Whether a daemon may serve at an address with these keys. What an operator should hear of otherwise.
///
/// # Errors
/// [`KeysError`] if it must not.
pub fn check_start(
    address: SocketAddr,
    keys: &Keys,
    server_key: Option<&ServerKey>,
    now: WallMs,
) -> Result<Option<String>, KeysError> {
    if keys.is_empty() {
        return if address.ip().is_loopback() {
            let concern = "there are no keys: whoever has an account on this machine may do everything here; \
                           `orchestratord init` makes the first key";
            Ok(Some(concern.to_owned()))
        } else {
            Err(KeysError::NoKeys { address })
        };
    }
    let server_key = server_key.ok_or(KeysError::ServerKeyMissing)?;
    let mark = server_key.mark();
    let in_force = || {
        keys.iter()
            .filter(|key| key.standing(now) == KeyStanding::Active)
    };
    let (all, ours) = (
        in_force().count(),
        in_force().filter(|key| key.server_key == mark).count(),
    );
    match (all, ours) {
        (0, _) => Ok(Some(
            "no key is in force, so nobody is let in; `orchestratord init --again` makes another first key".to_owned(),
        )),
        (keys, 0) => Err(KeysError::ServerKeyOther { keys }),
        (all, ours) if ours < all => Ok(Some(format!(
            "{} of {all} keys in force were made under another server key and are not let in; revoke them",
            all - ours
        ))),
        _ if !address.ip().is_loopback() => Ok(Some(
            "keys travel in the clear to other machines; put a proxy that speaks TLS in front".to_owned(),
        )),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use orchestrator_core::id::{KeyId, PrincipalId};
    use orchestrator_core::key::{KeyCreate, KeyMac, KeyScope, Scopes, Tenant};
    use orchestrator_core::queue::ClassName;

    use super::*;

    const NOW: WallMs = WallMs(1_000);

    fn with_keys(made: &[(u8, Option<u64>)]) -> Keys {
        let mut keys = Keys::default();
        for ((server_key, expires_at), id) in made.iter().zip(1..) {
            let create = KeyCreate {
                id: KeyId(id),
                mac: KeyMac([0; 32]),
                server_key: ServerKey::of(*server_key).mark(),
                tenant: Tenant::default(),
                project: None,
                name: String::new(),
                scopes: Scopes::from_iter([KeyScope::Operator]),
                class_max: ClassName::INTERACTIVE,
                expires_at: expires_at.map(WallMs),
                created_by: PrincipalId::SYSTEM,
            };
            keys.create(WallMs(0), create).unwrap();
        }
        keys
    }

    fn start(address: &str, made: &[(u8, Option<u64>)], server_key: Option<u8>) -> String {
        let server_key = server_key.map(ServerKey::of);
        let address = address.parse().unwrap();
        match check_start(address, &with_keys(made), server_key.as_ref(), NOW) {
            Ok(concern) => format!("serves: {}", concern.unwrap_or_default()),
            Err(error) => format!("refuses: {error}"),
        }
    }

    #[test]
    fn without_keys_it_serves_its_own_machine_only() {
        for address in ["127.0.0.1:1", "[::1]:1", "127.9.9.9:1"] {
            let said = start(address, &[], None);
            assert!(said.starts_with("serves: there are no keys"), "{said}");
        }
        for address in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[2001:db8::1]:1"] {
            for server_key in [None, Some(1)] {
                let said = start(address, &[], server_key);
                assert!(
                    said.starts_with(&format!("refuses: {address} can be reached")),
                    "{said}"
                );
                assert!(said.contains("orchestratord init"), "{said}");
            }
        }
    }

    #[test]
    fn with_keys_it_needs_the_server_key_they_were_made_under() {
        assert_eq!(start("127.0.0.1:1", &[(1, None)], Some(1)), "serves: ");
        for address in ["127.0.0.1:1", "0.0.0.0:1"] {
            let said = start(address, &[(1, None)], None);
            assert!(
                said.starts_with("refuses: there are keys, and no server key"),
                "{said}"
            );
            let said = start(address, &[(1, None), (1, None)], Some(2));
            assert!(
                said.starts_with("refuses: none of the 2 keys in force"),
                "{said}"
            );
        }
        let said = start("0.0.0.0:1", &[(1, None)], Some(1));
        assert!(said.contains("TLS"), "{said}");
        let said = start("127.0.0.1:1", &[(1, None), (2, None)], Some(2));
        assert!(said.starts_with("serves: 1 of 2 keys in force"), "{said}");
        // Keys that have ended matter to nobody.
        assert_eq!(
            start("127.0.0.1:1", &[(1, Some(999)), (2, None)], Some(2)),
            "serves: "
        );
        let said = start("127.0.0.1:1", &[(1, Some(999))], Some(2));
        assert!(said.starts_with("serves: no key is in force"), "{said}");
    }
}
