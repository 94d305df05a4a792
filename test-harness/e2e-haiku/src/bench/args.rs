//! What can be measured, and how.

use std::io;
use std::path::PathBuf;

use api_client::ApiError;
use clap::{Parser, Subcommand};
use test_harness_support::StartError;
use thiserror::Error;

use super::accept::{AcceptArgs, accept};
use super::cancel::{CancelArgs, cancel};
use super::machine::{Build, Machine};
use super::memory::{MemoryArgs, memory};
use super::overhead::{OverheadArgs, overhead};
use super::predictions::{PredictionsArgs, predictions};
use super::report::Report;
use super::setup::Setup;
use super::streams::{StreamsArgs, streams};
use crate::exposition::NotMetrics;
use crate::wait::InVain;
use crate::watch::Broken;

/// Measures a real daemon with a real engine against the budgets.
#[derive(Clone, Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
pub struct BenchArgs {
    /// What to measure.
    #[command(subcommand)]
    pub what: What,
    /// Write JSON instead of a table.
    #[arg(long, global = true)]
    pub json: bool,
    /// Directory with the programs to measure, such as `target/release`, instead of those built beside this one.
    #[arg(long, global = true, value_name = "DIR")]
    pub binaries: Option<PathBuf>,
}

/// What can be measured.
#[derive(Clone, Debug, Subcommand)]
pub enum What {
    /// Durable tasks a second through HTTP, and from an idle daemon's accept to its dispatch.
    Accept(AcceptArgs),
    /// From the cancelling of a task to the closing of its engine's connection.
    Cancel(CancelArgs),
    /// Memory of the daemon and its engine: idle, after work, and with a long queue.
    Memory(MemoryArgs),
    /// What the daemon adds to an engine's tokens: to the first, and to each.
    Overhead(OverheadArgs),
    /// How many starts lie in the band that was promised for them, under steady load.
    Predictions(PredictionsArgs),
    /// Many readers of many streams at once: whether each gets every token, how late, and what it costs.
    Streams(StreamsArgs),
}

/// Why there is nothing to report.
#[derive(Debug, Error)]
pub enum BenchError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ApiError),
    /// What was waited for did not happen.
    #[error(transparent)]
    InVain(#[from] InVain),
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The metrics could not be read.
    #[error(transparent)]
    Metrics(#[from] NotMetrics),
    /// The daemon did not come up.
    #[error(transparent)]
    NoStart(#[from] StartError),
    /// The programs to measure are not where they should be.
    #[error("there is no {} to measure; build it, or name another directory with --binaries", .0.display())]
    NothingThere(PathBuf),
    /// A task could not be run to its end.
    #[error(transparent)]
    Task(#[from] Broken),
}

/// Measures, and says on which machine and with which programs.
///
/// # Errors
/// If something did not work that had to.
pub async fn run(args: &BenchArgs) -> Result<Report, BenchError> {
    let setup = Setup::new(args.binaries.as_deref())?;
    let machine = Machine::look();
    let (name, findings) = match &args.what {
        What::Accept(args) => ("accept", accept(args, &setup).await?),
        What::Cancel(args) => ("cancel", cancel(args, &setup).await?),
        What::Memory(args) => ("memory", memory(args, &setup).await?),
        What::Overhead(args) => ("overhead", overhead(args, &setup).await?),
        What::Predictions(args) => ("predictions", predictions(args, &setup).await?),
        What::Streams(args) => ("streams", streams(args, &setup).await?),
    };
    Ok(Report {
        bench: name.to_owned(),
        date: httpdate::fmt_http_date(std::time::SystemTime::now()),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        build: Build::of(&setup.daemon),
        machine,
        findings,
    })
}
