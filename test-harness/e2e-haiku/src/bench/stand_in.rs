//! A stand-in for an engine: it speaks llama.cpp's dialect, computes nothing, and writes down when it did what.
//!
//! With it the daemon can be measured alone, and to the microsecond: both ends of the daemon then stand in one
//! process, by one clock. Each generation is known by its seed, from 1 up to the number it was started for.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant as Moment, Interval, MissedTickBehavior, interval_at};

/// The prompt of the generations that are known by their seeds; any other is answered at once.
pub(super) const PROMPT: &str = "Write a haiku about the rain on an old pond at the edge of the village, let the second line hold the sound of \
     a frog, and let the last line be quiet.";
/// Tokens that every prompt is said to have.
const PROMPT_TOKENS: usize = 16;
/// Context that it says to have.
const CTX: u32 = 1 << 20;

/// What it does with what it is asked.
#[derive(Clone, Copy, Debug)]
pub(super) enum Manner {
    /// It loads its model, for ever: whoever waits for it waits.
    Loading,
    /// It takes generations, and never says a token, until whoever asked leaves.
    Silent,
    /// One token after the other with such a pause, the first at once.
    Paced(Duration),
}

/// A running stand-in. It stops when dropped.
pub(super) struct StandIn {
    address: SocketAddr,
    log: Arc<Log>,
    _tasks: JoinSet<()>,
}

/// When what happened, in nanoseconds since `zero`; 0 is not yet.
struct Log {
    zero: Instant,
    manner: Manner,
    slots: usize,
    generations: Vec<Generation>,
    /// True once tokens may be sent.
    gate: watch::Sender<bool>,
}

struct Generation {
    asked: AtomicU64,
    /// When whoever asked was seen to have left before the end.
    left: AtomicU64,
    tokens: Vec<AtomicU64>,
}

impl StandIn {
    /// Starts one with so many slots, for generations of so many tokens.
    pub(super) async fn start(
        manner: Manner,
        slots: usize,
        generations: usize,
        tokens: usize,
    ) -> io::Result<Self> {
        let stand_in = Self::gated(manner, slots, generations, tokens).await?;
        stand_in.open_gate();
        Ok(stand_in)
    }

    /// As [`Self::start`], but no token is sent before [`Self::open_gate`]; from then on the generations begin one
    /// after the other within one pause, so that they do not speak in chorus.
    pub(super) async fn gated(
        manner: Manner,
        slots: usize,
        generations: usize,
        tokens: usize,
    ) -> io::Result<Self> {
        let generation = || Generation {
            asked: AtomicU64::new(0),
            left: AtomicU64::new(0),
            tokens: (0..tokens).map(|_| AtomicU64::new(0)).collect(),
        };
        let log = Arc::new(Log {
            zero: Instant::now(),
            manner,
            slots,
            generations: (0..generations).map(|_| generation()).collect(),
            gate: watch::Sender::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&log)));
        Ok(Self {
            address,
            log,
            _tasks: tasks,
        })
    }

    /// Lets tokens be sent.
    pub(super) fn open_gate(&self) {
        self.log.gate.send_replace(true);
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// When a generation was asked for.
    pub(super) fn asked(&self, seed: usize) -> Option<Instant> {
        self.log.at(&self.log.generation(seed)?.asked)
    }

    /// When whoever asked for a generation left before its end.
    pub(super) fn left(&self, seed: usize) -> Option<Instant> {
        self.log.at(&self.log.generation(seed)?.left)
    }

    /// When a token was sent, just before it was.
    pub(super) fn sent(&self, seed: usize, index: usize) -> Option<Instant> {
        self.log.at(self.log.generation(seed)?.tokens.get(index)?)
    }
}

impl Log {
    fn generation(&self, seed: usize) -> Option<&Generation> {
        self.generations.get(seed.checked_sub(1)?)
    }

    fn at(&self, moment: &AtomicU64) -> Option<Instant> {
        match moment.load(Ordering::Acquire) {
            0 => None,
            ns => Some(self.zero + Duration::from_nanos(ns)),
        }
    }

    /// Waits for the gate. When a generation begins: at once if it was open before.
    async fn begin(&self, seed: usize, period: Duration) -> Moment {
        let mut gate = self.gate.subscribe();
        if *gate.borrow_and_update() {
            return Moment::now();
        }
        // The sender lives in here, so there is always somebody who can open it.
        let _open = gate.wait_for(|open| *open).await;
        let share = seed as f64 / self.generations.len().max(1) as f64;
        Moment::now() + period.mul_f64(share)
    }

    fn note(&self, moment: &AtomicU64) {
        let ns = u64::try_from(self.zero.elapsed().as_nanos()).unwrap_or(u64::MAX);
        moment.store(ns, Ordering::Release);
    }
}

/// The text of a token. No two tokens of a text are alike, so that one that is lost or doubled shows.
pub(super) fn token(seed: usize, index: usize) -> String {
    format!(" {seed}.{index}")
}

async fn accept(listener: TcpListener, log: Arc<Log>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let log = Arc::clone(&log);
        connections.spawn(async move {
            // A client that leaves has what it wanted.
            let _left = serve(stream, &log).await;
        });
    }
}

async fn serve(mut stream: TcpStream, log: &Log) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::new();
    loop {
        while request_bytes(&received).is_none() {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
        }
        let rest = request_bytes(&received).unwrap_or_default();
        let request: Vec<u8> = received.drain(..rest).collect();
        answer(&mut stream, log, &request).await?;
    }
}

/// Bytes of the first request, once it is there in whole.
fn request_bytes(received: &[u8]) -> Option<usize> {
    let head = received.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&received[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        value.trim().parse::<usize>().ok().filter(|_| is_length)
    });
    let whole = head + length.unwrap_or(0);
    (received.len() >= whole).then_some(whole)
}

async fn answer(stream: &mut TcpStream, log: &Log, request: &[u8]) -> io::Result<()> {
    let loading = matches!(log.manner, Manner::Loading);
    if request.starts_with(b"POST /completion ") {
        return generate(stream, log, request).await;
    }
    let (status, body) = if loading {
        let error = json!({ "code": 503, "message": "Loading model", "type": "unavailable_error" });
        ("503 Loading", json!({ "error": error }))
    } else if request.starts_with(b"GET /props") {
        let props = json!({
            "default_generation_settings": { "n_ctx": CTX },
            "total_slots": log.slots,
            "build_info": "stand-in",
            "model_digest": format!("sha256:{}", "0".repeat(64)),
        });
        ("200 OK", props)
    } else {
        ("200 OK", json!({ "status": "ok" }))
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await
}

#[derive(Deserialize)]
struct Asked {
    prompt: String,
    seed: usize,
    n_predict: usize,
}

async fn generate(stream: &mut TcpStream, log: &Log, request: &[u8]) -> io::Result<()> {
    let body = request.iter().position(|byte| *byte == b'{');
    let body = request
        .get(body.unwrap_or(request.len())..)
        .unwrap_or_default();
    let asked: Asked = serde_json::from_slice(body)?;
    if asked.prompt != PROMPT {
        // Whoever watches over engines tries them out before any work comes.
        let at_once = Duration::from_nanos(1);
        let pace = interval_at(Moment::now(), at_once);
        return speak(&mut stream.split().1, &asked, pace, |_| ()).await;
    }
    let Some(generation) = log.generation(asked.seed) else {
        let unknown = format!("nobody said that there is a seed {}", asked.seed);
        return Err(io::Error::other(unknown));
    };
    log.note(&generation.asked);
    let (mut from, mut to) = stream.split();
    let spoken = async {
        let Manner::Paced(period) = log.manner else {
            return std::future::pending().await;
        };
        let mut pace = interval_at(log.begin(asked.seed, period).await, period);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let sent = |index: usize| {
            if let Some(moment) = generation.tokens.get(index) {
                log.note(moment);
            }
        };
        speak(&mut to, &asked, pace, sent).await
    };
    tokio::select! {
        biased;
        () = left(&mut from) => {
            log.note(&generation.left);
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        spoken = spoken => spoken,
    }
}

/// Resolves when the other end is closed. It sends nothing before its generation has ended.
async fn left(from: &mut ReadHalf<'_>) {
    if from.peek(&mut [0; 1]).await.is_ok_and(|bytes| bytes > 0) {
        std::future::pending::<()>().await;
    }
}

/// Sends the tokens and the end; says of each token when it is about to be sent.
async fn speak(
    stream: &mut WriteHalf<'_>,
    asked: &Asked,
    mut pace: Interval,
    sent: impl Fn(usize),
) -> io::Result<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    for index in 0..asked.n_predict {
        pace.tick().await;
        let frame = chunk(&json!({
            "content": token(asked.seed, index),
            "stop": false,
            "tokens_predicted": index + 1,
            "tokens_evaluated": PROMPT_TOKENS,
        }));
        sent(index);
        stream.write_all(&frame).await?;
    }
    let mut end = chunk(&json!({
        "content": "",
        "stop": true,
        "stop_type": "limit",
        "tokens_predicted": asked.n_predict,
        "tokens_evaluated": PROMPT_TOKENS,
    }));
    end.extend_from_slice(b"0\r\n\r\n");
    stream.write_all(&end).await
}

fn chunk(frame: &serde_json::Value) -> Vec<u8> {
    let event = format!("data: {frame}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_once_it_is_whole() {
        let request = b"POST /completion HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET";
        let whole = request.len() - 3;
        for cut in 0..whole {
            assert_eq!(request_bytes(&request[..cut]), None, "{cut}");
        }
        assert_eq!(request_bytes(request), Some(whole));
        assert_eq!(request_bytes(b"GET / HTTP/1.1\r\n\r\n"), Some(18));
    }
}
