//! How many durable tasks a second the daemon accepts over HTTP, and what an accepted task waits for until it is
//! dispatched.
//!
//! Who asks shares the machine with the daemon. No engine is ready, so that accepting is all there is to do.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use test_harness_support::cpu_of;
use tokio::task::block_in_place;
use tokio::time::{sleep, sleep_until};

use super::accept_case::{Case, ID_OPEN, body, placed, plain, request};
use super::args::BenchError;
use super::closed_loop::{self, Asking, Connection, Tally};
use super::disk::{Disk, Probe};
use super::floor;
use super::processor::Processor;
use super::report::{Findings, Grid, Row};
use super::sample::Sample;
use super::setup::{Setup, Subject};
use super::stand_in::{Manner, StandIn};
use crate::exposition::Exposition;
use crate::wait::until;

/// Bar for the slowest hundredth: so many times that of the disk, and so many milliseconds more.
const SLOWEST: (f64, f64) = (3.0, 5.0);
/// Bar for an idle daemon: from the request to the dispatch, besides the commit, in milliseconds.
const DISPATCH_MS_MOST: f64 = 2.0;
/// Connections of the case in which each task has an id of the caller's own.
const KEYED_CONNECTIONS: usize = 64;
/// Time that is not counted, for caches to fill and connections to open.
const WARM_UP: Duration = Duration::from_secs(1);
/// Time for which the disk is measured before each case.
const PROBED: Duration = Duration::from_millis(700);
/// Time for which the bare server is asked from each processor.
const FLOOR_MEASURED: Duration = Duration::from_secs(2);
/// Most tasks that wait; no case comes near.
const CAPACITY: u32 = 10_000_000;

/// How much is measured.
#[derive(Clone, Debug, Args)]
pub struct AcceptArgs {
    /// Connections at once, a case each.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_values_t = [1, 8, 64, 256])]
    pub connections: Vec<usize>,
    /// Seconds that count in each case.
    #[arg(long, value_name = "S", default_value_t = 6.0)]
    pub seconds: f64,
    /// Tasks handed one by one to an idle daemon.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub idle: usize,
}

pub(super) async fn accept(args: &AcceptArgs, setup: &Setup) -> Result<Findings, BenchError> {
    let mut probe = Probe::default();
    let processors = Processor::to_try()?;
    let connections = args.connections.iter();
    let mut cases: Vec<Case> = connections
        .flat_map(|connections| placed(*connections, &processors))
        .collect();
    cases.push(Case {
        keyed: true,
        ..plain(KEYED_CONNECTIONS)
    });
    cases.push(Case {
        tasks: Case::BATCH,
        ..plain(KEYED_CONNECTIONS)
    });
    let mut measured = Vec::new();
    for case in cases {
        let figures = measure(case, args, setup, &mut probe).await?;
        measured.push((case, figures));
    }
    let mut dispatched = idle(args, setup, &mut probe, &processors).await?;
    let disk = probe.disk();
    let mut rows: Vec<Row> = best_placed(&measured).into_iter().collect();
    for (case, figures) in &measured {
        rows.extend(judged(*case, figures, &disk));
    }
    rows.extend(dispatched.rows(&disk));
    Ok(Findings {
        load: format!(
            "POST /v1/tasks of {} bytes, closed loop, keep-alive, {} s a case after {} s; no engine ready, \
             queue of {CAPACITY}",
            request(&body(false)).len(),
            args.seconds,
            WARM_UP.as_secs()
        ),
        disk: Some(disk),
        grids: vec![grid(measured)],
        rows,
        notes: vec![
            "Only replies 202 count, and 200 for batches, of which every task is accepted. CPU is of all threads, \
             user and system, for each accepted task. PostgreSQL belongs to capabilities that are not there yet."
                .to_owned(),
            "Who asks on one connection is kept on one processor after the other, the daemon on none; the bar is for the \
             best of them."
                .to_owned(),
        ],
    })
}

/// What one case came to.
struct Figures {
    rate: f64,
    /// Rate of the second in which most came: what the machine gives while nobody else has it.
    fastest: f64,
    tally: Tally,
    commits_per_second: f64,
    tasks_per_commit: f64,
    daemon_cpu_us: f64,
    client_cpu_us: f64,
    p50_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
}

async fn measure(
    case: Case,
    args: &AcceptArgs,
    setup: &Setup,
    probe: &mut Probe,
) -> Result<Figures, BenchError> {
    let engine = StandIn::start(Manner::Loading, 1, 0, 0).await?;
    let subject = setup.listening(&config(&engine)).await?;
    probe.run(&subject.daemon.data_dir(), PROBED)?;
    let body = case.request();
    let window = Duration::from_secs_f64(args.seconds);
    let from = Instant::now() + WARM_UP;
    let asking = Asking {
        address: address(&subject)?,
        connections: case.connections,
        id_at: find(&body, ID_OPEN),
        request: body,
        status: if case.tasks > 1 { 200 } else { 202 },
        kept_on: case.kept_on,
        from,
        until: from + window,
    };
    let load = closed_loop::start(asking);
    sleep_until(from.into()).await;
    let before = Look::at(&subject).await?;
    sleep_until((from + window).into()).await;
    let after = Look::at(&subject).await?;
    let mut tally = load
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let seconds = (after.at - before.at).as_secs_f64();
    let tasks = (after.tasks - before.tasks).max(1.0);
    let commits = (after.commits - before.commits).max(1.0);
    let us_each = |from: Duration, to: Duration| (to - from).as_secs_f64() * 1e6 / tasks;
    let fastest_second = tally.fastest_second();
    let answered = &mut tally.answered;
    Ok(Figures {
        rate: (answered.count() * case.tasks) as f64 / window.as_secs_f64(),
        fastest: (fastest_second * case.tasks) as f64,
        commits_per_second: commits / seconds,
        tasks_per_commit: tasks / commits,
        daemon_cpu_us: us_each(before.daemon_cpu, after.daemon_cpu),
        client_cpu_us: us_each(before.client_cpu, after.client_cpu),
        p50_ms: answered.ms(0.5),
        p99_ms: answered.ms(0.99),
        p999_ms: answered.ms(0.999),
        tally,
    })
}

/// The daemon at one moment under load.
struct Look {
    at: Instant,
    commits: f64,
    tasks: f64,
    daemon_cpu: Duration,
    client_cpu: Duration,
}

impl Look {
    async fn at(subject: &Subject) -> Result<Self, BenchError> {
        let scrape = subject.client.metrics_get().await?;
        let metrics = Exposition::parse(&scrape)?;
        Ok(Self {
            at: Instant::now(),
            commits: metrics.sum("store_commits_total"),
            tasks: metrics.sum("tasks_enqueued_total"),
            daemon_cpu: cpu_of(subject.daemon.pid())?,
            client_cpu: cpu_of(std::process::id())?,
        })
    }
}

fn grid(measured: Vec<(Case, Figures)>) -> Grid {
    let columns = [
        "tasks/s",
        "fastest second",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "commits/s",
        "tasks/commit",
        "daemon CPU us",
        "client CPU us",
        "not 202",
    ];
    let mut grid = Grid::new("connections", &columns);
    for (case, figures) in measured {
        let Figures {
            rate,
            fastest,
            tally,
            commits_per_second,
            tasks_per_commit,
            daemon_cpu_us,
            client_cpu_us,
            p50_ms,
            p99_ms,
            p999_ms,
        } = figures;
        let values = vec![
            rate.round(),
            fastest,
            p50_ms,
            p99_ms,
            p999_ms,
            commits_per_second.round(),
            tasks_per_commit,
            daemon_cpu_us,
            client_cpu_us,
            tally.others as f64,
        ];
        grid.add(&case.name(), values);
    }
    grid
}

/// The best of the cases in which who asks was kept on a processor.
fn best_placed(measured: &[(Case, Figures)]) -> Option<Row> {
    let placed = measured.iter().filter(|(case, _)| case.kept_on.is_some());
    let (case, figures) = placed.max_by(|(_, one), (_, other)| one.rate.total_cmp(&other.rate))?;
    let row = Row::new(
        "accepted, 1 connection, the best processor for the client",
        figures.rate,
        "/s",
    );
    Some(match case.rate_least() {
        Some(least) => row.at_least(least),
        None => row,
    })
}

fn judged(case: Case, figures: &Figures, disk: &Disk) -> Vec<Row> {
    let name = case.name();
    let rate = Row::new(
        &format!("accepted, connections: {name}"),
        figures.rate,
        "/s",
    );
    let (times, more_ms) = SLOWEST;
    let slowest_most = times * disk.sync_p99_us / 1e3 + more_ms;
    let slowest = Row::new(
        &format!("accept p99, connections: {name}"),
        figures.p99_ms,
        "ms",
    );
    vec![
        match case.rate_least() {
            Some(least) if case.kept_on.is_none() => rate.at_least(least),
            _ => rate,
        },
        slowest.at_most(slowest_most),
    ]
}

/// An idle daemon that was handed tasks one by one.
struct Dispatched {
    tasks: usize,
    commits: f64,
    to_reply: Sample,
    to_engine: Sample,
    /// What a bare server answers in a second on one connection, asked from each processor, see [`floor`].
    floor_rates: Vec<(Processor, f64)>,
}

/// Hands tasks one by one to a daemon whose engine takes them and says nothing, so that no later commit is
/// mistaken for theirs.
async fn idle(
    args: &AcceptArgs,
    setup: &Setup,
    probe: &mut Probe,
    processors: &[Processor],
) -> Result<Dispatched, BenchError> {
    let engine = StandIn::start(Manner::Silent, args.idle, args.idle, 0).await?;
    let subject = setup.start(&config(&engine)).await?;
    probe.run(&subject.daemon.data_dir(), PROBED)?;
    let mut connection = Connection::open(address(&subject)?).await?;
    let before = Look::at(&subject).await?;
    let (mut to_reply, mut to_engine) = (Sample::default(), Sample::default());
    for seed in 1..=args.idle {
        let mut body = body(false);
        body["seed"] = json!(seed);
        let request = request(&body);
        let began = Instant::now();
        let status = connection.ask(&request).await?;
        to_reply.add(began.elapsed());
        if status != 202 {
            return Err(io::Error::other(format!("a task was answered with {status}")).into());
        }
        let asked = until("the engine is asked", async || engine.asked(seed)).await?;
        to_engine.add(asked - began);
        // What a single user does: the next task comes to a daemon that has come to rest.
        sleep(Duration::from_millis(5)).await;
    }
    let after = Look::at(&subject).await?;
    let asked = request(&body(false));
    let mut floor_rates = Vec::new();
    for from in processors {
        let dir = subject.daemon.data_dir();
        let rate = block_in_place(|| floor::rate(&dir, &asked, FLOOR_MEASURED, *from))?;
        floor_rates.push((*from, rate));
    }
    Ok(Dispatched {
        floor_rates,
        tasks: args.idle,
        commits: after.commits - before.commits,
        to_reply,
        to_engine,
    })
}

impl Dispatched {
    fn rows(&mut self, disk: &Disk) -> Vec<Row> {
        let most = disk.sync_p95_us / 1e3 + DISPATCH_MS_MOST;
        let floors = self.floor_rates.iter().map(|(from, rate)| {
            let name = format!(
                "a bare server with one hand-over and one sync, 1 connection, client on CPU {}",
                from.0
            );
            Row::new(&name, *rate, "/s")
        });
        let idle = [
            Row::new(
                "idle accept to dispatch, commits for each task",
                self.commits / self.tasks as f64,
                "",
            )
            .exactly(1.0),
            Row::new(
                "idle accept, request to 202, p50",
                self.to_reply.ms(0.5),
                "ms",
            ),
            Row::new(
                "idle accept, request to engine asked, p50",
                self.to_engine.ms(0.5),
                "ms",
            ),
            Row::new(
                "idle accept, request to engine asked, p95",
                self.to_engine.ms(0.95),
                "ms",
            )
            .at_most(most),
        ];
        floors.chain(idle).collect()
    }
}

fn config(engine: &StandIn) -> String {
    format!(
        "[[queue.class]]\nname = \"batch\"\ncapacity = {CAPACITY}\nfull_policy = \"reject\"\n\
         [[pool]]\nid = \"paused\"\nengine = \"llamacpp\"\nurls = [\"http://{}\"]\n",
        engine.address()
    )
}

fn find(request: &[u8], text: &str) -> Option<usize> {
    request
        .windows(text.len())
        .position(|window| window == text.as_bytes())
}

/// Where the daemon listens.
pub(super) fn address(subject: &Subject) -> io::Result<SocketAddr> {
    let url = subject.daemon.url();
    let address = url.trim_start_matches("http://").parse();
    address.map_err(|error| io::Error::other(format!("{url}: {error}")))
}
