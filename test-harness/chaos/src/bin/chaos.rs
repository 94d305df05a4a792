//! Kills real processes under load and judges what their users saw; `cargo xtask chaos` builds it and them.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use test_harness_chaos::{Plan, Sabotage, judge_kept, run};
use test_harness_support::{say, whisper};

/// Kills, stops and cuts off a real daemon, its engines and its clients under load, and judges what was seen.
///
/// Exits with 1 if anything is lost, doubled, spliced, stuck or untrue; history, schedule, log and data are then
/// kept.
#[derive(Clone, Debug, Parser)]
#[command(name = "chaos", max_term_width = 100)]
struct Args {
    /// Kills of daemons and engines, at least.
    #[arg(long, value_name = "N", default_value_t = 50)]
    kills: u64,
    /// Draws the schedule of faults and what clients want. Drawn from the clock if left out, and printed.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Write JSON instead of tables.
    #[arg(long)]
    json: bool,
    /// Begin no further fault after so many minutes.
    #[arg(long, value_name = "M")]
    minutes: Option<u64>,
    /// Kills of one round, after which everything is healed and judged.
    #[arg(long, value_name = "N", default_value_t = 50)]
    kills_per_round: u64,
    /// Folder for evidence of what is broken [default: a temporary one].
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    /// Keep that of every round, broken or not.
    #[arg(long)]
    keep: bool,
    /// Run nothing, and judge a history that was kept.
    #[arg(long, value_name = "FILE", exclusive = true)]
    judge: Option<PathBuf>,
    /// Make the world itself lie, to see that this is seen.
    #[arg(long, value_name = "HOW")]
    sabotage: Option<Sabotage>,
}

/// Says what a history breaks.
fn judge(path: &Path) -> ExitCode {
    match judge_kept(path) {
        Ok(violations) if violations.is_empty() => told("Nothing is broken.", ExitCode::SUCCESS),
        Ok(violations) => {
            let lines: Vec<String> = violations.iter().map(|it| format!("- {it}")).collect();
            told(lines.join("\n"), ExitCode::FAILURE)
        }
        Err(error) => refused(error),
    }
}

/// Tells what there is to tell, and how the program ends.
fn told(report: impl Display, code: ExitCode) -> ExitCode {
    match say(report) {
        Ok(()) => code,
        Err(error) => refused(format!("standard output takes no more: {error}")),
    }
}

fn refused(why: impl Display) -> ExitCode {
    whisper(format!("chaos: {why}"));
    ExitCode::from(2)
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(path) = &args.judge {
        return judge(path);
    }
    let drawn = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap_or_default().as_secs()
    };
    let plan = Plan {
        kills: args.kills,
        seed: args.seed.unwrap_or_else(drawn),
        kills_per_round: args.kills_per_round.max(1),
        limit: args
            .minutes
            .map(|minutes| Duration::from_secs(60 * minutes)),
        evidence: args.evidence,
        keep: args.keep,
        sabotage: args.sabotage,
    };
    whisper(format!("chaos: seed {}", plan.seed));
    let running = run(&plan, |line| whisper(format!("chaos: {line}")));
    let ran = tokio::select! {
        ran = running => ran,
        // What runs is dropped, and ends every process that it has started.
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
    };
    let report = match ran {
        Ok(report) => report,
        Err(error) => return refused(error),
    };
    let code = match report.broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    };
    if args.json {
        let text = serde_json::to_string_pretty(&report);
        told(text.expect("a report is plain JSON"), code)
    } else {
        told(report, code)
    }
}
