//! Many seeds, one after another or on several threads; each world has one thread to itself.

use std::ops::Range;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::coverage::Coverage;
use crate::plan::Plan;
use crate::plant::Plant;
use crate::world::{Outcome, World};

/// What a series of runs came to.
#[derive(Debug, Default)]
pub struct Series {
    /// Seeds that were run.
    pub seeds: u64,
    /// Steps of all of them.
    pub steps: u64,
    /// Microseconds in their worlds.
    pub virtual_time: u64,
    /// What was exercised.
    pub coverage: Coverage,
    /// The seeds that broke something, with their runs.
    pub failures: Vec<(u64, Outcome)>,
}

impl Series {
    fn take(&mut self, seed: u64, outcome: Outcome) {
        self.seeds += 1;
        self.steps += outcome.steps;
        self.virtual_time += outcome.virtual_time;
        self.coverage.add(&outcome.coverage);
        if outcome.broken.is_some() {
            self.failures.push((seed, outcome));
        }
    }
}

/// Runs every seed of a range. `told` is called now and then with the seeds done and those that failed; it stops
/// the series by saying false.
pub fn run_series(
    seeds: Range<u64>,
    plant: Option<Plant>,
    jobs: usize,
    told: impl Fn(u64, usize) -> bool + Sync,
) -> Series {
    let next = AtomicU64::new(seeds.start);
    let series = Mutex::new(Series::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let outcome = World::new(&Rc::new(Plan::of(seed)), plant, false).run();
            let mut series = series.lock().unwrap_or_else(PoisonError::into_inner);
            series.take(seed, outcome);
            if !told(series.seeds, series.failures.len()) {
                next.store(seeds.end, Ordering::Relaxed);
            }
        }
    };
    if jobs <= 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(work);
            }
        });
    }
    let mut series = series.into_inner().unwrap_or_else(PoisonError::into_inner);
    series.failures.sort_by_key(|(seed, _)| *seed);
    series
}
