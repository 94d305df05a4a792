//! One real daemon, as a child process with an engine of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::binary::binary;

/// Longest time that a daemon may take to accept requests.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How to start a daemon.
#[derive(Clone, Debug, Default)]
pub struct DaemonOptions {
    /// Text of the configuration file, if it is to have one.
    pub config: Option<String>,
    /// Environment besides the defaults of the harness.
    pub env: Vec<(String, String)>,
    /// Arguments besides the data directory and the address.
    pub args: Vec<String>,
}

impl DaemonOptions {
    /// Adds one variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.env.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sets the configuration file's text.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.config = Some(text.to_owned());
        self
    }
}

/// One real daemon on a free loopback port. Dropping it kills it.
pub struct Daemon {
    dir: TempDir,
    options: DaemonOptions,
    child: Child,
    url: String,
}

impl Daemon {
    /// Starts a daemon on a fresh data directory and waits until it accepts requests.
    ///
    /// # Panics
    /// If it does not come up; the text holds its log.
    #[must_use]
    pub fn start(options: DaemonOptions) -> Self {
        let dir = tempfile::tempdir().expect("a test may make directories");
        let (child, url) = launch(dir.path(), &options);
        Self {
            dir,
            options,
            child,
            url,
        }
    }

    /// Base URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("daemon.log")).unwrap_or_default()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("a child of ours can be killed");
        self.child
            .wait()
            .expect("a child of ours can be waited for");
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        let command = format!("kill -TERM {}", self.child.id());
        let sent = Command::new("sh")
            .args(["-c", &command])
            .status()
            .expect("sh can be run");
        assert!(
            sent.success(),
            "the daemon was gone before it was asked to end"
        );
        self.child
            .wait()
            .expect("a child of ours can be waited for")
    }

    /// Starts it again on the same data, after [`Self::kill`] or [`Self::terminate`]. The port is another one.
    pub fn restart(&mut self) {
        let (child, url) = launch(self.dir.path(), &self.options);
        self.child = child;
        self.url = url;
    }

    /// Starts it again with other options on the same data.
    pub fn restart_with(&mut self, options: DaemonOptions) {
        self.options = options;
        self.restart();
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

/// The command of a daemon on a directory, with an environment that nothing leaks into.
fn command(dir: &Path, options: &DaemonOptions) -> Command {
    let mut command = Command::new(binary("orchestratord"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ORCH_") {
            command.env_remove(name);
        }
    }
    command
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir.join("data"));
    if let Some(text) = &options.config {
        let path = dir.join("orchestrator.toml");
        fs::write(&path, text).expect("a test may write into its directory");
        command.arg("--config").arg(path);
    }
    command
        .args(&options.args)
        .envs(options.env.iter().map(|(name, value)| (name, value)));
    command
}

fn launch(dir: &Path, options: &DaemonOptions) -> (Child, String) {
    let log = File::options()
        .create(true)
        .append(true)
        .open(dir.join("daemon.log"));
    let mut child = command(dir, options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log.expect("a test may write into its directory"))
        .spawn()
        .expect("the daemon can be started");
    let stdout = child.stdout.take().expect("standard output was piped");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(url) = line.strip_prefix("listening on ") {
                let _nobody = tell.send(url.to_owned());
            }
        }
    });
    match told.recv_timeout(START_TIMEOUT) {
        Ok(url) => (child, url),
        Err(why) => {
            let _gone = child.kill();
            let log = fs::read_to_string(dir.join("daemon.log")).unwrap_or_default();
            panic!("the daemon did not come up ({why}); its log:\n{log}");
        }
    }
}
