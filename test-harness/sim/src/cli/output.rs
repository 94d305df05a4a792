//! What it prints.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::args::Args;
use crate::agenda::{MILLI, SECOND};
use crate::plan::Plan;
use crate::report::Series;
use crate::world::Outcome;

/// Where the table of planted bugs begins and ends.
pub(crate) const MARKERS: (&str, &str) =
    ("<!-- planted bugs -->\n", "<!-- end of planted bugs -->");

pub(super) fn plan(plan: &Plan) {
    println!("{:#?}\n", plan.setup);
    for timed in &plan.faults {
        println!("at {:>6} ms  {}", timed.at / MILLI, timed.fault);
    }
    println!();
}

pub(super) fn one(seed: u64, outcome: &Outcome, took: Duration, as_json: bool) {
    if as_json {
        let broken = outcome
            .broken
            .as_ref()
            .map(|broken| json!({ "property": broken.property, "detail": broken.detail }));
        let line = json!({
            "seed": seed,
            "trace": format!("{:016x}", outcome.trace),
            "steps": outcome.steps,
            "virtual_ms": outcome.virtual_time / MILLI,
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "broken": broken,
        });
        println!("{line}");
        return;
    }
    println!(
        "seed {seed}: trace {:016x}, {} steps, {}.{:03} s in its world, {} ms in ours",
        outcome.trace,
        outcome.steps,
        outcome.virtual_time / SECOND,
        outcome.virtual_time % SECOND / MILLI,
        took.as_millis()
    );
}

pub(super) fn progress(live: bool, done: u64, total: u64, failed: usize, since: Duration) {
    let rate = done as f64 / since.as_secs_f64().max(0.001);
    let left = (total.saturating_sub(done)) as f64 / rate.max(0.001);
    let line = format!(
        "{done} of {total} seeds, {failed} failed, {rate:.0} seeds/s, about {left:.0} s left"
    );
    if live {
        eprint!("\r\x1b[K{line}");
    } else {
        eprintln!("{line}");
    }
}

pub(super) fn series(series: &Series, took: Duration, args: &Args) {
    let cpu = cpu_seconds();
    let seeds = series
        .failures
        .iter()
        .map(|(seed, _)| *seed)
        .collect::<Vec<_>>();
    let missing = series.coverage.missing();
    if args.json {
        let failures: Vec<_> = series
            .failures
            .iter()
            .map(|(seed, outcome)| {
                json!({
                    "seed": seed,
                    "property": outcome.broken.as_ref().map(|broken| broken.property),
                    "detail": outcome.broken.as_ref().map(|broken| broken.detail.clone()),
                })
            })
            .collect();
        let coverage: serde_json::Map<String, serde_json::Value> = series
            .coverage
            .rows()
            .map(|(what, times)| (what.to_owned(), json!(times)))
            .collect();
        let all = json!({
            "seeds": series.seeds,
            "steps": series.steps,
            "virtual_s": series.virtual_time / SECOND,
            "took_s": took.as_secs_f64(),
            "cpu_s": cpu,
            "failures": failures,
            "missing": missing,
            "coverage": coverage,
        });
        println!("{all}");
        return;
    }
    println!("{:<16} {:>14}", "seeds", series.seeds);
    println!("{:<16} {:>14}", "steps", series.steps);
    println!(
        "{:<16} {:>12} h",
        "virtual time",
        series.virtual_time / SECOND / 3_600
    );
    println!("{:<16} {:>12.1} s", "wall time", took.as_secs_f64());
    if let Some(cpu) = cpu {
        println!("{:<16} {:>12.1} s", "CPU time", cpu);
    }
    println!("{:<16} {:>14}", "failures", seeds.len());
    if !seeds.is_empty() {
        println!("{:<16} {seeds:?}", "failed seeds");
    }
    if args.coverage {
        println!("\nexercised:");
        for (what, times) in series.coverage.rows() {
            println!("{times:>10}  {what}");
        }
        println!("\nnot exercised: {missing:?}");
    }
}

/// Processor time of this process so far, where the system tells it.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let after = stat.rsplit_once(')')?.1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    // Linux counts in hundredths of a second here, on every machine in use.
    Some(ticks / 100.0)
}

/// Puts the table between its markers.
pub(super) fn write_between_markers(path: &Path, table: &str) -> Result<(), String> {
    let page = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let (begin, end) = MARKERS;
    let from = page
        .find(begin)
        .ok_or_else(|| format!("it has no line {begin:?}"))?
        + begin.len();
    let to = page
        .find(end)
        .ok_or_else(|| format!("it has no line {end:?}"))?;
    if to < from {
        return Err("its markers are in the wrong order".to_owned());
    }
    let page = format!("{}{table}{}", &page[..from], &page[to..]);
    std::fs::write(path, page).map_err(|error| error.to_string())
}
