//! A real engine that no daemon supervises, so that daemon and measurement can ask the very same one.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A running engine. It ends when dropped.
pub(super) struct Engine {
    child: Child,
    /// It ends with this pipe.
    _stdin: Option<ChildStdin>,
    url: String,
}

impl Engine {
    /// Starts the engine's program, which lies beside the daemon's, with the model that is compiled in.
    pub(super) fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(["--port", "0", "--exit-on-stdin-eof"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let stdin = child.stdin.take();
        let url = line.trim().strip_prefix("listening on ");
        match url.map(str::to_owned) {
            Some(url) => Ok(Self {
                child,
                _stdin: stdin,
                url,
            }),
            None => {
                let _gone = child.kill();
                let _reaped = child.wait();
                Err(io::Error::other(format!("the engine said {line:?}")))
            }
        }
    }

    /// Base URL, without a slash at the end.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Host and port.
    pub(super) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
