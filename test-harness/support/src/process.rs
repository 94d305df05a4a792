//! Looks at processes and tells them things, by their ids. Looking needs `/proc`, so it needs Linux.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, kill_process};

/// Length of the ticks in which Linux tells processor time, the same on every machine.
const MS_PER_TICK: u64 = 10;

/// Memory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Everything of it that lies in memory, in bytes.
    pub resident_bytes: u64,
    /// The part that is its own data, and neither program nor file, in bytes.
    pub anonymous_bytes: u64,
}

/// Memory of a process.
///
/// # Errors
/// If there is no such process, or no `/proc`.
pub fn memory_of(pid: u32) -> io::Result<Memory> {
    let text =
        fs::read_to_string(format!("/proc/{pid}/status")).map_err(|error| explain(&error))?;
    let kilobytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse::<u64>().ok())
    };
    match (kilobytes("VmRSS:"), kilobytes("RssAnon:")) {
        (Some(resident), Some(anonymous)) => Ok(Memory {
            resident_bytes: resident * 1024,
            anonymous_bytes: anonymous * 1024,
        }),
        _ => Err(io::Error::other(format!(
            "process {pid} has no memory any more"
        ))),
    }
}

/// CPU time that a process has used so far, user and system, with its threads that have ended; in steps of 10 ms.
///
/// # Errors
/// If there is no such process, or no `/proc`.
pub fn cpu_of(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|error| explain(&error))?;
    // The name stands in parentheses and may hold anything, so what follows is found from the end.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: Option<Vec<u64>> = ticks.map(|ticks| ticks.parse().ok()).collect();
    match ticks.as_deref() {
        Some([user, system]) => Ok(Duration::from_millis((user + system) * MS_PER_TICK)),
        _ => Err(io::Error::other(format!("process {pid} tells no times"))),
    }
}

/// Processes whose parent is the given one, dead ones that nobody has waited for left out.
///
/// # Errors
/// If there is no `/proc`.
pub fn children_of(pid: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").map_err(|error| explain(&error))? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if living_parent_of(&entry.path()) == Some(pid) {
            children.push(child);
        }
    }
    children.sort_unstable();
    Ok(children)
}

/// The parent of a process that lives. A process that ends meanwhile has none.
fn living_parent_of(proc: &Path) -> Option<u32> {
    let stat = fs::read_to_string(proc.join("stat")).ok()?;
    // The name stands in parentheses and may hold anything, so what follows is found from the end.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (state != "Z" && state != "X").then_some(parent)
}

/// What a process can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It goes on after [`Signal::Stop`].
    Continue,
    /// Ctrl-C.
    Interrupt,
    /// It ends at once, as by the out-of-memory killer.
    Kill,
    /// It stands still, connections open, until it is told to go on or killed.
    Stop,
    /// Please end.
    Terminate,
}

/// Tells a process something.
///
/// # Errors
/// If it was gone already.
pub fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    let number = match signal {
        Signal::Continue => rustix::process::Signal::CONT,
        Signal::Interrupt => rustix::process::Signal::INT,
        Signal::Kill => rustix::process::Signal::KILL,
        Signal::Stop => rustix::process::Signal::STOP,
        Signal::Terminate => rustix::process::Signal::TERM,
    };
    let told = match i32::try_from(pid).ok().and_then(Pid::from_raw) {
        Some(process) => kill_process(process, number),
        None => Err(Errno::SRCH),
    };
    told.map_err(|error| match error {
        Errno::SRCH => io::Error::other(format!("there is no process {pid}")),
        error => io::Error::other(format!("process {pid} cannot be told {signal:?}: {error}")),
    })
}

fn explain(error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("processes are looked at through /proc, which cannot be read here: {error}"),
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use rustix::process::{WaitOptions, waitpid};

    use super::*;

    #[test]
    fn a_child_stands_still_and_goes_on() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_child(&child);
        signal(child.id(), Signal::Stop).unwrap();
        let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped());
        signal(child.id(), Signal::Continue).unwrap();
        let (_, status) = waitpid(Some(pid), WaitOptions::CONTINUED).unwrap().unwrap();
        assert!(status.continued());
        signal(child.id(), Signal::Kill).unwrap();
        child.wait().unwrap();
        let gone = signal(child.id(), Signal::Kill).unwrap_err();
        assert_eq!(
            gone.to_string(),
            format!("there is no process {}", child.id())
        );
    }

    #[test]
    fn a_child_is_seen_measured_and_killed() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let own = std::process::id();
        assert!(children_of(own).unwrap().contains(&child.id()));
        let memory = memory_of(child.id()).unwrap();
        assert!(memory.anonymous_bytes <= memory.resident_bytes);
        assert!(memory.resident_bytes > 0);
        assert!(cpu_of(child.id()).is_ok());
        signal(child.id(), Signal::Kill).unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!children_of(own).unwrap().contains(&child.id()));
        assert!(memory_of(child.id()).is_err());
        assert!(cpu_of(child.id()).is_err());
    }

    #[test]
    fn work_shows_as_cpu_time() {
        let before = cpu_of(std::process::id()).unwrap();
        let mut turned = 0_u64;
        while cpu_of(std::process::id()).unwrap() == before {
            turned = std::hint::black_box(turned + 1);
        }
        assert!(cpu_of(std::process::id()).unwrap() > before);
    }
}
