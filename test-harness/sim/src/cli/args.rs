//! Its arguments.

use std::ops::Range;
use std::path::PathBuf;

use clap::Parser;

use crate::plant::Plant;

/// Seeds within which a planted bug is looked for unless the caller says otherwise.
const PLANT_SEEDS: u64 = 2_000;
/// Seeds of a series unless the caller says otherwise.
const SEEDS: u64 = 100;

/// Runs the real machine and the real owner in a simulated world, under faults that a seed draws, and watches.
#[derive(Debug, Parser)]
#[command(name = "sim")]
pub(super) struct Args {
    /// Run this seed; with --count, so many from it on.
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Run these seeds, the second one not included.
    #[arg(long, value_name = "FROM..TO", value_parser = range, conflicts_with_all = ["seed", "count"])]
    pub(super) seeds: Option<Range<u64>>,
    /// Run so many seeds.
    #[arg(long)]
    pub(super) count: Option<u64>,
    /// Worlds that run at once, each on a thread of its own.
    #[arg(long, default_value_t = 1)]
    pub(super) jobs: usize,
    /// Plant a bug, and look for it until it is found.
    #[arg(long, value_name = "NAME")]
    pub(super) plant: Option<Plant>,
    /// Print what was exercised, and fail if something was not.
    #[arg(long)]
    pub(super) coverage: bool,
    /// Print as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Print the plan and every step of one seed.
    #[arg(long, requires = "seed")]
    pub(super) trace: bool,
    /// Find every planted bug, and write the table of them between the markers of this file.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "docs/simulation.md")]
    pub(super) table: Option<PathBuf>,
}

impl Args {
    pub(super) fn range(&self) -> Range<u64> {
        if let Some(seeds) = &self.seeds {
            return seeds.clone();
        }
        let default = if self.plant.is_some() {
            PLANT_SEEDS
        } else {
            SEEDS
        };
        let from = self.seed.unwrap_or(0);
        from..from.saturating_add(self.count.unwrap_or(default))
    }
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let hint = || format!("`{text}` is not FROM..TO, such as 0..1000");
    let (from, to) = text.split_once("..").ok_or_else(hint)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| hint());
    Ok(number(from)?..number(to)?)
}
