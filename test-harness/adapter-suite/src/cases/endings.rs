//! Every way in which a generation can end, but the good one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use worker_adapter::{AdapterError, GenerationEvent};

use super::setup::{engine, first_recording, first_token_ends, outcome, raw, token};
use crate::dialect::{Dialect, Limits, Recording};
use crate::outcome::{Kind, collect, next_token, within};
use crate::scripted::{Reply, Step};

/// Each reply that brings no text means one error, and comes before any token.
///
/// # Panics
/// If the adapter fails the case.
pub async fn refusals_mean_what_they_say(dialect: Arc<impl Dialect>) {
    for refusal in dialect.refusals() {
        let (events, result) = outcome(&dialect, refusal.reply).await;
        let kind = result.as_ref().err().map(Kind::from);
        assert_eq!(kind, Some(refusal.means), "{}: {result:?}", refusal.name);
        assert_eq!(events, [], "{}", refusal.name);
    }
}

/// A stream that ends before its last frame is a failure, wherever it is cut, and however politely.
///
/// # Panics
/// If the adapter fails the case.
pub async fn a_missing_end_is_a_reset(dialect: Arc<impl Dialect>) {
    let recordings = dialect.recordings();
    let shortest = recordings
        .iter()
        .min_by_key(|recording| recording.body.len());
    let recording = shortest.unwrap();
    for length in 0..recording.body.len() {
        let body = &recording.body[..length];
        let politely = chunked(recording, body).end();
        let (events, result) = outcome(&dialect, politely).await;
        assert_cut(recording, length, &events, &result);
    }
    let in_the_middle = recording.body.len() / 2;
    let abruptly = chunked(recording, &recording.body[..in_the_middle]);
    let (events, result) = outcome(&dialect, abruptly).await;
    assert_cut(recording, in_the_middle, &events, &result);
}

/// A connection that is reset is a failure: in the middle of a stream, and before the reply.
///
/// # Panics
/// If the adapter fails the case.
pub async fn a_reset_connection_is_a_reset(dialect: Arc<impl Dialect>) {
    let recording = first_recording(&*dialect);
    let half = recording.body.len() / 2;
    let reply = chunked(&recording, &recording.body[..half]).then(Step::Reset);
    let (events, result) = outcome(&dialect, reply).await;
    assert_cut(&recording, half, &events, &result);
    for before_the_reply in [Reply::default(), Reply::default().then(Step::Reset)] {
        let (events, result) = outcome(&dialect, before_the_reply).await;
        assert_cut(&recording, 0, &events, &result);
    }
}

fn chunked(recording: &Recording, body: &[u8]) -> Reply {
    let head = recording.reply();
    if body.is_empty() {
        head
    } else {
        head.chunk(body)
    }
}

fn assert_cut(
    recording: &Recording,
    length: usize,
    events: &[GenerationEvent],
    result: &Result<(), AdapterError>,
) {
    let name = recording.name;
    assert_eq!(
        result.as_ref().err().map(Kind::from),
        Some(Kind::Reset),
        "{name}, cut at {length}: {result:?}"
    );
    let before_the_end = &recording.events[..recording.events.len() - 1];
    assert!(
        before_the_end.starts_with(events),
        "{name}, cut at {length}: {events:?}"
    );
}

/// Whoever drops the stream has cancelled: the engine sees the connection close, and no timer stands between.
///
/// # Panics
/// If the adapter fails the case.
pub async fn dropping_the_stream_closes(dialect: Arc<impl Dialect>) {
    let recording = first_recording(&*dialect);
    let first = first_token_ends(&dialect, &recording).await;
    let reply = chunked(&recording, &recording.body[..first]).then(Step::Stay);
    let (server, adapter) = engine(&dialect, Limits::AMPLE, reply).await;
    let mut stream = within("the reply", adapter.generate(raw())).await.unwrap();
    let told = within("the first token", next_token(&mut stream)).await;
    assert_eq!(told, token(&recording, 0));
    // On a clock that jumps to the next timer whenever nothing else is to be done: if the close waited for
    // one, the clock would show it. So nothing here may wait with a limit of its own.
    tokio::time::pause();
    let began = Instant::now();
    drop(stream);
    server.closed_by_client().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
    tokio::time::resume();
}

/// Every generation has a connection of its own, even if the engine keeps the last one open, unless it has promised to:
/// an engine that closes it all the same would lose the next request.
///
/// # Panics
/// If the adapter fails the case.
pub async fn connections_are_not_used_again(dialect: Arc<impl Dialect>) {
    let recording = first_recording(&*dialect);
    let reply = chunked(&recording, &recording.body).end().then(Step::Stay);
    let (_server, adapter) = engine(&dialect, Limits::AMPLE, reply).await;
    for _ in 0..3 {
        let (events, result) = within("a generation", async {
            collect(adapter.generate(raw()).await.unwrap()).await
        })
        .await;
        assert_eq!((events, result), (recording.events.clone(), Ok(())));
    }
}

/// A generation that is dropped before the engine has answered closes its connection.
///
/// # Panics
/// If the adapter fails the case.
pub async fn dropping_before_the_reply_closes(dialect: Arc<impl Dialect>) {
    let reply = Reply::default().then(Step::Stay);
    let (server, adapter) = engine(&dialect, Limits::AMPLE, reply).await;
    within("the engine to see the close", async {
        tokio::select! {
            _ = adapter.generate(raw()) => panic!("a generation without a reply"),
            () = server.requested() => {}
        }
        server.closed_by_client().await;
    })
    .await;
}
