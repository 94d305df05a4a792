//! One real daemon, as a child process with an engine of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::options::DaemonOptions;
use crate::process::{Signal, children_of, signal};
use crate::start::{Running, StartError, begin, log_path, start};

/// Longest time that a daemon may take to end after it was asked to.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// One real daemon. Dropping it kills it, and removes its directory.
pub struct Daemon {
    dir: TempDir,
    options: DaemonOptions,
    child: Child,
    url: String,
    lines: Receiver<String>,
}

/// How a daemon ended that did not come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub said: String,
}

impl Daemon {
    /// Starts a daemon on a fresh data directory and waits until it accepts requests.
    ///
    /// # Panics
    /// If it does not come up; the text holds its log.
    #[must_use]
    pub fn start(options: DaemonOptions) -> Self {
        Self::try_start(options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Self::start`].
    ///
    /// # Errors
    /// Why it did not come up.
    ///
    /// # Panics
    /// If there is no place for temporary files.
    pub fn try_start(options: DaemonOptions) -> Result<Self, StartError> {
        let dir = tempfile::Builder::new()
            .prefix("orchestrator-")
            .tempdir()
            .expect("there is a place for temporary files");
        let Running { child, url, lines } = start(dir.path(), &options)?;
        Ok(Self {
            dir,
            options,
            child,
            url,
            lines,
        })
    }

    /// Starts a daemon that must not come up, and says how it ended.
    ///
    /// # Panics
    /// If it comes up, or stays without accepting requests.
    #[must_use]
    pub fn start_refused(options: DaemonOptions) -> Ended {
        match Self::try_start(options) {
            Ok(daemon) => panic!("the daemon came up at {}", daemon.url),
            Err(StartError::Ended { status, log }) => Ended {
                code: status.code(),
                said: log,
            },
            Err(error) => panic!("{error}"),
        }
    }

    /// Base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its own directory, with log, configuration and, unless it was told of another place, data.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.options.data_in(self.dir.path())
    }

    /// The file that holds its log.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        log_path(self.dir.path())
    }

    /// What it has logged so far, over all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Process ids of the engines that it has started and that live.
    ///
    /// # Panics
    /// Where processes cannot be looked at.
    #[must_use]
    pub fn engine_pids(&self) -> Vec<u32> {
        children_of(self.pid()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// How it ended, if it has ended by itself.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Ends it at once, as a crash would. Its engines notice and end too.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child of ours can be killed");
        self.child
            .wait()
            .expect("a child of ours can be waited for");
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Panics
    /// If it was gone already, or does not end in time.
    pub fn terminate(&mut self) -> ExitStatus {
        self.try_terminate()
            .expect("the daemon ends when it is asked to")
    }

    /// As [`Self::terminate`]. A daemon that does not end in time is killed.
    ///
    /// # Errors
    /// If it was gone already, or did not end in time.
    pub fn try_terminate(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Err(io::Error::other(format!("it had ended before: {status}")));
        }
        signal(self.child.id(), Signal::Terminate)?;
        let deadline = Instant::now() + END_TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(_line) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait(),
                Err(RecvTimeoutError::Timeout) => {
                    self.child.kill()?;
                    self.child.wait()?;
                    let took = format!("it did not end within {} s", END_TIMEOUT.as_secs());
                    return Err(io::Error::other(took));
                }
            }
        }
    }

    /// Starts it again on the same data, after [`Self::kill`] or [`Self::terminate`]. The port is another one.
    ///
    /// # Panics
    /// If it does not come up; the text holds its log.
    pub fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|error| panic!("{error}"));
    }

    /// As [`Self::restart`].
    ///
    /// # Errors
    /// Why it did not come up.
    pub fn try_restart(&mut self) -> Result<(), StartError> {
        let Running { child, url, lines } = start(self.dir.path(), &self.options)?;
        self.child = child;
        self.url = url;
        self.lines = lines;
        Ok(())
    }

    /// Starts it again on the same data, after [`Self::kill`], and kills it once more after a time, whether it
    /// accepts requests by then or not: true if it does.
    ///
    /// # Errors
    /// If it ended by itself before.
    pub fn restart_and_kill(&mut self, after: Duration) -> Result<bool, StartError> {
        begin(self.dir.path(), &self.options)?.kill_after(after)
    }

    /// Starts it again with other options on the same data.
    ///
    /// # Panics
    /// If it does not come up; the text holds its log.
    pub fn restart_with(&mut self, options: DaemonOptions) {
        self.options = options;
        self.restart();
    }

    /// Ends it if it still runs, and leaves its directory where it is.
    #[must_use]
    pub fn keep(mut self) -> PathBuf {
        self.dir.disable_cleanup(true);
        self.dir.path().to_owned()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        if thread::panicking() {
            eprintln!("--- log of the daemon ---\n{}", self.log());
        }
    }
}
