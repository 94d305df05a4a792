//! One real engine in the dialect of llama.cpp that no daemon supervises: `orch-engine` or `llama-server`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::binary::binary;
use crate::process::{Signal, signal};
use crate::real_parts;

/// Longest time that an engine may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Starts the engine, tells its process id, and kills it when standard input ends: neither a test that
/// panics nor one that is killed leaves an engine behind.
const GUARD: &str =
    r#""$@" </dev/null 2>&1 & echo "pid $!"; cat >/dev/null; kill -9 $! 2>/dev/null; wait"#;

/// One real engine on a loopback port. Dropping it kills it.
#[derive(Debug)]
pub struct EngineServer {
    guard: Child,
    pid: u32,
    url: String,
}

impl EngineServer {
    /// Starts `orch-engine` with the model that is compiled in, and waits until it listens. Port 0 takes a
    /// free one.
    ///
    /// # Panics
    /// If it is not built, or does not listen.
    #[must_use]
    pub fn orch_engine(port: u16, args: &[&str]) -> Self {
        let port = port.to_string();
        let fixed = ["--port", &port].map(OsStr::new);
        Self::start(&binary("orch-engine"), fixed.into_iter(), args)
    }

    /// Starts `orch-engine` with the model that is compiled in as `haiku` and a very small one with random weights
    /// as `random`, one of them in memory at a time, and waits until it listens.
    ///
    /// # Panics
    /// If it is not built, or does not listen.
    #[must_use]
    pub fn orch_engine_of_two(port: u16, args: &[&str]) -> Self {
        let (port, random) = (port.to_string(), random_model());
        let fixed = ["--port", &port]
            .into_iter()
            .chain(["--model", "embedded:haiku-tiny", "--alias", "haiku"])
            .chain(["--alias", "random", "--model"])
            .map(OsStr::new)
            .chain([random.as_os_str()]);
        Self::start(&binary("orch-engine"), fixed, args)
    }

    /// Starts `llama-server` as a router of the same two models, one of them in memory at a time, each with one
    /// slot and one thread, and waits until it listens. None if there is no such program: see [`real_parts`].
    ///
    /// # Panics
    /// If it does not listen, or if it is required and not there.
    #[must_use]
    pub fn llama_router_of_two(port: u16, args: &[&str]) -> Option<Self> {
        let program = real_parts::llama_server()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let preset = folder.path().join("models.ini");
        let (haiku, random) = (haiku_tiny(), random_model());
        let text = format!(
            "[haiku]\nmodel = {}\n\n[random]\nmodel = {}\n",
            haiku.display(),
            random.display()
        );
        std::fs::write(&preset, text).expect("a temporary file can be written");
        let port = port.to_string();
        let fixed = ["--host", "127.0.0.1", "--port", &port]
            .into_iter()
            .chain(["--parallel", "1", "--threads", "1", "--threads-http", "4"])
            .chain(["--no-cont-batching", "--slots", "--models-max", "1"])
            .chain(["--models-preset"])
            .map(OsStr::new)
            .chain([preset.as_os_str()]);
        // It has read the preset when it listens.
        Some(Self::start(&program, fixed, args))
    }

    /// Starts `llama-server` with one slot, one thread and the model `haiku-tiny`, and waits until it listens,
    /// which is before it has loaded the model. None if there is no such program: see [`real_parts`].
    ///
    /// # Panics
    /// If it does not listen, or if it is required and not there.
    #[must_use]
    pub fn llama_server(port: u16, args: &[&str]) -> Option<Self> {
        let program = real_parts::llama_server()?;
        let (port, model) = (port.to_string(), haiku_tiny());
        let fixed = ["--host", "127.0.0.1", "--port", &port]
            .into_iter()
            .chain(["--parallel", "1", "--threads", "1", "--threads-http", "4"])
            .chain(["--no-cont-batching", "--slots", "--model"])
            .map(OsStr::new)
            .chain([model.as_os_str()]);
        Some(Self::start(&program, fixed, args))
    }

    fn start<'a>(program: &Path, fixed: impl Iterator<Item = &'a OsStr>, args: &[&str]) -> Self {
        let mut guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .args(fixed)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell can be started");
        let output = guard.stdout.take().expect("standard output is a pipe");
        let mut guard = Guarded(Some(guard));
        let (pid, url) = listening(program, output);
        Self {
            guard: guard.0.take().expect("nobody else takes it"),
            pid,
            url,
        }
    }

    /// Base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port that it listens on.
    ///
    /// # Panics
    /// Never: a URL without a port is not taken at the start.
    #[must_use]
    pub fn port(&self) -> u16 {
        port_of(&self.url).expect("it was looked at when it started")
    }

    /// Process id of the engine.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends it at once, as a crash would, and returns when it is gone.
    pub fn kill(&mut self) {
        // It may have ended by itself, which is as well.
        let _gone = signal(self.pid, Signal::Kill);
        end(&mut self.guard);
    }
}

impl Drop for EngineServer {
    fn drop(&mut self) {
        end(&mut self.guard);
    }
}

/// A guard that is ended if the engine behind it does not come up.
struct Guarded(Option<Child>);

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Some(guard) = &mut self.0 {
            end(guard);
        }
    }
}

/// Closes the guard's standard input, at which it kills the engine, and waits for both.
fn end(guard: &mut Child) {
    drop(guard.stdin.take());
    let _reaped = guard.wait();
}

/// Process id and URL of an engine, from what it prints. Its output is read on to the end, so that it never
/// waits for a reader.
fn listening(program: &Path, output: ChildStdout) -> (u32, String) {
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _nobody_cares = tell.send(line);
        }
    });
    let mut pid = None;
    let mut said = Vec::new();
    loop {
        match lines.recv_timeout(START_TIMEOUT) {
            Ok(line) => {
                pid = pid.or_else(|| line.strip_prefix("pid ")?.trim().parse().ok());
                if let (Some(pid), Some(url)) = (pid, url_in(&line)) {
                    return (pid, url);
                }
                said.push(line);
            }
            Err(why) => {
                let how = match why {
                    RecvTimeoutError::Timeout => "said nothing of listening",
                    RecvTimeoutError::Disconnected => "ended without listening",
                };
                panic!("{} {how}:\n{}", program.display(), said.join("\n"));
            }
        }
    }
}

/// The URL in a line that says where an engine listens, in whatever words.
fn url_in(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("http://")?;
    let url = format!("http://{}", rest.split_whitespace().next()?);
    (before.contains("listening") && port_of(&url).is_some()).then_some(url)
}

fn port_of(url: &str) -> Option<u16> {
    url.rsplit(':').next()?.parse().ok()
}

/// The model file `haiku-tiny` of this repository.
///
/// # Panics
/// If it is not in the repository that the running test belongs to.
#[must_use]
pub fn haiku_tiny() -> PathBuf {
    of_repository("models/haiku-tiny/haiku-tiny-q8_0.gguf")
}

/// A very small model file of this repository with random weights, of another family than `haiku-tiny`.
///
/// # Panics
/// If it is not in the repository that the running test belongs to.
#[must_use]
pub fn random_model() -> PathBuf {
    of_repository("orch-engine/tests/fixtures/qwen3-bpe.gguf")
}

fn of_repository(path: &str) -> PathBuf {
    // Cargo names the package under test; what is compiled in may be of another checkout.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let here = if here.is_empty() {
        env!("CARGO_MANIFEST_DIR").into()
    } else {
        PathBuf::from(here)
    };
    let found = here
        .ancestors()
        .map(|folder| folder.join(path))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("no {path} above {}", here.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_engines_tell_where_they_listen() {
        let url = Some("http://127.0.0.1:4711".to_owned());
        for line in [
            "listening on http://127.0.0.1:4711",
            "main: server is listening on http://127.0.0.1:4711 - starting the main loop",
            "0.00.033.540 I srv  llama_server: listening on http://127.0.0.1:4711",
        ] {
            assert_eq!(url_in(line), url, "{line}");
        }
        assert_eq!(url_in("see http://127.0.0.1:4711"), None);
        assert_eq!(url_in("listening on http://engine/base"), None);
    }
}
