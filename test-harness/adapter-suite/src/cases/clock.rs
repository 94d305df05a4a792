//! Time limits. The clock stands still but where the engine is known to be silent, so a limit is met to the
//! millisecond and no case waits.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;

use super::setup::{engine, first_recording, first_token_ends, raw, token, token_ends};
use crate::dialect::{Dialect, Limits};
use crate::outcome::{Kind, next_token, within};
use crate::scripted::{Reply, Step};

const LIMITS: Limits = Limits {
    reply: Duration::from_secs(3),
    first_token: Duration::from_secs(11),
    idle: Duration::from_secs(7),
    total: Duration::from_secs(20),
};

/// How far a measured time may be off: what passes while the clock runs.
const RUNNING: Duration = Duration::from_secs(2);

/// Runs `work` on a clock that jumps to the next timer whenever nothing else happens.
async fn on_a_jumping_clock<T>(work: impl Future<Output = T>) -> (T, Duration) {
    tokio::time::pause();
    let began = Instant::now();
    let done = work.await;
    let took = began.elapsed();
    tokio::time::resume();
    (done, took)
}

fn assert_took(took: Duration, limit: Duration) {
    assert!(
        limit.saturating_sub(RUNNING) <= took && took <= limit + RUNNING,
        "took {took:?} of a limit of {limit:?}"
    );
}

/// An engine that does not take the connection is given up, and nothing was sent to it.
///
/// # Panics
/// If the adapter fails the case.
pub async fn connect_in_time(dialect: Arc<impl Dialect>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    // The one connection that may wait to be taken; whoever comes after it is not answered at all.
    let _waits = within("a connection", TcpStream::connect(address))
        .await
        .unwrap();
    let adapter = dialect.adapter(&format!("http://{address}"), LIMITS);
    let (result, took) = on_a_jumping_clock(adapter.generate(raw())).await;
    let kind = result.err().as_ref().map(Kind::from);
    assert_eq!(kind, Some(Kind::Unreachable));
    assert_took(took, LIMITS.reply);
}

/// An engine that takes the request and says nothing is given up.
///
/// # Panics
/// If the adapter fails the case.
pub async fn headers_in_time(dialect: Arc<impl Dialect>) {
    let reply = Reply::default().then(Step::Stay);
    let (server, adapter) = engine(&dialect, LIMITS, reply).await;
    let mut work = adapter.generate(raw());
    tokio::select! {
        _ = &mut work => panic!("a generation without a reply"),
        () = within("the request", server.requested()) => {}
    }
    let (result, took) = on_a_jumping_clock(work).await;
    let kind = result.err().as_ref().map(Kind::from);
    assert_eq!(kind, Some(Kind::TimedOut(LIMITS.first_token)));
    assert_took(took, LIMITS.first_token);
    within("the close", server.closed_by_client()).await;
}

/// So is one that begins its reply and then says nothing.
///
/// # Panics
/// If the adapter fails the case.
pub async fn first_token_in_time(dialect: Arc<impl Dialect>) {
    let reply = first_recording(&*dialect).reply().then(Step::Stay);
    let (server, adapter) = engine(&dialect, LIMITS, reply).await;
    let mut stream = within("the reply", adapter.generate(raw())).await.unwrap();
    let (item, took) = on_a_jumping_clock(stream.next()).await;
    let kind = item.and_then(Result::err).as_ref().map(Kind::from);
    assert_eq!(kind, Some(Kind::TimedOut(LIMITS.first_token)));
    assert_took(took, LIMITS.first_token);
    within("the close", server.closed_by_client()).await;
}

/// The limit from token to token counts from the moment at which somebody waits: a slow reader is not the
/// engine's fault, a silent engine is.
///
/// # Panics
/// If the adapter fails the case.
pub async fn next_token_in_time(dialect: Arc<impl Dialect>) {
    let recording = first_recording(&*dialect);
    let ends = token_ends(&dialect, &recording, 2).await;
    let reply = recording
        .reply()
        .chunk(&recording.body[..ends[0]])
        .then(Step::Gate)
        .chunk(&recording.body[ends[0]..ends[1]])
        .then(Step::Stay);
    let (server, adapter) = engine(&dialect, LIMITS, reply).await;
    let mut stream = within("the reply", adapter.generate(raw())).await.unwrap();
    let first = within("the first token", next_token(&mut stream)).await;
    assert_eq!(first, token(&recording, 0));
    let slow_reader = LIMITS.idle + Duration::from_secs(1);
    on_a_jumping_clock(tokio::time::sleep(slow_reader)).await;
    server.release();
    let second = within("the second token", stream.next()).await;
    assert_eq!(second, token(&recording, 1));
    let (item, took) = on_a_jumping_clock(stream.next()).await;
    let kind = item.and_then(Result::err).as_ref().map(Kind::from);
    assert_eq!(kind, Some(Kind::TimedOut(LIMITS.idle)));
    assert_took(took, LIMITS.idle);
    within("the close", server.closed_by_client()).await;
}

/// A generation that goes on and on ends at the limit for all of it.
///
/// # Panics
/// If the adapter fails the case.
pub async fn whole_in_time(dialect: Arc<impl Dialect>) {
    let recording = first_recording(&*dialect);
    let told = first_token_ends(&dialect, &recording).await;
    let reply = recording
        .reply()
        .chunk(&recording.body[..told])
        .then(Step::Stay);
    let (server, adapter) = engine(&dialect, LIMITS, reply).await;
    let mut stream = within("the reply", adapter.generate(raw())).await.unwrap();
    let first = within("the first token", next_token(&mut stream)).await;
    assert_eq!(first, token(&recording, 0));
    let nearly = LIMITS.total.saturating_sub(LIMITS.idle) + Duration::from_secs(4);
    on_a_jumping_clock(tokio::time::sleep(nearly)).await;
    let (item, took) = on_a_jumping_clock(stream.next()).await;
    let kind = item.and_then(Result::err).as_ref().map(Kind::from);
    assert_eq!(kind, Some(Kind::TimedOut(LIMITS.total)));
    assert_took(took, LIMITS.total.saturating_sub(nearly));
    within("the close", server.closed_by_client()).await;
}
