//! Many readers of many streams at once: whether each gets every token, how late, and what it costs the daemon.
//!
//! The engine is a stand-in that keeps all readers waiting until the last one is there, and then sends each stream
//! at its pace. A real engine's arithmetic would take the processors that are to be measured.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api_client::types::TaskCreateRequest;
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use test_harness_support::{cpu_of, memory_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::accept::address;
use super::args::BenchError;
use super::inflow::Inflow;
use super::report::{Findings, Row};
use super::sample::Sample;
use super::setup::{Setup, Subject};
use super::stand_in::{Manner, PROMPT, StandIn, token};
use super::wire::{self, wrong};

/// Connections that are opened at once.
const OPENING: usize = 64;
/// Files that the process may have open besides two for each reader and stream.
const FILES_BESIDES: usize = 256;

/// How much is measured.
#[derive(Clone, Copy, Debug, Args)]
pub struct StreamsArgs {
    /// Streams at once.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub streams: usize,
    /// Readers of each.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub readers: usize,
    /// Tokens of each.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub tokens: usize,
    /// Tokens a second of each.
    #[arg(long, value_name = "N", default_value_t = 10.0)]
    pub rate: f64,
}

pub(super) async fn streams(args: &StreamsArgs, setup: &Setup) -> Result<Findings, BenchError> {
    allow_files(args.streams * (args.readers + 2) + FILES_BESIDES)?;
    let pace = Manner::Paced(Duration::from_secs_f64(1.0 / args.rate));
    let engine = StandIn::gated(pace, args.streams, args.streams, args.tokens).await?;
    let engine = Arc::new(engine);
    let subject = setup.start(&config(&engine)).await?;
    let alone = memory_of(subject.daemon.pid())?;
    let tasks = create(args, &subject).await?;
    let readers = open_all(args, &subject, &tasks).await?;
    let before = cpu_of(subject.daemon.pid())?;
    let began = Instant::now();
    engine.open_gate();
    let heard = hear_all(readers, &engine, subject.daemon.pid()).await?;
    let took = began.elapsed();
    let cpu = cpu_of(subject.daemon.pid())? - before;
    let results = results(&subject, &tasks).await?;
    let different = heard
        .texts
        .iter()
        .filter(|(stream, text)| results.get(*stream) != Some(text));
    let different = different.count() as f64;
    let wrong_results = results.iter().enumerate().filter(|(stream, text)| {
        let whole: String = (0..args.tokens)
            .map(|index| token(stream + 1, index))
            .collect();
        whole != **text
    });
    let wrong_results = wrong_results.count() as f64;
    let frames = heard.tokens as f64;
    let mut lag = heard.lag;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let (readers, streams) = (args.readers * args.streams, args.streams);
    Ok(Findings {
        load: format!(
            "{readers} readers of {streams} streams of {} tokens, {} tokens/s each, all readers there before the \
             first; stand-in for an engine",
            args.tokens, args.rate
        ),
        rows: vec![
            Row::new("readers whose text is not the result", different, "").exactly(0.0),
            Row::new("results that lack a token", wrong_results, "").exactly(0.0),
            Row::new("readers that came to the end", heard.texts.len() as f64, "")
                .exactly(readers as f64),
            Row::new("tokens delivered", frames / took.as_secs_f64(), "/s"),
            Row::new("engine to reader, p50", lag.ms(0.5), "ms"),
            Row::new("engine to reader, p99", lag.ms(0.99), "ms"),
            Row::new("engine to reader, p99.9", lag.ms(0.999), "ms"),
            Row::new(
                "daemon CPU",
                cpu.as_secs_f64() / took.as_secs_f64(),
                "cores",
            ),
            Row::new(
                "daemon CPU for each token of a reader",
                cpu.as_secs_f64() * 1e6 / frames,
                "us",
            ),
            Row::new("daemon before, all", megabytes(alone.resident_bytes), "MB"),
            Row::new("daemon at most, all", megabytes(heard.resident_most), "MB"),
            Row::new(
                "each reader, with its share of a stream",
                heard.resident_most.saturating_sub(alone.resident_bytes) as f64
                    / 1e3
                    / readers as f64,
                "KB",
            ),
        ],
        ..Findings::default()
    })
}

/// So many files may be open, in this process and in the daemon that it starts.
fn allow_files(files: usize) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let files = files as u64;
    if limit.current.is_none_or(|now| now >= files) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|most| most < files) {
        return Err(io::Error::other(format!(
            "{files} open files are needed, and this user may have {}; raise `ulimit -Hn`, or ask for fewer readers",
            limit.maximum.unwrap_or_default()
        )));
    }
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(files),
            ..limit
        },
    )?;
    Ok(())
}

fn config(engine: &StandIn) -> String {
    format!(
        "[[pool]]\nid = \"paced\"\nengine = \"llamacpp\"\nurls = [\"http://{}\"]\n",
        engine.address()
    )
}

/// A task for each stream, in the order of the seeds.
async fn create(args: &StreamsArgs, subject: &Subject) -> Result<Vec<Uuid>, BenchError> {
    let mut tasks = Vec::new();
    for seed in 1..=args.streams {
        let body = json!({
            "input": { "kind": "completion", "prompt": PROMPT },
            "max_tokens": args.tokens,
            "seed": seed,
        });
        let request: TaskCreateRequest =
            serde_json::from_value(body).expect("this fits the contract");
        tasks.push(subject.client.task_create(None, &request).await?.task_id);
    }
    Ok(tasks)
}

/// One reader, whose stream is open.
struct Reader {
    /// Which stream, from 0.
    stream: usize,
    socket: TcpStream,
    inflow: Inflow,
}

async fn open_all(
    args: &StreamsArgs,
    subject: &Subject,
    tasks: &[Uuid],
) -> Result<Vec<Reader>, BenchError> {
    let address = address(subject)?;
    let each = (0..args.readers).flat_map(|_| tasks.iter().enumerate());
    let opening = each.map(|(stream, task)| open(address, stream, *task));
    let readers = stream::iter(opening).buffer_unordered(OPENING);
    Ok(readers.try_collect().await?)
}

async fn open(address: SocketAddr, stream: usize, task: Uuid) -> io::Result<Reader> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let request = wire::get(&format!("/v1/tasks/{task}/stream"));
    socket.write_all(&request).await?;
    let mut inflow = Inflow::default();
    let mut received = Vec::new();
    while !inflow.is_open() {
        received.clear();
        if socket.read_buf(&mut received).await? == 0 {
            return Err(wrong("cut off"));
        }
        inflow.take(&received)?;
    }
    Ok(Reader {
        stream,
        socket,
        inflow,
    })
}

/// What all readers together heard.
#[derive(Default)]
struct Heard {
    /// The text of each reader that came to the end, with its stream.
    texts: Vec<(usize, String)>,
    tokens: usize,
    lag: Sample,
    /// Most memory that the daemon had meanwhile, in bytes.
    resident_most: u64,
}

#[derive(Deserialize)]
struct Token {
    t: String,
    i: usize,
}

/// What one reader heard.
struct Heeded {
    stream: usize,
    text: String,
    tokens: usize,
    lag: Sample,
}

async fn hear_all(
    readers: Vec<Reader>,
    engine: &Arc<StandIn>,
    daemon: u32,
) -> Result<Heard, BenchError> {
    let mut hearing = JoinSet::new();
    for reader in readers {
        hearing.spawn(hear(reader, Arc::clone(engine)));
    }
    let mut heard = Heard::default();
    let mut looks = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            _ = looks.tick() => {
                let memory = memory_of(daemon)?;
                heard.resident_most = heard.resident_most.max(memory.resident_bytes);
            }
            one = hearing.join_next() => {
                let Some(one) = one else { return Ok(heard) };
                let Heeded { stream, text, tokens, lag } = one.map_err(io::Error::other)??;
                heard.texts.push((stream, text));
                heard.tokens += tokens;
                heard.lag.append(&lag);
            }
        }
    }
}

async fn hear(mut reader: Reader, engine: Arc<StandIn>) -> io::Result<Heeded> {
    let mut heeded = Heeded {
        stream: reader.stream,
        text: String::new(),
        tokens: 0,
        lag: Sample::default(),
    };
    let mut received = Vec::with_capacity(4096);
    loop {
        let here = Instant::now();
        while let Some(event) = reader.inflow.next_event() {
            match &*event.name {
                "token" => {
                    let Token { t, i } = serde_json::from_str(&event.data)?;
                    heeded.tokens += 1;
                    heeded.text.push_str(&t);
                    if let Some(sent) = engine.sent(reader.stream + 1, i) {
                        heeded.lag.add(here - sent);
                    }
                }
                "end" => return Ok(heeded),
                "error" => return Err(wrong(&event.data)),
                _ => {}
            }
        }
        received.clear();
        if reader.socket.read_buf(&mut received).await? == 0 {
            return Err(wrong("cut off"));
        }
        reader.inflow.take(&received)?;
    }
}

/// The durable text of each task.
async fn results(subject: &Subject, tasks: &[Uuid]) -> Result<Vec<String>, BenchError> {
    let mut texts = Vec::new();
    for task in tasks {
        let result = subject.client.task_result(task).await?.into_body();
        texts.push(result.text.unwrap_or_default());
    }
    Ok(texts)
}
