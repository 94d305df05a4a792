//! From a command to a daemon that accepts requests.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::binary::{MissingProgram, find_program};
use crate::options::DaemonOptions;

/// Longest time that a daemon may take to accept requests.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a daemon did not come up.
#[derive(Debug, Error)]
pub enum StartError {
    /// It ended by itself.
    #[error("the daemon ended at once ({status}); it said:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to standard error.
        log: String,
    },
    /// Its program was not built.
    #[error(transparent)]
    Missing(#[from] MissingProgram),
    /// It could not be started.
    #[error("{} cannot be started: {source}", .program.display())]
    NotStarted {
        /// The program.
        program: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It runs, but does not say that it accepts requests.
    #[error("the daemon did not accept requests within {} s; it said:\n{log}", START_TIMEOUT.as_secs())]
    Silent {
        /// What it wrote to standard error.
        log: String,
    },
}

/// A daemon that accepts requests.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// Ends when the daemon has closed its standard output, which it does by ending.
    pub(crate) lines: Receiver<String>,
}

/// File in a daemon's own directory that takes its standard error.
pub(crate) fn log_path(dir: &Path) -> PathBuf {
    dir.join("daemon.log")
}

/// A daemon that was started and has not said yet that it accepts requests.
pub(crate) struct Starting {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
    /// Where its own part of the log begins.
    log_from: usize,
}

/// Starts a daemon whose own directory is `dir`, and waits until it accepts requests.
pub(crate) fn start(dir: &Path, options: &DaemonOptions) -> Result<Running, StartError> {
    begin(dir, options)?.ready()
}

/// Starts a daemon whose own directory is `dir`.
pub(crate) fn begin(dir: &Path, options: &DaemonOptions) -> Result<Starting, StartError> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => find_program("orchestratord")?,
    };
    let (mut child, log_from) =
        spawn(&program, dir, options).map_err(|source| StartError::NotStarted {
            program: program.clone(),
            source,
        })?;
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let (tell, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // It is read on to its end in any case, so that the daemon never waits for a reader.
            let _nobody_cares = tell.send(line);
        }
    });
    Ok(Starting {
        child,
        lines,
        log: log_path(dir),
        log_from,
    })
}

impl Starting {
    /// Waits until it accepts requests.
    pub(crate) fn ready(mut self) -> Result<Running, StartError> {
        match self.url_within(START_TIMEOUT) {
            Ok(url) => Ok(Running {
                child: self.child,
                url,
                lines: self.lines,
            }),
            Err(why) => Err(give_up(&mut self.child, why, &self.log, self.log_from)),
        }
    }

    /// Kills it after a time. True if it accepted requests by then.
    pub(crate) fn kill_after(mut self, time: Duration) -> Result<bool, StartError> {
        let deadline = Instant::now() + time;
        let ready = match self.url_within(time) {
            Ok(_) => {
                // It is given the rest of its time, to begin its work.
                let rest = deadline.saturating_duration_since(Instant::now());
                while self.lines.recv_timeout(rest).is_ok() {}
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            Err(why) => return Err(give_up(&mut self.child, why, &self.log, self.log_from)),
        };
        // One that has ended in between is as dead.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
        Ok(ready)
    }

    /// Its URL, once it accepts requests.
    fn url_within(&mut self, time: Duration) -> Result<String, RecvTimeoutError> {
        let deadline = Instant::now() + time;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left)?;
            if let Some(url) = line.strip_prefix("listening on ") {
                return Ok(url.to_owned());
            }
        }
    }
}

fn spawn(program: &Path, dir: &Path, options: &DaemonOptions) -> io::Result<(Child, usize)> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(log_path(dir))?;
    let log_from = usize::try_from(log.metadata()?.len()).unwrap_or(usize::MAX);
    let child = options
        .command(program, dir)?
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()?;
    Ok((child, log_from))
}

fn give_up(child: &mut Child, why: RecvTimeoutError, log: &Path, from: usize) -> StartError {
    if why == RecvTimeoutError::Timeout {
        // It may end in between by itself, which is as well.
        let _gone = child.kill();
    }
    let status = child.wait();
    let text = fs::read(log).unwrap_or_default();
    let log = String::from_utf8_lossy(text.get(from..).unwrap_or_default()).into_owned();
    match (why, status) {
        (RecvTimeoutError::Disconnected, Ok(status)) => StartError::Ended { status, log },
        _ => StartError::Silent { log },
    }
}
