//! One run of an engine process.

use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::spec::EngineSpec;

/// A process that was started. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Held open: its end tells the process to end, also when this program dies in whatever way.
    stdin: Option<ChildStdin>,
    pid: u32,
}

impl Process {
    /// Starts the command of a spec, and gives what it prints.
    pub(crate) fn start(spec: &EngineSpec) -> io::Result<(Self, ChildStdout, ChildStderr)> {
        let mut command = Command::new(&spec.command);
        command
            .args(&spec.args)
            .envs(spec.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for name in &spec.env_kept {
            command.env_remove(name);
        }
        // Out of the terminal's group: a Ctrl-C there ends this program, which ends its engines in order.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let missing = || io::Error::other("the process ended before it was watched");
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let stdin = child.stdin.take();
        let pid = child.id().ok_or_else(missing)?;
        if let Some(open_files_max) = spec.open_files_max {
            hold_to(pid, open_files_max);
        }
        Ok((Self { child, stdin, pid }, stdout, stderr))
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends its standard input.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Kills this process and no other.
    pub(crate) fn kill(&mut self) {
        // It fails only where the process has ended already.
        let _ = self.child.start_kill();
    }

    /// Waits for its end. Leaves its standard input open, and may be dropped and called again.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        // The child's own handle of the pipe was taken, so waiting does not close it.
        self.child.wait().await
    }
}

/// Lowers the soft limit of open files of a process. A supervisor that raised its own would else pass it on, and
/// there are programs that loop over all numbers that a file may have, or break with large ones.
#[cfg(target_os = "linux")]
fn hold_to(pid: u32, open_files_max: u64) {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: Some(open_files_max),
        maximum,
    };
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(process) = process else { return };
    if let Err(error) = prlimit(Some(process), Resource::Nofile, limit) {
        tracing::debug!(%error, pid, "an engine keeps the supervisor's limit of open files");
    }
}

#[cfg(not(target_os = "linux"))]
fn hold_to(_: u32, _: u64) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_process_is_held_to_its_own_limit_of_open_files() {
        let mut spec = EngineSpec::new("r0", "/bin/sh");
        // It looks when its standard input ends, which is after the limit was set.
        spec.args = vec!["-c".into(), "read end; ulimit -Sn".into()];
        spec.open_files_max = Some(77);
        let (mut process, mut stdout, _stderr) = Process::start(&spec).unwrap();
        process.close_stdin();
        let mut told = String::new();
        stdout.read_to_string(&mut told).await.unwrap();
        process.ended().await.unwrap();
        assert_eq!(told, "77\n");
    }

    #[tokio::test]
    async fn a_variable_that_is_kept_does_not_reach_the_process() {
        for (kept, told_of) in [(vec![], "there\n"), (vec!["HOME".into()], "gone\n")] {
            let mut spec = EngineSpec::new("r0", "/bin/sh");
            spec.args = vec![
                "-c".into(),
                "[ -n \"${HOME+set}\" ] && echo there || echo gone".into(),
            ];
            spec.env = vec![("HOME".into(), "there".into())];
            spec.env_kept = kept;
            let (mut process, mut stdout, _stderr) = Process::start(&spec).unwrap();
            let mut told = String::new();
            stdout.read_to_string(&mut told).await.unwrap();
            process.ended().await.unwrap();
            assert!(told.ends_with(told_of), "{told}");
        }
    }
}
