//! What the operating system allows a running process, and what the process uses of it. Needs Linux.

use std::fs;
use std::io;

/// Something that the operating system can be told to ration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ration {
    /// Bytes up to which a file may be written; what goes beyond fails, as on a disk that is full.
    FileBytes,
    /// Descriptors of files and sockets.
    OpenFiles,
}

/// Sets how much of something a running process may have from now on; none is as much as before it was
/// rationed.
///
/// # Errors
/// If there is no such process, or it is another user's.
pub fn ration(pid: u32, what: Ration, most: Option<u64>) -> io::Result<()> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits"))?;
    let hard = hard_limit(&text, what);
    set(pid, what, most.or(hard), hard)
}

#[cfg(target_os = "linux")]
fn set(pid: u32, what: Ration, soft: Option<u64>, hard: Option<u64>) -> io::Result<()> {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let resource = match what {
        Ration::FileBytes => Resource::Fsize,
        Ration::OpenFiles => Resource::Nofile,
    };
    let id = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let id = id.ok_or_else(|| io::Error::other(format!("{pid} is no process id")))?;
    let limit = Rlimit {
        current: soft,
        maximum: hard,
    };
    prlimit(Some(id), resource, limit)?;
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn set(_: u32, _: Ration, _: Option<u64>, _: Option<u64>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The limit that a process may not raise itself; none if there is none.
fn hard_limit(limits: &str, what: Ration) -> Option<u64> {
    let name = match what {
        Ration::FileBytes => "Max file size",
        Ration::OpenFiles => "Max open files",
    };
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Descriptors that a process has open.
///
/// # Errors
/// If there is no such process, or it is another user's.
pub fn descriptors_of(pid: u32) -> io::Result<u64> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_ration_holds_and_is_lifted() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let soft = || {
            let text = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
            let line = text
                .lines()
                .find(|line| line.starts_with("Max open files"))
                .unwrap();
            line.split_whitespace().nth(3).unwrap().to_owned()
        };
        ration(child.id(), Ration::OpenFiles, Some(17)).unwrap();
        assert_eq!(soft(), "17");
        ration(child.id(), Ration::OpenFiles, None).unwrap();
        assert_ne!(soft(), "17");
        assert!(descriptors_of(child.id()).unwrap() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(ration(child.id(), Ration::OpenFiles, Some(17)).is_err());
    }
}
