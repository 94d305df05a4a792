//! How many starts lie in the band that was promised for them, under steady load.
//!
//! The engine is a stand-in with an even pace; tasks differ in length and come at drawn moments, always the same ones.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep_until};

use super::args::BenchError;
use super::line::Line;
use super::report::{Findings, Row};
use super::setup::{Setup, Subject};
use super::stand_in::{Manner, PROMPT, StandIn};
use super::wire;
use crate::exposition::Exposition;
use crate::wait::until;

/// Pause between two tokens.
const PACE: Duration = Duration::from_millis(2);
/// Tokens of the shortest and the longest task.
const TOKENS: (u64, u64) = (5, 65);

/// How much is measured.
#[derive(Clone, Copy, Debug, Args)]
pub struct PredictionsArgs {
    /// Tasks.
    #[arg(long, value_name = "N", default_value_t = 1_500)]
    pub tasks: usize,
    /// Tasks that run at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub slots: usize,
    /// Percent of what the slots can do that is asked for.
    #[arg(long, value_name = "PERCENT", default_value_t = 90)]
    pub load: u32,
}

pub(super) async fn predictions(
    args: &PredictionsArgs,
    setup: &Setup,
) -> Result<Findings, BenchError> {
    let engine = StandIn::start(Manner::Paced(PACE), args.slots, args.tasks, 1).await?;
    let subject = setup.start(&config(&engine)).await?;
    send(args, &subject).await?;
    let metrics = until("every task has ended", async || {
        let text = subject.client.metrics_get().await.ok()?;
        let metrics = Exposition::parse(&text).ok()?;
        (metrics.sum("tasks_ended_total") >= args.tasks as f64).then_some(metrics)
    })
    .await?;
    let seen = |outcome| metrics.sum_where("start_predictions_total", "outcome", outcome);
    let (early, inside, late) = (seen("early"), seen("inside"), seen("late"));
    let promised = (early + inside + late).max(1.0);
    let percent = |part: f64| part * 100.0 / promised;
    Ok(Findings {
        load: format!(
            "{} tasks of {} to {} tokens, a token every {} ms, at drawn moments, {} % of what {} slots can do; \
             stand-in for an engine",
            args.tasks,
            TOKENS.0,
            TOKENS.1,
            PACE.as_millis(),
            args.load,
            args.slots
        ),
        rows: vec![
            Row::new("starts in the band promised", percent(inside), "%").at_least(70.0),
            Row::new("starts before it", percent(early), "%"),
            Row::new("starts after it", percent(late), "%"),
            Row::new("tasks that waited and were promised a band", promised, ""),
        ],
        ..Findings::default()
    })
}

fn config(engine: &StandIn) -> String {
    format!(
        "[[queue.class]]\nname = \"interactive\"\ncapacity = 1000000\nweight = 8\n[[queue.class]]\nname = \"batch\"\nfull_policy = \"drop-lru\"\n[[pool]]\nid = \"paced\"\nengine = \"llamacpp\"\nurls = [\"http://{}\"]\n",
        engine.address()
    )
}

/// Sends each task at its moment.
async fn send(args: &PredictionsArgs, subject: &Subject) -> Result<(), BenchError> {
    let mut line = Line::open(subject.daemon.url().trim_start_matches("http://"))?;
    let mut dice = Dice(1);
    let mean = PACE * u32::try_from((TOKENS.0 + TOKENS.1) / 2).unwrap_or(u32::MAX);
    let gap = mean.as_secs_f64() * 100.0 / f64::from(args.load) / args.slots as f64;
    let mut moment = Instant::now();
    for seed in 1..=args.tasks {
        moment += Duration::from_secs_f64(-gap * (1.0 - dice.unit()).ln());
        sleep_until(moment).await;
        let tokens = TOKENS.0 + (dice.unit() * (TOKENS.1 - TOKENS.0 + 1) as f64) as u64;
        let body = json!({
            "input": { "kind": "completion", "prompt": PROMPT },
            "max_tokens": tokens,
            "seed": seed,
        });
        let request = wire::post("/v1/tasks", &body.to_string());
        let (status, reply) = block_in_place(|| line.ask(&request))?;
        wire::accepted(status, &reply)?;
    }
    Ok(())
}

/// Splitmix64: the same moments in every run.
struct Dice(u64);

impl Dice {
    /// From 0 up to, not including, 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
