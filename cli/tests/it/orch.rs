//! The program, in an environment that nothing leaks into.

use std::{
    fs,
    path::PathBuf,
    process::{Output, Stdio},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
};

/// The program, with a home of its own.
pub(crate) struct Orch {
    home: TempDir,
    env: Vec<(String, String)>,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Orch {
    pub(crate) fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            env: Vec::new(),
        }
    }

    /// Which talks to this server.
    pub(crate) fn at(url: &str) -> Self {
        Self::new().env("ORCH_SERVER", url)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Whose configuration file says this.
    pub(crate) fn config(self, text: &str) -> Self {
        let path = self.config_path();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.home.path().join(".config/orchestrator/orch.toml")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orch"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.home.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        self.read(self.command(args).output().await.unwrap())
    }

    /// Runs it with something on standard input.
    pub(crate) async fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input).await.unwrap();
        drop(stdin);
        self.read(child.wait_with_output().await.unwrap())
    }

    /// Starts it and leaves it running, with both outputs piped.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Waits for one that was started.
    pub(crate) async fn end(&self, child: Child) -> Ran {
        self.read(child.wait_with_output().await.unwrap())
    }

    fn read(&self, output: Output) -> Ran {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        Ran {
            code: status.code(),
            stdout: self.text(stdout),
            stderr: self.text(stderr),
        }
    }

    /// With what differs from run to run replaced.
    fn text(&self, bytes: Vec<u8>) -> String {
        let text = String::from_utf8(bytes).unwrap();
        let text = text.replace(self.home.path().to_str().unwrap(), "HOME");
        match self.env.iter().find(|(name, _)| name == "ORCH_SERVER") {
            Some((_, url)) => text.replace(url, "http://SERVER"),
            None => text,
        }
    }
}

impl Ran {
    /// All of it, for snapshots.
    pub(crate) fn shown(&self) -> String {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        let code = code.map_or("a signal".to_owned(), |code| code.to_string());
        format!("--- standard output\n{stdout}--- standard error\n{stderr}--- exit status {code}\n")
    }

    /// As [`Self::shown`], with the id that this run made for its task replaced.
    pub(crate) fn shown_without(&self, id: &str) -> String {
        self.shown().replace(id, "TASK")
    }
}

/// Reads from the child's standard output until it has given this text.
pub(crate) async fn told(child: &mut Child, text: &str) {
    let stdout = child.stdout.as_mut().unwrap();
    let mut seen = vec![0; text.len()];
    stdout.read_exact(&mut seen).await.unwrap();
    assert_eq!(String::from_utf8(seen).unwrap(), text);
}

/// Reads from the child's standard output up to this text.
pub(crate) async fn told_up_to(child: &mut Child, text: &str) {
    let stdout = child.stdout.as_mut().unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(text.as_bytes()) {
        seen.push(stdout.read_u8().await.unwrap());
    }
}

/// Reads from the child's standard error up to this text.
pub(crate) async fn said(child: &mut Child, text: &str) -> String {
    let stderr = child.stderr.as_mut().unwrap();
    let mut seen = String::new();
    while !seen.ends_with(text) {
        seen.push(char::from(stderr.read_u8().await.unwrap()));
    }
    seen
}

/// Presses Ctrl-C.
pub(crate) fn interrupt(child: &Child) {
    let id = i32::try_from(child.id().expect("it runs")).unwrap();
    let pid = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}
