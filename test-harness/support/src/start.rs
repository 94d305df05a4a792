//! From a command to a daemon that accepts requests.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

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

/// Starts a daemon whose own directory is `dir`, and waits until it accepts requests.
pub(crate) fn start(dir: &Path, options: &DaemonOptions) -> Result<Running, StartError> {
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
    loop {
        match lines.recv_timeout(START_TIMEOUT) {
            Ok(line) => {
                if let Some(url) = line.strip_prefix("listening on ") {
                    let url = url.to_owned();
                    return Ok(Running { child, url, lines });
                }
            }
            Err(why) => return Err(give_up(&mut child, why, &log_path(dir), log_from)),
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
