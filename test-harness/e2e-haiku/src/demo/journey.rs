//! The tour, step by step.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Instant;

use api_client::types::{PromptInput, TaskCreateRequest, TaskInputRequest};
use api_client::{ApiError, Client};
use clap::Parser;
use test_harness_support::{Daemon, DaemonOptions, StartError};
use thiserror::Error;

use super::account::{Account, show_verdict, tokens_out, tokens_out_beyond};
use super::page::{Page, Tone};
use super::ready::until_ready;
use super::stay::{told_to_end, until};
use crate::exposition::NotMetrics;
use crate::haiku::{Theme, Verdict};
use crate::wait::InVain;
use crate::watch::{Broken, watch};

/// Tokens a second that people can follow.
const READING_PACE: f64 = 40.0;

/// Starts everything, runs one real task, and shows what happened.
///
/// It needs no network, and writes nothing outside of one temporary directory.
#[derive(Clone, Debug, Parser)]
#[command(name = "demo", max_term_width = 100)]
pub struct DemoArgs {
    /// End after the task instead of staying up until Ctrl-C.
    #[arg(long)]
    pub exit: bool,
    /// Leave the data directory where it is.
    #[arg(long)]
    pub keep: bool,
    /// As fast as the machine can, instead of at a pace at which one can read along.
    #[arg(long)]
    pub full_speed: bool,
}

impl DemoArgs {
    fn throttle(&self) -> Option<f64> {
        (!self.full_speed).then_some(READING_PACE)
    }
}

/// Why the tour did not end well.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The daemon ended while it should have stayed.
    #[error("the daemon ended by itself: {0}")]
    DaemonEnded(ExitStatus),
    /// What was waited for did not happen.
    #[error(transparent)]
    InVain(#[from] InVain),
    /// The operating system refused something.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The metrics could not be read.
    #[error(transparent)]
    Metrics(#[from] NotMetrics),
    /// The model's answer is not what was asked for.
    #[error("the model missed what was asked for; see `checked` above")]
    Missed,
    /// The daemon did not come up.
    #[error(transparent)]
    NoStart(#[from] StartError),
    /// The task could not be run to its end.
    #[error(transparent)]
    Task(#[from] Broken),
}

impl From<ApiError> for DemoError {
    fn from(error: ApiError) -> Self {
        Self::Task(Broken::Unreadable(error))
    }
}

/// Gives the tour. The data directory stays where it is if something failed, or if that is asked for.
///
/// # Errors
/// Whatever did not work.
pub async fn run(args: &DemoArgs) -> Result<(), DemoError> {
    let mut page = Page::new();
    page.heading("orchestrator demo");
    let mut options = DaemonOptions {
        apart: true,
        ..DaemonOptions::default()
    };
    if let Some(rate) = args.throttle() {
        options = options.env("ORCH_POOL_MAX_TOKENS_PER_SECOND", rate);
    }
    let begun = Instant::now();
    let mut daemon = Daemon::try_start(options)?;
    let fate = if args.keep {
        "stays"
    } else {
        "removed at the end"
    };
    let dir = page.tone(Tone::Quiet, &format!("({fate})"));
    page.fact("data", &format!("{} {dir}", daemon.dir().display()));
    page.fact(
        "daemon",
        &format!("{} (process {})", daemon.url(), daemon.pid()),
    );

    let outcome = tour(args, &mut daemon, &mut page, begun).await;
    let ended = end(&mut daemon, &outcome);
    let outcome = outcome.and(ended);
    if args.keep || outcome.is_err() {
        let dir = daemon.keep();
        page.fact("kept", &format!("{}", dir.display()));
    }
    outcome
}

/// Ends the daemon, unless it has ended already.
fn end(daemon: &mut Daemon, outcome: &Result<(), DemoError>) -> Result<(), DemoError> {
    if matches!(outcome, Err(DemoError::DaemonEnded(_))) {
        return Ok(());
    }
    let status = daemon.try_terminate()?;
    if status.success() {
        Ok(())
    } else {
        Err(DemoError::DaemonEnded(status))
    }
}

async fn tour(
    args: &DemoArgs,
    daemon: &mut Daemon,
    page: &mut Page,
    begun: Instant,
) -> Result<(), DemoError> {
    let client = Client::new(daemon.url())?;
    until_ready(&client, page).await?;
    page.fact(
        "ready",
        &format!("{} ms after the start", begun.elapsed().as_millis()),
    );
    let mut theme = Theme::of_this_minute();
    let mut verdict = ask(&client, &theme, args, page).await?;
    if !verdict.accepted() && !theme.is_current() {
        page.line("  The minute has changed meanwhile, so it is asked once more.\n");
        theme = Theme::of_this_minute();
        verdict = ask(&client, &theme, args, page).await?;
    }
    if args.exit {
        page.line("");
    } else {
        // Whoever reads that Ctrl-C ends it may press it at once.
        let told = told_to_end()?;
        show_doors(daemon, page);
        if let Some(status) = until(told, daemon).await? {
            return Err(DemoError::DaemonEnded(status));
        }
        page.line("\n  The daemon is asked to end.");
    }
    if verdict.accepted() {
        Ok(())
    } else {
        Err(DemoError::Missed)
    }
}

/// Runs one task and accounts for it.
async fn ask(
    client: &Client,
    theme: &Theme,
    args: &DemoArgs,
    page: &mut Page,
) -> Result<Verdict, DemoError> {
    let before = tokens_out(client).await?;
    let prompt = theme.prompt();
    page.heading("A task");
    page.line(&format!("  {prompt}\n"));
    let submitted_at = Instant::now();
    let created = client.task_create(None, &request(prompt)).await?;
    let story = watch(client, &created.task_id, |piece| page.piece(piece)).await?;
    page.end_text();
    let after = tokens_out_beyond(client, before).await?;
    let task = client.task_get(&created.task_id).await?;
    let verdict = theme.examine(&story.text);
    show_verdict(page, theme, verdict);
    page.fact("task", &created.task_id.to_string());
    let account = Account {
        story: &story,
        task: &task,
        submitted_at,
        counter: (before, after),
        throttle: args.throttle(),
    };
    account.show(page);
    Ok(verdict)
}

/// Everything that is not said is left to the daemon.
fn request(prompt: String) -> TaskCreateRequest {
    TaskCreateRequest::new(TaskInputRequest::Prompt(PromptInput { prompt }))
}

/// Where to go from here.
fn show_doors(daemon: &Daemon, page: &mut Page) {
    let url = daemon.url();
    let orch = program("orch");
    page.heading("Now you");
    page.fact("status", &format!("{orch} --server {url} status"));
    page.fact(
        "a task",
        &format!("{orch} --server {url} run \"Write a haiku about rain.\""),
    );
    page.fact("API", &format!("{url}/v1/tasks"));
    page.fact(
        "contract",
        &format!("{url}/openapi/data.json and {url}/openapi/control.json"),
    );
    page.fact("metrics", &format!("{url}/metrics"));
    page.fact("log", &format!("{}", daemon.log_path().display()));
    let hint = page.tone(Tone::Strong, "Ctrl-C ends it.");
    page.line(&format!("\n  {hint}"));
}

/// A program beside this one, as short as it can be written here.
fn program(name: &str) -> String {
    let found = test_harness_support::find_program(name);
    let path = found.unwrap_or_else(|missing| missing.path);
    let here = std::env::current_dir().unwrap_or_default();
    shorter(&path, &here).display().to_string()
}

fn shorter(path: &Path, here: &Path) -> PathBuf {
    path.strip_prefix(here).unwrap_or(path).to_owned()
}
