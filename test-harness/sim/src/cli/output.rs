//! What it prints.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process;
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

/// Writes one line, formatted as by `format!`, to standard output.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::cli::output::line(format_args!($($words)*))
    };
}
pub(super) use say;

/// A reader that has gone away, as in `sim --trace | head`, has seen enough: the rest is lost, and the exit code
/// is what it would have been. Where the output takes no more for another reason, the program ends.
pub(super) fn line(words: Arguments<'_>) {
    match writeln!(io::stdout(), "{words}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("sim: standard output takes no more: {error}");
            process::exit(2);
        }
        _ => {}
    }
}

pub(super) fn plan(plan: &Plan) {
    say!("{:#?}\n", plan.setup);
    for timed in &plan.faults {
        say!("at {:>6} ms  {}", timed.at / MILLI, timed.fault);
    }
    say!("");
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
        say!("{line}");
        return;
    }
    say!(
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
    let mut err = io::stderr();
    let _nobody_reads = match live {
        true => write!(err, "\r\x1b[K{line}"),
        false => writeln!(err, "{line}"),
    };
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
        say!("{all}");
        return;
    }
    say!("{:<16} {:>14}", "seeds", series.seeds);
    say!("{:<16} {:>14}", "steps", series.steps);
    say!(
        "{:<16} {:>12} h",
        "virtual time",
        series.virtual_time / SECOND / 3_600
    );
    say!("{:<16} {:>12.1} s", "wall time", took.as_secs_f64());
    if let Some(cpu) = cpu {
        say!("{:<16} {:>12.1} s", "CPU time", cpu);
    }
    say!("{:<16} {:>14}", "failures", seeds.len());
    if !seeds.is_empty() {
        say!("{:<16} {seeds:?}", "failed seeds");
    }
    if args.coverage {
        say!("\nexercised:");
        for (what, times) in series.coverage.rows() {
            say!("{times:>10}  {what}");
        }
        say!("\nnot exercised: {missing:?}");
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
