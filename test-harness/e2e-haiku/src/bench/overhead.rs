//! What the daemon adds to an engine: to the first token, and to each that follows.
//!
//! One engine, asked in turns: straight, and by a task through the daemon. The generation is the same, the
//! connections are kept open on both ways, and one thread reads both. What remains is the daemon.

use std::io;
use std::time::Duration;

use clap::Args;
use test_harness_support::cpu_of;
use tokio::task::block_in_place;

use super::args::BenchError;
use super::disk::Probe;
use super::engine::Engine;
use super::report::{Findings, Grid, Row};
use super::sample::Sample;
use super::setup::{Setup, Subject};
use super::stand_in::{Manner, StandIn};
use super::ways::{Course, Ways};

/// Bar for what is added to the first token, in milliseconds.
const FIRST_MS_MOST: f64 = 0.4;
/// Bar for what is added to each token, in microseconds.
const EACH_US_MOST: f64 = 50.0;
/// Tokens of the generations that are there for their first.
const FIRSTS_TOKENS: usize = 8;
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
    /// Short ones on each way, in turns, for the first token.
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub firsts: usize,
    /// Generations on each way with the stand-in for an engine, which tells when it sent each token.
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub timed: usize,
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
    let mut ways = Ways::open(&subject, "real", engine.address())?;
    let firsts = block_in_place(|| Firsts::measure(args, &mut ways))?;
    let each = block_in_place(|| Each::measure(args, &mut ways, &subject))?;
    let ends = block_in_place(|| both_ends(args, &subject, &timed))?;
    probe.run(&subject.daemon.data_dir(), PROBED)?;
    Ok(Findings {
        load: format!(
            "{} generations of {FIRSTS_TOKENS} tokens on each way, in turns, by haiku-tiny on one thread, then {} of {}; \
             then {} on each way by a stand-in that sends a token every {} ms",
            args.firsts,
            args.rounds,
            args.tokens,
            args.timed,
            PACE.as_millis()
        ),
        disk: Some(probe.disk()),
        rows: [firsts.rows(), each.rows(args)].concat(),
        grids: vec![real_grid(&firsts, &each), ends.grid()],
        notes: vec![
            "First token: from the request where the engine is asked straight, from the 202 where a task is handed \
             to the daemon; what comes before the 202 is the commit, and shows apart. It is the engine's by far the most, so \
             that only the difference within each pair tells what was added. Each token: from the first to \
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

/// Short generations on both ways, for the first token.
struct Firsts {
    direct: Sample,
    daemon: Sample,
    /// What is added, of each pair of generations that followed one another, in milliseconds, sorted.
    added: Vec<f64>,
    accepted: Sample,
    whole: Sample,
}

/// Long ones, for those that follow.
struct Each {
    direct: Sample,
    daemon: Sample,
    daemon_cpu: Duration,
}

/// Has so many pairs of generations shown, after some for warmth, each way first in every other pair.
fn pairs(
    ways: &mut Ways,
    (rounds, tokens): (usize, usize),
    mut show: impl FnMut(&Course, &Course),
) -> io::Result<()> {
    for round in 0..WARM_UP + rounds {
        let seed = round + 1;
        let (straight, task) = if round % 2 == 0 {
            let straight = ways.straight(seed, tokens)?;
            (straight, ways.task(seed, tokens)?)
        } else {
            let task = ways.task(seed, tokens)?;
            (ways.straight(seed, tokens)?, task)
        };
        if round >= WARM_UP {
            show(&straight, &task);
        }
    }
    Ok(())
}

impl Firsts {
    fn measure(args: &OverheadArgs, ways: &mut Ways) -> io::Result<Self> {
        let mut firsts = Self {
            direct: Sample::default(),
            daemon: Sample::default(),
            added: Vec::with_capacity(args.firsts),
            accepted: Sample::default(),
            whole: Sample::default(),
        };
        pairs(ways, (args.firsts, FIRSTS_TOKENS), |straight, task| {
            let (Some(direct), Some(daemon)) = (straight.tokens.first(), task.tokens.first())
            else {
                return;
            };
            let accepted = task.handed_over();
            let (direct, through) = (*direct - straight.began, *daemon - accepted);
            firsts.direct.add(direct);
            firsts.daemon.add(through);
            firsts
                .added
                .push((through.as_secs_f64() - direct.as_secs_f64()) * 1e3);
            firsts.accepted.add(accepted - task.began);
            firsts.whole.add(*daemon - task.began);
        })?;
        firsts.added.sort_by(f64::total_cmp);
        Ok(firsts)
    }

    fn rows(&self) -> Vec<Row> {
        let added = |share: f64| {
            let at = (share * self.added.len() as f64) as usize;
            self.added.get(at).copied().unwrap_or(0.0)
        };
        let whole = self.whole.clone().ms(0.5) - self.direct.clone().ms(0.5);
        vec![
            Row::new("added to the first token, p50 of pairs", added(0.5), "ms")
                .at_most(FIRST_MS_MOST),
            Row::new("added to the first token, p25 of pairs", added(0.25), "ms"),
            Row::new("added to the first token, p75 of pairs", added(0.75), "ms"),
            Row::new(
                "added to the first token with accept and commit, p50",
                whole,
                "ms",
            ),
            Row::new("request to 202, p50", self.accepted.clone().ms(0.5), "ms"),
        ]
    }
}

impl Each {
    fn measure(args: &OverheadArgs, ways: &mut Ways, subject: &Subject) -> io::Result<Self> {
        let cpu = || cpu_of(subject.daemon.pid());
        let mut each = Self {
            direct: Sample::default(),
            daemon: Sample::default(),
            daemon_cpu: Duration::ZERO,
        };
        let before = cpu()?;
        pairs(ways, (args.rounds, args.tokens), |straight, task| {
            each.direct.add(pace(straight));
            each.daemon.add(pace(task));
        })?;
        each.daemon_cpu = cpu()? - before;
        Ok(each)
    }

    fn rows(&self, args: &OverheadArgs) -> Vec<Row> {
        let added = self.daemon.clone().us(0.5) - self.direct.clone().us(0.5);
        let tokens = ((WARM_UP + args.rounds) * args.tokens) as f64;
        let cpu_us = self.daemon_cpu.as_secs_f64() * 1e6 / tokens;
        vec![
            Row::new("added to each token, p50", added, "us").at_most(EACH_US_MOST),
            Row::new("daemon CPU for each token", cpu_us, "us"),
        ]
    }
}

/// Time from one token to the next, by the first and the last.
fn pace(course: &Course) -> Duration {
    let (Some(first), Some(last)) = (course.tokens.first(), course.tokens.last()) else {
        return Duration::ZERO;
    };
    let steps = u32::try_from(course.tokens.len() - 1).unwrap_or(u32::MAX);
    (*last - *first) / steps.max(1)
}

/// What both ways came to with the real engine.
fn real_grid(firsts: &Firsts, each: &Each) -> Grid {
    let columns = ["first p50 ms", "first p95 ms", "each p50 us", "each p95 us"];
    let mut grid = Grid::new("haiku-tiny", &columns);
    for (name, first, pace) in [
        ("straight", &firsts.direct, &each.direct),
        ("through the daemon", &firsts.daemon, &each.daemon),
    ] {
        let (mut first, mut pace) = (first.clone(), pace.clone());
        let values = vec![first.ms(0.5), first.ms(0.95), pace.us(0.5), pace.us(0.95)];
        grid.add(name, values);
    }
    grid
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
