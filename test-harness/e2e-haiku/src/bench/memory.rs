//! Memory: of an idle daemon, of one that has worked, and for each task that waits.
//!
//! What waits is measured twice: from an empty queue, and on from a long one, so that caches which any load fills
//! once can be told from the price of a task.

use std::time::Duration;

use api_client::Client;
use api_client::types::TaskCreateRequest;
use clap::Args;
use futures_util::{StreamExt, stream};
use serde_json::json;
use test_harness_support::{Memory, memory_of};
use tokio::time::sleep;

use super::args::BenchError;
use super::report::{Findings, Row};
use super::setup::{Setup, Subject};
use crate::exposition::Exposition;
use crate::wait::until;
use crate::watch::watch;

/// Bar for an idle daemon, in megabytes.
const IDLE_MB_MOST: f64 = 60.0;
/// Bar for a queued task, in bytes.
const QUEUED_BYTES_MOST: f64 = 1_024.0;
/// Pause after which a daemon counts as idle.
const SETTLE: Duration = Duration::from_secs(2);
/// Requests under way at once.
const CONNECTIONS: usize = 32;
/// A prompt of ordinary length.
const PROMPT: &str = "Write a haiku about the rain on an old pond, and let the last line be quiet.";

/// How much is measured.
#[derive(Clone, Copy, Debug, Args)]
pub struct MemoryArgs {
    /// Tasks to run before the second look.
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub tasks: usize,
    /// Tasks that wait in the queue at the third look; at the last it is three times as many.
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    pub queued: usize,
}

pub(super) async fn memory(args: &MemoryArgs, setup: &Setup) -> Result<Findings, BenchError> {
    let mut rows = worked(args, setup).await?;
    rows.extend(waiting(args, setup).await?);
    let MemoryArgs { tasks, queued } = args;
    Ok(Findings {
        load: format!(
            "{tasks} tasks one by one on a daemon and an engine; {} tasks into the queue of another",
            3 * queued
        ),
        rows,
        ..Findings::default()
    })
}

/// Idle, and after some tasks.
async fn worked(args: &MemoryArgs, setup: &Setup) -> Result<Vec<Row>, BenchError> {
    let subject = setup.start("").await?;
    let mut rows = look(&subject, "idle, just started").await?;
    for _ in 0..args.tasks {
        let created = subject.client.task_create(None, &task(None)).await?;
        watch(&subject.client, &created.task_id, |_| {}).await?;
    }
    rows.extend(look(&subject, &format!("idle, after {} tasks", args.tasks)).await?);
    Ok(rows)
}

/// With a long queue: what the first tasks take, with the store's cache that they fill, and what one more takes
/// once that is full.
async fn waiting(args: &MemoryArgs, setup: &Setup) -> Result<Vec<Row>, BenchError> {
    let queued = args.queued;
    // Slow enough that nothing leaves the queue meanwhile but the one task that runs.
    let config = format!(
        "[[queue.class]]\nname = \"batch\"\ncapacity = {}\nfull_policy = \"reject\"\n\
         [[pool]]\nid = \"slow\"\nmax_tokens_per_second = 1.0\n",
        3 * queued + 1
    );
    let subject = setup.start(&config).await?;
    fill(&subject.client, 1).await?;
    let none = settled(&subject).await?;
    fill(&subject.client, queued).await?;
    let first = settled(&subject).await?;
    fill(&subject.client, queued).await?;
    let before = settled(&subject).await?;
    fill(&subject.client, queued).await?;
    let after = settled(&subject).await?;
    let each = |from: Memory, to: Memory| {
        let grown = to.anonymous_bytes.saturating_sub(from.anonymous_bytes);
        grown as f64 / queued as f64
    };
    Ok(vec![
        Row::new(
            &format!("daemon, {queued} queued, all"),
            megabytes(first.resident_bytes),
            "MB",
        ),
        Row::new(
            &format!("each of the first {queued} queued, with caches"),
            each(none, first),
            "bytes",
        ),
        Row::new(
            &format!("each of {queued} more, beyond {}", 2 * queued),
            each(before, after),
            "bytes",
        )
        .at_most(QUEUED_BYTES_MOST),
    ])
}

/// Submits tasks until so many more wait.
async fn fill(client: &Client, tasks: usize) -> Result<(), BenchError> {
    let before = waiting_now(client).await?;
    let request = task(Some("batch"));
    let mut outcomes = stream::iter(0..tasks)
        .map(|_| client.task_create(None, &request))
        .buffer_unordered(CONNECTIONS);
    while let Some(outcome) = outcomes.next().await {
        outcome?;
    }
    // One of them may run instead of waiting.
    let least = before + tasks as f64 - 1.0;
    until("all tasks wait in the queue", async || {
        let waiting = waiting_now(client).await.ok()?;
        (waiting >= least).then_some(())
    })
    .await?;
    Ok(())
}

async fn waiting_now(client: &Client) -> Result<f64, BenchError> {
    let scrape = client.metrics_get().await?;
    Ok(Exposition::parse(&scrape)?.sum("queue_depth"))
}

/// The daemon's memory when nothing has happened for a while.
async fn settled(subject: &Subject) -> Result<Memory, BenchError> {
    sleep(SETTLE).await;
    Ok(memory_of(subject.daemon.pid())?)
}

async fn look(subject: &Subject, when: &str) -> Result<Vec<Row>, BenchError> {
    let daemon = settled(subject).await?;
    let mut rows = vec![
        Row::new(
            &format!("daemon {when}, all"),
            megabytes(daemon.resident_bytes),
            "MB",
        )
        .at_most(IDLE_MB_MOST),
        Row::new(
            &format!("daemon {when}, own data"),
            megabytes(daemon.anonymous_bytes),
            "MB",
        ),
    ];
    for pid in subject.daemon.engine_pids() {
        let engine = memory_of(pid)?;
        rows.push(Row::new(
            &format!("engine {when}, all"),
            megabytes(engine.resident_bytes),
            "MB",
        ));
    }
    Ok(rows)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn task(priority: Option<&str>) -> TaskCreateRequest {
    let mut body = json!({ "input": { "kind": "prompt", "prompt": PROMPT } });
    // One that is to hold the slot for the whole time must not end by itself.
    body["ignore_eos"] = json!(priority.is_some());
    if let Some(priority) = priority {
        body["priority"] = json!(priority);
    }
    serde_json::from_value(body).expect("this fits the contract")
}
