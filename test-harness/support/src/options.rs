//! How to start a daemon.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How to start a daemon. By default: no configuration, a fresh data directory, a free loopback port.
#[derive(Clone, Debug, Default)]
pub struct DaemonOptions {
    /// Text of the configuration file, if it is to have one.
    pub config: Option<String>,
    /// Environment besides the defaults of the harness.
    pub env: Vec<(String, String)>,
    /// Arguments besides the data directory and the address.
    pub args: Vec<String>,
    /// Address to listen on instead of a free loopback port.
    pub listen: Option<String>,
    /// Data directory instead of a fresh one.
    pub data_dir: Option<PathBuf>,
    /// The program instead of the one that was built beside the caller.
    pub program: Option<PathBuf>,
    /// Run by the user with this id instead of ours, which takes privileges.
    pub user: Option<u32>,
    /// In a process group of its own, so that Ctrl-C in a terminal does not reach it.
    pub apart: bool,
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

    /// Sets the address to listen on.
    #[must_use]
    pub fn listen(mut self, address: impl ToString) -> Self {
        self.listen = Some(address.to_string());
        self
    }

    /// Sets the data directory.
    #[must_use]
    pub fn data_dir(mut self, dir: &Path) -> Self {
        self.data_dir = Some(dir.to_owned());
        self
    }

    /// Sets the program.
    #[must_use]
    pub fn program(mut self, program: &Path) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// Where the data lies if the daemon's own directory is `dir`.
    pub(crate) fn data_in(&self, dir: &Path) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| dir.join("data"))
    }

    /// The command of a daemon whose own directory is `dir`, with an environment that no setting leaks into.
    pub(crate) fn command(&self, program: &Path, dir: &Path) -> io::Result<Command> {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ORCH_") {
                command.env_remove(name);
            }
        }
        command
            .args(["--listen", self.listen.as_deref().unwrap_or("127.0.0.1:0")])
            .arg("--data-dir")
            .arg(self.data_in(dir));
        if let Some(text) = &self.config {
            let path = dir.join("orchestrator.toml");
            fs::write(&path, text)?;
            command.arg("--config").arg(path);
        }
        command.args(&self.args);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            if self.apart {
                command.process_group(0);
            }
            if let Some(user) = self.user {
                command.uid(user).gid(user);
            }
        }
        Ok(command)
    }
}
