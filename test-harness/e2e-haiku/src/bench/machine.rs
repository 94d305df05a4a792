//! Where something was measured.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use serde::Serialize;

/// The machine, as far as it says. What cannot be told is empty or 0.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Name of the processor.
    pub cpu: String,
    /// Threads that run at once.
    pub cores: usize,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Operating system and its version.
    pub system: String,
    /// Load averages over 1, 5 and 15 minutes when the measurement began.
    pub load: String,
}

impl Machine {
    pub(super) fn look() -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let cpu = field(&cpuinfo, "model name").unwrap_or(std::env::consts::ARCH);
        let meminfo = read("/proc/meminfo");
        let kilobytes = field(&meminfo, "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        let load = read("/proc/loadavg");
        let load: Vec<&str> = load.split_whitespace().take(3).collect();
        let release = read("/proc/sys/kernel/osrelease");
        Self {
            cpu: cpu.to_owned(),
            cores: available_parallelism().map_or(0, Into::into),
            memory_bytes: kilobytes.unwrap_or_default() * 1024,
            system: format!("{} {}", std::env::consts::OS, release.trim())
                .trim()
                .to_owned(),
            load: load.join(" "),
        }
    }
}

/// The programs that were measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Build {
    /// Path of the daemon.
    pub daemon: String,
    /// How it was built, by the directory that cargo put it into: `dev` is without optimisation.
    pub profile: String,
}

impl Build {
    pub(super) fn of(daemon: &Path) -> Self {
        let dir = daemon.parent().and_then(Path::file_name);
        let profile = match dir.and_then(|dir| dir.to_str()) {
            Some("debug") => "dev",
            Some(other) => other,
            None => "",
        };
        Self {
            daemon: daemon.display().to_string(),
            profile: profile.to_owned(),
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}
