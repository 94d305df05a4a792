//! Clients of event streams that others made, unmodified, across a crash of the daemon. The tests are skipped where
//! the clients are missing: `cargo xtask engines clients` brings them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use api_client::support::RawEvent;
use serde_json::{Value, json};
use test_harness_support::real_parts;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::durability::lasting;
use crate::raw::{data, tokens_of};
use crate::world::{World, exactly, throttle};

/// A text takes ten seconds before the kill, which is longer than a client needs to start on a loaded machine, and
/// none to speak of after it.
const TOKENS: u32 = 300;
const SLOW_TOKENS_PER_SECOND: f64 = 30.0;
const FAST_TOKENS_PER_SECOND: f64 = 1_000.0;
const SEED: u32 = 815;
/// The daemon is killed after the token at this index.
const KILLED_AT: u64 = 17;

/// Longest time for a client to say something; EventSource waits for seconds before it comes back.
const SILENCE_MAX: std::time::Duration = std::time::Duration::from_secs(60);

/// A client that reads one stream and tells each event as a line.
struct Reader {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Reader {
    fn start(mut program: Command) -> Self {
        let mut child = program
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            lines,
            _child: child,
        }
    }

    /// The next event; none when the client has ended.
    async fn next(&mut self) -> Option<RawEvent> {
        let line = timeout(SILENCE_MAX, self.lines.next_line()).await;
        let line = line.expect("the client says nothing any more").unwrap()?;
        let said: Value = serde_json::from_str(&line).unwrap();
        let text = |field: &str| said[field].as_str().unwrap().to_owned();
        Some(RawEvent {
            name: text("name"),
            // Clients tell the last id with every event; the ones that have none come before the first.
            id: Some(text("id")).filter(|id| !id.is_empty()),
            data: text("data"),
        })
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/clients")
        .join(name)
}

/// Has a client read a stream, kills the daemon in the middle and starts it again at the same address. Gives what
/// the client has seen in all; it must be what a stream without interruption tells.
async fn across_a_restart(client: impl FnOnce(&str) -> Command) -> Vec<RawEvent> {
    let mut world = World::throttled(SLOW_TOKENS_PER_SECOND).await;
    let task = world.create(exactly(TOKENS, SEED)).await.task_id;
    let address = world.daemon.url().to_owned();
    let mut reader = Reader::start(client(&format!("{address}/v1/tasks/{task}/stream")));
    let mut story: Vec<RawEvent> = Vec::new();
    while story
        .last()
        .is_none_or(|event| event.name != "token" || data(event)["i"] != KILLED_AT)
    {
        story.push(
            reader
                .next()
                .await
                .expect("the client ended before the kill"),
        );
    }
    world.daemon.kill();
    let same_port = address.strip_prefix("http://").unwrap();
    let fast = throttle(FAST_TOKENS_PER_SECOND).listen(same_port);
    world.restart_with(fast).await;
    while story.last().is_none_or(|event| event.name != "closed") {
        match reader.next().await {
            Some(event) => story.push(event),
            None => break,
        }
    }
    assert_eq!(
        world.task(&task).await.attempts,
        2,
        "the kill came too late"
    );

    let told: Vec<RawEvent> = story
        .iter()
        .filter(|event| event.name != "closed")
        .cloned()
        .collect();
    let whole = world.create(exactly(TOKENS, SEED)).await.task_id;
    let whole = lasting(&world.raw.story(&whole).await);
    assert_eq!(lasting(&told), whole);
    assert_eq!(tokens_of(&told).len(), TOKENS as usize);
    story
}

/// The client ends by itself when it has read the end.
async fn python(name: &str) {
    let Some(python) = real_parts::python_clients() else {
        return;
    };
    let story = across_a_restart(|url| {
        let mut program = Command::new(python);
        program.arg(script(name)).arg(url);
        program
    })
    .await;
    assert_eq!(story.last().unwrap().name, "end");
}

#[tokio::test]
async fn real_client_httpx_sse_reads_across_a_crash() {
    python("httpx_sse_reader.py").await;
}

#[tokio::test]
async fn real_client_sseclient_py_reads_across_a_crash() {
    python("sseclient_reader.py").await;
}

#[tokio::test]
async fn real_client_eventsource_reads_across_a_crash_and_learns_that_there_is_no_more() {
    let Some(modules) = real_parts::node_clients() else {
        return;
    };
    let story = across_a_restart(|url| {
        let mut program = Command::new("node");
        program
            .env("NODE_PATH", modules)
            .arg(script("eventsource_reader.cjs"))
            .arg(url);
        program
    })
    .await;
    // After the end it asked once more, as EventSource does, and 204 told it to stop.
    let closed = story.last().unwrap();
    assert_eq!(
        (&*closed.name, data(closed)),
        ("closed", json!({ "status": 204 }))
    );
}
