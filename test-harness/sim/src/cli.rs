//! The command line of `sim`.

mod args;
mod output;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Parser;

use crate::plan::Plan;
use crate::plant::Plant;
use crate::report::{failure, find_plant, plant_table, run_series};
use crate::world::World;

use self::args::Args;
use self::output::say;

/// Failures that are told in full; of more only the seeds.
const TOLD_IN_FULL: usize = 3;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(path) = &args.table {
        return table(path);
    }
    if let (Some(seed), true) = (args.seed, args.trace || args.count.is_none()) {
        return one(seed, &args);
    }
    series(&args)
}

/// One seed, in detail.
fn one(seed: u64, args: &Args) -> ExitCode {
    let begun = Instant::now();
    let plan = Rc::new(Plan::of(seed));
    let outcome = World::new(&plan, args.plant, args.trace).run();
    let took = begun.elapsed();
    if args.trace {
        output::plan(&plan);
        for line in &outcome.whole {
            say!("{line}");
        }
    }
    let broken = outcome.broken.is_some();
    output::one(seed, &outcome, took, args.json);
    if broken {
        if !args.json {
            say!("\n{}", failure(seed, args.plant, outcome));
        }
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Many seeds.
fn series(args: &Args) -> ExitCode {
    let begun = Instant::now();
    let seeds = args.range();
    let total = seeds.end.saturating_sub(seeds.start);
    let live = std::io::stderr().is_terminal();
    let last = std::sync::Mutex::new(begun);
    let series = run_series(seeds, args.plant, args.jobs, |done, failed| {
        if let Ok(mut last) = last.try_lock()
            && last.elapsed() >= Duration::from_secs(if live { 1 } else { 30 })
        {
            *last = Instant::now();
            output::progress(live, done, total, failed, begun.elapsed());
        }
        // A planted bug is looked for until it is found.
        args.plant.is_none() || failed == 0
    });
    if live {
        eprint!("\r\x1b[K");
    }
    let failed = !series.failures.is_empty();
    output::series(&series, begun.elapsed(), args);
    if !args.json {
        for (seed, outcome) in series.failures.into_iter().take(TOLD_IN_FULL) {
            say!("\n{}", failure(seed, args.plant, outcome));
        }
    }
    match (args.plant, failed) {
        (None, false) | (Some(_), true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Finds every planted bug, and writes the table of them.
fn table(path: &std::path::Path) -> ExitCode {
    let mut rows = Vec::new();
    for plant in Plant::ALL {
        let begun = Instant::now();
        match find_plant(*plant) {
            Some(row) => {
                eprintln!(
                    "{plant}: seed {}, {} ({} s)",
                    row.seed,
                    row.property,
                    begun.elapsed().as_secs()
                );
                rows.push(row);
            }
            None => {
                eprintln!("{plant}: no seed shows it");
                return ExitCode::FAILURE;
            }
        }
    }
    match output::write_between_markers(path, &plant_table(&rows)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
