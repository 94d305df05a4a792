//! The door: takes connections in, as many as there is room for, and serves what comes on them.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep};

use super::bodies::{InTime, WhileRead};
use super::socket::Socket;

/// Most bytes that one connection may have waiting in each direction; a longer head is refused.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Connections beyond the limit that are being told so at the same time; more wait to be accepted.
const TURNED_AWAY_MAX: usize = 64;
/// Longest time that a connection beyond the limit has to ask and to be told.
const TURNED_AWAY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause after connections could not be accepted, which no hurry mends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Time in which that is told once.
const ACCEPT_TOLD_EVERY: Duration = Duration::from_secs(10);

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
    pub(super) routes: Router,
    /// What is served beyond the limit.
    pub(super) refusing: Router,
    pub(super) bounds: Bounds,
}

impl Door {
    /// Serves until it is closing, and then until every connection has ended by itself.
    pub(super) async fn serve(self, mut closing: watch::Receiver<bool>) {
        let Self {
            listener,
            routes,
            refusing,
            bounds,
        } = self;
        let places = Arc::new(Semaphore::new(bounds.connections));
        let refusals = Arc::new(Semaphore::new(TURNED_AWAY_MAX));
        let guests = Guests {
            routes: routes.with_state(()),
            bounds,
            keeps: true,
            closing: closing.clone(),
        };
        let turned_away = Guests {
            routes: refusing.with_state(()),
            bounds: Bounds {
                head: TURNED_AWAY_TIMEOUT,
                body: TURNED_AWAY_TIMEOUT,
                stall: TURNED_AWAY_TIMEOUT,
                ..bounds
            },
            keeps: false,
            closing: closing.clone(),
        };
        let taking_in = async {
            let mut accept_told = None;
            loop {
                let stream = accepted(&listener, &mut accept_told).await;
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    guests.take_in(stream, place);
                } else if let Ok(place) = Arc::clone(&refusals).acquire_owned().await {
                    turned_away.take_in(stream, place);
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
        let _told = refusals.acquire_many(all(TURNED_AWAY_MAX)).await;
    }
}

/// The next connection. While there can be none, for want of descriptors or memory, it waits.
async fn accepted(listener: &TcpListener, told_at: &mut Option<Instant>) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) if is_of_the_caller(&error) => {}
            Err(error) => {
                if told_at.is_none_or(|at| at.elapsed() >= ACCEPT_TOLD_EVERY) {
                    *told_at = Some(Instant::now());
                    tracing::warn!(%error, "connections cannot be accepted at the moment, and wait");
                } else {
                    tracing::debug!(%error, "connections still wait");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// True if only this one connection is gone.
fn is_of_the_caller(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
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
    routes: Router,
    bounds: Bounds,
    /// Whether a connection may bring more than one request.
    keeps: bool,
    closing: watch::Receiver<bool>,
}

impl Guests {
    /// Serves a connection to its end, on a task of its own.
    fn take_in(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let Bounds {
            connections: _,
            head,
            body,
            stall,
        } = self.bounds;
        let socket = Socket::new(stream, stall);
        let peer = socket.peer();
        let routes = TowerToHyperService::new(self.routes.clone());
        let under_way = UnderWay::default();
        let counted = under_way.clone();
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let reply = routes.call(request.map(|it| Body::new(InTime::new(it, body))));
            let (peer, one) = (peer.clone(), counted.one());
            async move {
                let reply = reply.await?;
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
        let mut closing = self.closing.clone();
        tokio::spawn(async move {
            let _place = place;
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = told(&mut closing) => {
                    connection.as_mut().graceful_shutdown();
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
    }
}
