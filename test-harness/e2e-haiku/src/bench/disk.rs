//! How fast the disk under a data directory makes small appends durable.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::sample::Sample;

/// Bytes of one append: a page of the store's log.
const APPEND_BYTES: usize = 4096;

/// Appends that were made durable one by one, all through a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Probe {
    sample: Sample,
    took: Duration,
}

/// What the appends came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disk {
    /// Appends of 4 KiB made durable in a second, one after the other.
    pub syncs_per_second: f64,
    /// Time that half of them took, in microseconds.
    pub sync_p50_us: f64,
    /// Time that 95 % took, in microseconds.
    pub sync_p95_us: f64,
    /// Time that 99 % took, in microseconds.
    pub sync_p99_us: f64,
}

impl Probe {
    /// Appends and waits for the disk again and again, for so long, in a file beside the data. Blocking.
    pub(super) fn run(&mut self, dir: &Path, period: Duration) -> io::Result<()> {
        let path = dir.join("fsync.probe");
        let mut file = File::create(&path)?;
        let began = Instant::now();
        while began.elapsed() < period {
            file.write_all(&[0x5a; APPEND_BYTES])?;
            let synced = Instant::now();
            file.sync_data()?;
            self.sample.add(synced.elapsed());
        }
        self.took += began.elapsed();
        std::fs::remove_file(path)
    }

    pub(super) fn disk(&mut self) -> Disk {
        Disk {
            syncs_per_second: self.sample.count() as f64 / self.took.as_secs_f64().max(1e-9),
            sync_p50_us: self.sample.us(0.5),
            sync_p95_us: self.sample.us(0.95),
            sync_p99_us: self.sample.us(0.99),
        }
    }
}
