//! What the daemon adds to an engine: to the first token, and to each that follows.
//!
//! One engine, asked in turns: straight, and by a task through the daemon. The generation is the same, the
//! connections are kept open on both ways, and one thread reads both. What remains is the daemon.

use std::io;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use test_harness_support::cpu_of;
use tokio::task::block_in_place;

use super::args::BenchError;
use super::disk::Probe;
use super::engine::Engine;
use super::line::Line;
use super::report::{Findings, Grid, Row};
use super::sample::Sample;
use super::setup::{Setup, Subject};
use super::stand_in::{Manner, PROMPT, StandIn};
use super::wire::{self, Accepted};

/// Bar for what is added to the first token, in milliseconds.
const FIRST_MS_MOST: f64 = 0.4;
/// Bar for what is added to each token, in microseconds.
const EACH_US_MOST: f64 = 50.0;
/// Generations on each way that are not counted.
const WARM_UP: usize = 3;
/// Pause between two tokens of the stand-in.
const PACE: Duration = Duration::from_millis(2);
/// Time for which the disk is measured.
const PROBED: Duration = Duration::from_millis(700);

/// How much is measured.
#[derive(Clone, Copy, Debug, Args)]
pub struct OverheadArgs {
    /// Tokens of each generation.
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub tokens: usize,
    /// Generations on each way, in turns.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub rounds: usize,
    /// Generations on each way with the stand-in for an engine, which tells when it sent each token.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub timed: usize,
}

/// What one generation told.
#[derive(Clone, Debug)]
struct Course {
    /// When the request was sent.
    began: Instant,
    /// When the task was accepted, if it was one.
    accepted: Option<Instant>,
    /// When each token was here.
    tokens: Vec<Instant>,
}

pub(super) async fn overhead(args: &OverheadArgs, setup: &Setup) -> Result<Findings, BenchError> {
    let engine = Engine::start(&setup.engine())?;
    let timed = StandIn::start(
        Manner::Paced(PACE),
        1,
        2 * (args.timed + WARM_UP),
        args.tokens,
    )
    .await?;
    let subject = setup.start(&config(&engine, &timed)).await?;
    let mut probe = Probe::default();
    probe.run(&subject.daemon.data_dir(), PROBED)?;
    let real = block_in_place(|| real(args, &subject, &engine))?;
    let ends = block_in_place(|| both_ends(args, &subject, &timed))?;
    probe.run(&subject.daemon.data_dir(), PROBED)?;
    Ok(Findings {
        load: format!(
            "{} generations of {} tokens on each way, in turns, by haiku-tiny on one thread; then {} on each way by \
             a stand-in that sends a token every {} ms",
            args.rounds,
            args.tokens,
            args.timed,
            PACE.as_millis()
        ),
        disk: Some(probe.disk()),
        rows: real.rows(args),
        grids: vec![real.grid(), ends.grid()],
        notes: vec![
            "First token: from the request where the engine is asked straight, from the 202 where a task is handed \
             to the daemon; what comes before the 202 is the commit, and shows apart. Each token: from the first to \
             the last, by their number."
                .to_owned(),
        ],
    })
}

fn config(engine: &Engine, timed: &StandIn) -> String {
    format!(
        "[[pool]]\nid = \"real\"\nengine = \"llamacpp\"\nmodel_ref = \"real\"\nurls = [\"{}\"]\n\
         [[pool]]\nid = \"timed\"\nengine = \"llamacpp\"\nmodel_ref = \"timed\"\nurls = [\"http://{}\"]\n",
        engine.url(),
        timed.address()
    )
}

/// The two ways with the real engine.
struct Real {
    direct: Way,
    daemon: Way,
    accepted: Sample,
    whole: Sample,
    daemon_cpu: Duration,
}

#[derive(Default)]
struct Way {
    first: Sample,
    each: Sample,
}

impl Way {
    fn add(&mut self, from: Instant, course: &Course) {
        let (Some(first), Some(last)) = (course.tokens.first(), course.tokens.last()) else {
            return;
        };
        self.first.add(*first - from);
        let steps = u32::try_from(course.tokens.len() - 1).unwrap_or(u32::MAX);
        self.each.add((*last - *first) / steps.max(1));
    }
}

fn real(args: &OverheadArgs, subject: &Subject, engine: &Engine) -> Result<Real, BenchError> {
    let mut ways = Ways::open(subject, "real", engine.address())?;
    let mut real = Real {
        direct: Way::default(),
        daemon: Way::default(),
        accepted: Sample::default(),
        whole: Sample::default(),
        daemon_cpu: Duration::ZERO,
    };
    let mut cpu = cpu_of(subject.daemon.pid())?;
    for round in 0..WARM_UP + args.rounds {
        let (mut straight, mut task) = (None, None);
        // Whatever follows the other one now precedes it the next time.
        for turn in [round % 2, 1 - round % 2] {
            match turn {
                0 => straight = Some(ways.straight(round + 1, args.tokens)?),
                _ => task = Some(ways.task(round + 1, args.tokens)?),
            }
        }
        if round + 1 == WARM_UP {
            cpu = cpu_of(subject.daemon.pid())?;
        }
        if round < WARM_UP {
            continue;
        }
        if let (Some(straight), Some(task)) = (straight, task) {
            real.direct.add(straight.began, &straight);
            let accepted = task.accepted.unwrap_or(task.began);
            real.daemon.add(accepted, &task);
            real.accepted.add(accepted - task.began);
            let first = task.tokens.first().copied().unwrap_or(accepted);
            real.whole.add(first - task.began);
        }
    }
    real.daemon_cpu = cpu_of(subject.daemon.pid())? - cpu;
    Ok(real)
}

impl Real {
    fn rows(&self, args: &OverheadArgs) -> Vec<Row> {
        let (mut direct, mut daemon) = (self.direct.first.clone(), self.daemon.first.clone());
        let first = daemon.ms(0.5) - direct.ms(0.5);
        let whole = self.whole.clone().ms(0.5) - direct.ms(0.5);
        let (mut direct, mut daemon) = (self.direct.each.clone(), self.daemon.each.clone());
        let each = daemon.us(0.5) - direct.us(0.5);
        let tokens = (args.rounds * args.tokens) as f64;
        vec![
            Row::new("added to the first token, p50", first, "ms").at_most(FIRST_MS_MOST),
            Row::new("added to each token, p50", each, "us").at_most(EACH_US_MOST),
            Row::new(
                "added to the first token with accept and commit, p50",
                whole,
                "ms",
            ),
            Row::new("request to 202, p50", self.accepted.clone().ms(0.5), "ms"),
            Row::new(
                "daemon CPU for each token",
                self.daemon_cpu.as_secs_f64() * 1e6 / tokens,
                "us",
            ),
        ]
    }

    fn grid(&self) -> Grid {
        let columns = ["first p50 ms", "first p95 ms", "each p50 us", "each p95 us"];
        let mut grid = Grid::new("haiku-tiny", &columns);
        for (name, way) in [
            ("straight", &self.direct),
            ("through the daemon", &self.daemon),
        ] {
            let (mut first, mut each) = (way.first.clone(), way.each.clone());
            let values = vec![first.ms(0.5), first.ms(0.95), each.us(0.5), each.us(0.95)];
            grid.add(name, values);
        }
        grid
    }
}

/// The two ways with a stand-in, seen from both of their ends.
#[derive(Default)]
struct Ends {
    straight: Passage,
    task: Passage,
}

/// What passes between the two ends of a way.
#[derive(Default)]
struct Passage {
    /// From the request to the engine's being asked.
    asked: Sample,
    /// From the engine's sending the first token to its arrival.
    first: Sample,
    /// From the engine's sending each further token to its arrival.
    token: Sample,
}

fn both_ends(args: &OverheadArgs, subject: &Subject, engine: &StandIn) -> Result<Ends, BenchError> {
    let mut ways = Ways::open(subject, "timed", &engine.address().to_string())?;
    let mut ends = Ends::default();
    for round in 0..WARM_UP + args.timed {
        let seeds = [2 * round + 1, 2 * round + 2];
        let courses = [
            ways.straight(seeds[0], args.tokens)?,
            ways.task(seeds[1], args.tokens)?,
        ];
        if round >= WARM_UP {
            ends.straight.add(engine, seeds[0], &courses[0]);
            ends.task.add(engine, seeds[1], &courses[1]);
        }
    }
    Ok(ends)
}

impl Passage {
    fn add(&mut self, engine: &StandIn, seed: usize, course: &Course) {
        if let Some(asked) = engine.asked(seed) {
            self.asked.add(asked - course.began);
        }
        for (index, here) in course.tokens.iter().enumerate() {
            let sample = match index {
                0 => &mut self.first,
                _ => &mut self.token,
            };
            if let Some(sent) = engine.sent(seed, index) {
                sample.add(*here - sent);
            }
        }
    }
}

impl Ends {
    fn grid(mut self) -> Grid {
        let columns = [
            "request to engine p50 us",
            "first token engine to reader p50 us",
            "token engine to reader p50 us",
            "p95 us",
            "p99 us",
        ];
        let mut grid = Grid::new("stand-in", &columns);
        for (name, passage) in [
            ("straight", &mut self.straight),
            ("through the daemon, with its commit", &mut self.task),
        ] {
            let values = vec![
                passage.asked.us(0.5),
                passage.first.us(0.5),
                passage.token.us(0.5),
                passage.token.us(0.95),
                passage.token.us(0.99),
            ];
            grid.add(name, values);
        }
        grid
    }
}

/// The two ways to one engine.
struct Ways {
    model: &'static str,
    engine: Line,
    daemon: Line,
}

#[derive(Deserialize)]
struct EngineFrame {
    stop: bool,
}

impl Ways {
    fn open(subject: &Subject, model: &'static str, engine: &str) -> io::Result<Self> {
        let daemon = subject.daemon.url().trim_start_matches("http://");
        Ok(Self {
            model,
            engine: Line::open(engine)?,
            daemon: Line::open(daemon)?,
        })
    }

    /// Asks the engine itself, as the daemon does.
    fn straight(&mut self, seed: usize, tokens: usize) -> io::Result<Course> {
        let mut body = sampling(seed);
        body["prompt"] = json!(PROMPT);
        body["n_predict"] = json!(tokens);
        body["stream"] = json!(true);
        body["repeat_last_n"] = json!(64);
        body["cache_prompt"] = json!(true);
        let request = wire::post("/completion", &body.to_string());
        let mut here = Vec::with_capacity(tokens);
        let began = Instant::now();
        self.engine.listen(&request, |event, at| {
            let frame: EngineFrame = serde_json::from_str(&event.data)?;
            if !frame.stop {
                here.push(at);
            }
            Ok(())
        })?;
        whole(
            tokens,
            Course {
                began,
                accepted: None,
                tokens: here,
            },
        )
    }

    /// Hands the same generation to the daemon and reads its stream.
    fn task(&mut self, seed: usize, tokens: usize) -> io::Result<Course> {
        let mut body = sampling(seed);
        body["input"] = json!({ "kind": "completion", "prompt": PROMPT });
        body["model_ref"] = json!(self.model);
        body["max_tokens"] = json!(tokens);
        let request = wire::post("/v1/tasks", &body.to_string());
        let mut here = Vec::with_capacity(tokens);
        let began = Instant::now();
        let (status, reply) = self.daemon.ask(&request)?;
        let accepted = Instant::now();
        let Accepted { task_id } = wire::accepted(status, &reply)?;
        let stream = wire::get(&format!("/v1/tasks/{task_id}/stream"));
        self.daemon.listen(&stream, |event, at| {
            if event.name == "token" {
                here.push(at);
            }
            Ok(())
        })?;
        whole(
            tokens,
            Course {
                began,
                accepted: Some(accepted),
                tokens: here,
            },
        )
    }
}

/// What both ways are told of the sampling.
fn sampling(seed: usize) -> Value {
    json!({
        "ignore_eos": true,
        "seed": seed,
        "temperature": 0.8,
        "top_k": 40,
        "top_p": 0.95,
        "min_p": 0.05,
        "repeat_penalty": 1.0,
    })
}

fn whole(tokens: usize, course: Course) -> io::Result<Course> {
    match course.tokens.len() {
        all if all == tokens => Ok(course),
        some => Err(io::Error::other(format!(
            "{some} tokens came instead of {tokens}"
        ))),
    }
}
