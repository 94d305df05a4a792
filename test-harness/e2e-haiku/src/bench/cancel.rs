//! How long it takes from the cancelling of a task until its engine is left alone.
//!
//! The engine is a stand-in that tells when its connection was closed. Both ends of the daemon stand in one
//! process, by one clock.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use tokio::task::block_in_place;
use uuid::Uuid;

use super::args::BenchError;
use super::disk::Probe;
use super::line::Line;
use super::report::{Findings, Row};
use super::sample::Sample;
use super::setup::Setup;
use super::stand_in::{Manner, PROMPT, StandIn};
use super::wire::{self, Accepted};
use crate::wait::until;

/// Bar for the slowest hundredth, in milliseconds.
const CLOSED_MS_MOST: f64 = 100.0;
/// Pause between two tokens of a stream.
const PACE: Duration = Duration::from_millis(20);
/// Tokens of a generation, more than any comes to say.
const TOKENS: usize = 100_000;
/// Time for which the disk is measured.
const PROBED: Duration = Duration::from_millis(700);

/// How much is measured.
#[derive(Clone, Copy, Debug, Args)]
pub struct CancelArgs {
    /// Tasks to cancel, one after the other.
    #[arg(long, value_name = "N", default_value_t = 320)]
    pub cancels: usize,
    /// Tasks that run at the same time when the first of them is cancelled.
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub running: usize,
}

/// What the cancels took.
#[derive(Default)]
struct Took {
    /// From the request to the engine's being left.
    closed: Sample,
    /// From the request to the answer, which tells of a durable cancel.
    answered: Sample,
}

pub(super) async fn cancel(args: &CancelArgs, setup: &Setup) -> Result<Findings, BenchError> {
    let engine = StandIn::start(Manner::Paced(PACE), args.running, args.cancels, 1).await?;
    let subject = setup.start(&config(&engine)).await?;
    let mut probe = Probe::default();
    probe.run(&subject.daemon.data_dir(), PROBED)?;
    let mut line = Line::open(subject.daemon.url().trim_start_matches("http://"))?;
    let mut took = Took::default();
    let seeds: Vec<usize> = (1..=args.cancels).collect();
    for round in seeds.chunks(args.running.max(1)) {
        let tasks = run(&mut line, &engine, round).await?;
        for (seed, task) in round.iter().zip(tasks) {
            cancel_one(&mut line, &engine, (*seed, task), &mut took).await?;
        }
    }
    probe.run(&subject.daemon.data_dir(), PROBED)?;
    let Took {
        mut closed,
        mut answered,
    } = took;
    Ok(Findings {
        load: format!(
            "{} tasks cancelled one after the other, {} under way at first, a token every {} ms each; stand-in for an \
             engine",
            args.cancels,
            args.running,
            PACE.as_millis()
        ),
        disk: Some(probe.disk()),
        rows: vec![
            Row::new("cancel to engine closed, p50", closed.ms(0.5), "ms"),
            Row::new("cancel to engine closed, p99", closed.ms(0.99), "ms").at_most(CLOSED_MS_MOST),
            Row::new("cancel to engine closed, the slowest", closed.ms(1.0), "ms"),
            Row::new("cancel to 200, p50", answered.ms(0.5), "ms"),
            Row::new("cancel to 200, p99", answered.ms(0.99), "ms"),
        ],
        ..Findings::default()
    })
}

fn config(engine: &StandIn) -> String {
    format!(
        "[[pool]]\nid = \"paced\"\nengine = \"llamacpp\"\nurls = [\"http://{}\"]\n",
        engine.address()
    )
}

/// Starts a task for each seed; once all of them speak, their ids.
async fn run(line: &mut Line, engine: &StandIn, seeds: &[usize]) -> Result<Vec<Uuid>, BenchError> {
    let mut tasks = Vec::new();
    for seed in seeds {
        let body = json!({
            "input": { "kind": "completion", "prompt": PROMPT },
            "max_tokens": TOKENS,
            "seed": seed,
        });
        let request = wire::post("/v1/tasks", &body.to_string());
        let (status, reply) = block_in_place(|| line.ask(&request))?;
        let Accepted { task_id } = wire::accepted(status, &reply)?;
        tasks.push(task_id);
    }
    for seed in seeds {
        until("the engine speaks", async || engine.sent(*seed, 0)).await?;
    }
    Ok(tasks)
}

async fn cancel_one(
    line: &mut Line,
    engine: &StandIn,
    (seed, task): (usize, Uuid),
    took: &mut Took,
) -> Result<(), BenchError> {
    let request = wire::post(&format!("/v1/tasks/{task}/cancel"), "");
    let began = Instant::now();
    let (status, reply) = block_in_place(|| line.ask(&request))?;
    took.answered.add(began.elapsed());
    if status != 200 {
        let said = String::from_utf8_lossy(&reply);
        let error = format!("a cancel was answered with {status}: {said}");
        return Err(io::Error::other(error).into());
    }
    let left = until("the engine is left", async || engine.left(seed)).await?;
    took.closed.add(left - began);
    Ok(())
}
