//! The daemon's process.

use std::{collections::VecDeque, env, io, process::ExitStatus, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

use super::{ModelFile, config, program};
use crate::{
    error::Failure,
    server::{Origin, Server},
};

/// What it prints before its URL, once it takes requests.
const LISTENING: &str = "listening on ";

/// How long it may take to end in order. Its own limits are shorter.
const END_TIMEOUT: Duration = Duration::from_secs(15);

/// How long its last words may take after its end, should somebody else hold the pipe.
const LAST_WORDS_TIMEOUT: Duration = Duration::from_secs(1);

/// How many of its last lines are kept.
const LINES_KEPT: usize = 20;

/// The variable that names the engine's program, the only one of ours that the child gets: all else that a user may
/// have set for another daemon is not meant for this one.
const ENGINE_BINARY: &str = "ORCH_POOL_ENGINE_BINARY";

/// A daemon that was started for one run.
pub(crate) struct Daemon {
    child: Child,
    /// Held open: its end is the daemon's, also if this program is killed.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// Gives the last lines of its standard error once that ends.
    last_words: JoinHandle<String>,
}

impl Daemon {
    /// Starts it; it listens and loads the model later.
    ///
    /// # Errors
    ///
    /// If its program is not there or cannot be started.
    pub(crate) fn start(model: &ModelFile, ctx_size: Option<u32>) -> Result<Self, Failure> {
        let program = program::find()?;
        let mut command = Command::new(&program);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("ORCH_") && name != ENGINE_BINARY {
                command.env_remove(name);
            }
        }
        command
            .args(["--exit-on-stdin-eof", "--ephemeral", "--config-toml"])
            .arg(config::text(&model.path, ctx_size)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Out of the terminal's group: a Ctrl-C there is heard here, and the daemon is needed to cancel the task.
            .process_group(0);
        let mut child = command.spawn().map_err(|error| Failure::OwnDaemon {
            detail: format!("{} cannot be started: {error}", program.display()),
        })?;
        let piped = "a child that was given pipes has them";
        let stdout = child.stdout.take().expect(piped);
        let stderr = child.stderr.take().expect(piped);
        Ok(Self {
            stdin: child.stdin.take(),
            child,
            stdout: BufReader::new(stdout),
            last_words: tokio::spawn(last_lines(stderr)),
        })
    }

    /// Waits until it takes requests.
    ///
    /// # Errors
    ///
    /// How it ended, if it did.
    pub(crate) async fn listening(&mut self) -> Result<Server, Failure> {
        let mut line = String::new();
        // An output that cannot be read has ended.
        let _ended = self.stdout.read_line(&mut line).await;
        match line.trim_end().strip_prefix(LISTENING) {
            Some(url) => Ok(Server {
                url: url.to_owned(),
                origin: Origin::Own,
            }),
            None => Err(self.broken().await),
        }
    }

    /// Waits until it ends by itself, which it should not, and says how it did. May be given up and called again.
    pub(crate) async fn broken(&mut self) -> Failure {
        let exit = self.child.wait().await;
        Failure::OwnDaemon {
            detail: self.how_it_ended(exit).await,
        }
    }

    async fn how_it_ended(&mut self, exit: io::Result<ExitStatus>) -> String {
        let exit = match exit {
            Ok(status) => format!("it ended: {status}"),
            Err(error) => format!("nobody knows how it ended: {error}"),
        };
        match timeout(LAST_WORDS_TIMEOUT, &mut self.last_words).await {
            Ok(Ok(words)) if !words.is_empty() => format!("{exit}; its last words:\n{words}"),
            _ => exit,
        }
    }

    /// Ends it, in order if it can, and waits until it is gone, with its engine and its data.
    pub(crate) async fn end(mut self) {
        self.stdin = None;
        if timeout(END_TIMEOUT, self.child.wait()).await.is_err() {
            // It fails only where the process has ended already.
            let _gone = self.child.kill().await;
        }
    }
}

/// Reads to the end, and gives the last lines.
async fn last_lines(stderr: ChildStderr) -> String {
    let mut stderr = BufReader::new(stderr);
    let mut kept = VecDeque::new();
    let mut line = Vec::new();
    // An output that cannot be read has ended.
    while matches!(stderr.read_until(b'\n', &mut line).await, Ok(1..)) {
        if kept.len() == LINES_KEPT {
            kept.pop_front();
        }
        kept.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    Vec::from(kept).join("\n")
}
