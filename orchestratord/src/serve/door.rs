//! The door: takes connections in, as many as there is room for, and serves what comes on them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::bodies::{InTime, WhileRead};
use super::repoll::Repoll;
use super::socket::Socket;
use crate::http::{Correlated, Peer};
use crate::telemetry::Meter;

/// Most bytes that one connection may have waiting in each direction; a longer head is refused.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Connections beyond the limit that are being told so at the same time. One more takes the place of the oldest.
pub(super) const TURNED_AWAY_MAX: usize = 64;
/// Longest time that a connection beyond the limit has to ask and to be told.
const TURNED_AWAY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause after connections could not be accepted, which no hurry mends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Time in which a trouble of this kind is told once.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Time for a connection without a request to end by itself when the daemon does.
const LAST_BYTES: Duration = Duration::from_millis(250);

/// What a connection may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Connections at once.
    pub(super) connections: usize,
    /// Time for the head of the next request.
    pub(super) head: Duration,
    /// Time for a body.
    pub(super) body: Duration,
    /// Time for which a reader may take nothing.
    pub(super) stall: Duration,
}

/// Takes connections in and serves them.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    /// What is served.
    pub(super) routes: Correlated,
    /// What is served beyond the limit.
    pub(super) refusing: Correlated,
    pub(super) bounds: Bounds,
    pub(super) meter: Meter,
}

impl Door {
    /// Serves until it is closing, and then until every connection has ended by itself.
    pub(super) async fn serve(self, mut closing: watch::Receiver<bool>) {
        let Self {
            listener,
            routes,
            refusing,
            bounds,
            meter,
        } = self;
        let places = Arc::new(Semaphore::new(bounds.connections));
        let guests = Guests {
            routes,
            bounds,
            keeps: true,
            closing: closing.clone(),
        };
        let mut turned_away = TurnedAway::new(refusing, bounds, &meter, closing.clone());
        let taking_in = async {
            let mut accept_told = Told::default();
            loop {
                let stream = accepted(&listener, &mut accept_told).await;
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    guests.take_in(stream, (place, meter.connection_opened()));
                } else {
                    turned_away.tell(stream).await;
                }
            }
        };
        tokio::select! {
            never = taking_in => match never {},
            () = told(&mut closing) => {}
        }
        drop(listener);
        let all = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        // Each place comes back with its connection; neither is ever closed, so both waits end well.
        let _ended = places.acquire_many(all(bounds.connections)).await;
        let _told = turned_away.places.acquire_many(all(TURNED_AWAY_MAX)).await;
    }
}

/// Those for whom there is no connection left.
struct TurnedAway {
    guests: Guests,
    places: Arc<Semaphore>,
    /// Those that are being told, the oldest first.
    here: VecDeque<AbortHandle>,
    told: Told,
    untold: u64,
    meter: Meter,
}

impl TurnedAway {
    fn new(
        refusing: Correlated,
        bounds: Bounds,
        meter: &Meter,
        closing: watch::Receiver<bool>,
    ) -> Self {
        meter.connections_refused(0);
        let guests = Guests {
            routes: refusing,
            bounds: Bounds {
                head: TURNED_AWAY_TIMEOUT,
                body: TURNED_AWAY_TIMEOUT,
                stall: TURNED_AWAY_TIMEOUT,
                ..bounds
            },
            keeps: false,
            closing,
        };
        Self {
            guests,
            places: Arc::new(Semaphore::new(TURNED_AWAY_MAX)),
            here: VecDeque::new(),
            told: Told::default(),
            untold: 0,
            meter: meter.clone(),
        }
    }

    /// Tells one more. If too many are being told, the oldest of them, which has asked for nothing or is slow, is
    /// dropped: whoever holds these places in silence keeps nobody else from an answer.
    async fn tell(&mut self, stream: TcpStream) {
        self.meter.connections_refused(1);
        self.untold += 1;
        if self.told.is_due() {
            tracing::warn!(
                connections_max = self.guests.bounds.connections,
                turned_away = self.untold,
                "as many connections are open as there may be; more are turned away"
            );
            self.untold = 0;
        }
        self.here.retain(|one| !one.is_finished());
        if self.here.len() >= TURNED_AWAY_MAX
            && let Some(oldest) = self.here.pop_front()
        {
            oldest.abort();
        }
        // There is a place, or there is one as soon as the runtime has dropped the oldest.
        if let Ok(place) = Arc::clone(&self.places).acquire_owned().await {
            self.here.push_back(self.guests.take_in(stream, place));
        }
    }
}

/// Something that is told once in a while.
#[derive(Default)]
struct Told(Option<Instant>);

impl Told {
    /// True if it was not told for a while. It counts as told then.
    fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|at| at.elapsed() >= TOLD_EVERY);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

/// The next connection. While there can be none, for want of descriptors or memory, it waits.
async fn accepted(listener: &TcpListener, told: &mut Told) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_a_lack(&error) => {
                if told.is_due() {
                    tracing::warn!(%error, "connections cannot be accepted at the moment, and wait");
                } else {
                    tracing::debug!(%error, "connections still wait");
                }
                sleep(ACCEPT_PAUSE).await;
            }
            // Only this one connection is gone, by its caller or on its way.
            Err(error) => tracing::debug!(%error, "a connection was gone before it was accepted"),
        }
    }
}

/// True if the system lacks what a connection needs, so that the next one would fare no better.
fn is_a_lack(error: &io::Error) -> bool {
    let lacks = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    error
        .raw_os_error()
        .is_some_and(|code| lacks.iter().any(|lack| lack.raw_os_error() == code))
}

/// Resolves when the daemon is told to end.
async fn told(closing: &mut watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// The requests of one connection that have not been answered whole.
#[derive(Clone, Default)]
struct UnderWay(Arc<AtomicUsize>);

/// One of them, as long as it lives.
pub(super) struct Request(Arc<AtomicUsize>);

impl UnderWay {
    fn one(&self) -> Request {
        self.0.fetch_add(1, Ordering::Relaxed);
        Request(Arc::clone(&self.0))
    }

    /// Resolves once there is none, with time for the last bytes of the last to go out. Whoever is still
    /// sending a head then has asked nothing.
    async fn nothing(&self) {
        loop {
            sleep(LAST_BYTES).await;
            if self.0.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How connections of one kind are served.
struct Guests {
    routes: Correlated,
    bounds: Bounds,
    /// Whether a connection may bring more than one request.
    keeps: bool,
    closing: watch::Receiver<bool>,
}

impl Guests {
    /// Serves a connection to its end, on a task of its own, which holds its place.
    fn take_in(&self, stream: TcpStream, place: impl Send + 'static) -> AbortHandle {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let Bounds {
            connections: _,
            head,
            body,
            stall,
        } = self.bounds;
        let from = stream.peer_addr().ok();
        let socket = Socket::new(stream, stall);
        let peer = socket.peer();
        let address = from.map(|from| Peer(from.ip()));
        let routes = self.routes.clone();
        let under_way = UnderWay::default();
        let counted = under_way.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            if let Some(address) = address {
                request.extensions_mut().insert(address);
            }
            let reply = routes.answer(request.map(|it| Body::new(InTime::new(it, body))));
            let (peer, one) = (peer.clone(), counted.one());
            async move {
                let reply = reply.await;
                Ok::<_, Infallible>(reply.map(|body| WhileRead::new(body, &peer, one)))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(head)
            .half_close(true)
            .keep_alive(self.keeps)
            .max_buf_size(BUFFER_BYTES_MAX)
            .serve_connection(TokioIo::new(socket), service);
        // In a box of its own: a future that takes another in and pins it has room for both.
        let mut connection = Repoll::new(Box::pin(connection));
        let mut closing = self.closing.clone();
        let serving = tokio::spawn(async move {
            let _place = place;
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = told(&mut closing) => {
                    connection.get_mut().as_mut().graceful_shutdown();
                    tokio::select! {
                        ended = connection => ended,
                        () = under_way.nothing() => Ok(()),
                    }
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke off");
            }
        });
        serving.abort_handle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lack_of_the_system_is_a_reason_to_pause() {
        let of = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        for lack in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert!(is_a_lack(&of(lack)), "{lack}");
        }
        for other in [
            Errno::CONNABORTED,
            Errno::PROTO,
            Errno::PERM,
            Errno::HOSTUNREACH,
        ] {
            assert!(!is_a_lack(&of(other)), "{other}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_is_told_once_in_a_while() {
        let mut told = Told::default();
        assert!(told.is_due() && !told.is_due());
        tokio::time::advance(TOLD_EVERY).await;
        assert!(told.is_due() && !told.is_due());
    }
}
