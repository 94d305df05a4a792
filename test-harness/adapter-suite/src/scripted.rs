//! An engine's side of the wire, played from a script: raw HTTP/1.1 over TCP, so that a test decides about
//! each byte, each pause and each way to close.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What a client asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Such as `POST`.
    pub method: String,
    /// Such as `/completion`.
    pub path: String,
    /// The whole body.
    pub body: Vec<u8>,
}

/// One thing that the server does on a connection.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send these bytes, as they are.
    Send(Vec<u8>),
    /// Send these bytes again and again, until the client closes.
    SendForEver(Vec<u8>),
    /// Wait for a [`ScriptedServer::release`].
    Gate,
    /// Stay silent until the client closes.
    Stay,
    /// Close at once with a reset, losing what the client has not read.
    Reset,
    /// Answer the next request on the same connection.
    Next,
    /// Wait for the beginning of a next request on the same connection, and close then, as an engine does whose
    /// close crosses with the request.
    CloseAtNext,
}

/// What the server does with a request; then it closes the connection.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// In this order.
    pub steps: Vec<Step>,
}

impl Reply {
    /// A whole reply with a body of known length.
    #[must_use]
    pub fn whole(status: u16, content_type: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self::default().send([head.as_bytes(), body].concat())
    }

    /// A whole JSON reply.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::whole(status, "application/json; charset=utf-8", body.as_bytes())
    }

    /// The head of a chunked reply with status 200. It advertises a connection that is kept open, as
    /// engines do that close it all the same.
    #[must_use]
    pub fn chunked(content_type: &str) -> Self {
        Self::default().send(
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5, max=100\r\n\r\n"
            )
            .into_bytes(),
        )
    }

    /// One chunk of a chunked reply.
    #[must_use]
    pub fn chunk(self, bytes: &[u8]) -> Self {
        self.send([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
    }

    /// The end of a chunked reply.
    #[must_use]
    pub fn end(self) -> Self {
        self.send(b"0\r\n\r\n".to_vec())
    }

    /// These bytes, as they are.
    #[must_use]
    pub fn send(self, bytes: Vec<u8>) -> Self {
        self.then(Step::Send(bytes))
    }

    /// One more step.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// A server on a free loopback port that follows a script. It stops when dropped.
#[derive(Debug)]
pub struct ScriptedServer {
    url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// Each counts events that a test may wait for; a permit is one event.
#[derive(Debug)]
struct Shared {
    gate: Semaphore,
    requested: Semaphore,
    closed_by_client: Semaphore,
    connections: AtomicUsize,
    answered: AtomicUsize,
    cut_off: AtomicUsize,
}

impl ScriptedServer {
    /// Starts a server that answers each request as `answer` says.
    ///
    /// # Panics
    /// If it cannot listen on loopback.
    pub async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            gate: Semaphore::new(0),
            requested: Semaphore::new(0),
            closed_by_client: Semaphore::new(0),
            connections: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            cut_off: AtomicUsize::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::new(answer), Arc::clone(&shared)));
        Self {
            url,
            shared,
            _tasks: tasks,
        }
    }

    /// Where it listens, such as `http://127.0.0.1:40001`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Lets one [`Step::Gate`] pass.
    pub fn release(&self) {
        self.shared.gate.add_permits(1);
    }

    /// Connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Requests that were answered, or are being.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Requests that met a [`Step::CloseAtNext`].
    #[must_use]
    pub fn cut_off(&self) -> usize {
        self.shared.cut_off.load(Ordering::Relaxed)
    }

    /// Waits for one more request to have come in whole.
    ///
    /// # Panics
    /// Never: the count is not closed.
    pub async fn requested(&self) {
        self.shared.requested.acquire().await.unwrap().forget();
    }

    /// Waits for one more connection that the client closed before the script had ended.
    ///
    /// # Panics
    /// Never: the count is not closed.
    pub async fn closed_by_client(&self) {
        self.shared
            .closed_by_client
            .acquire()
            .await
            .unwrap()
            .forget();
    }
}

type Answer = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

async fn accept(listener: TcpListener, answer: Answer, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        shared.connections.fetch_add(1, Ordering::Relaxed);
        connections.spawn(serve(stream, Arc::clone(&answer), Arc::clone(&shared)));
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, shared: Arc<Shared>) {
    stream.set_nodelay(true).unwrap();
    while let Some(request) = read_request(&mut stream).await {
        shared.requested.add_permits(1);
        shared.answered.fetch_add(1, Ordering::Relaxed);
        if !play(&mut stream, answer(&request), &shared).await {
            return;
        }
    }
}

/// Plays one reply. True if the connection is to go on with the next request.
async fn play(stream: &mut TcpStream, reply: Reply, shared: &Shared) -> bool {
    for step in reply.steps {
        let goes_on = match step {
            Step::Send(bytes) => stream.write_all(&bytes).await.is_ok(),
            Step::SendForEver(bytes) => {
                while stream.write_all(&bytes).await.is_ok() {}
                false
            }
            Step::Gate => tokio::select! {
                permit = shared.gate.acquire() => {
                    permit.unwrap().forget();
                    true
                }
                () = closed(stream) => false,
            },
            Step::Stay => {
                closed(stream).await;
                false
            }
            Step::Reset => {
                stream.set_zero_linger().unwrap();
                return false;
            }
            Step::Next => return true,
            Step::CloseAtNext => {
                if stream.peek(&mut [0]).await.is_ok_and(|bytes| bytes > 0) {
                    shared.cut_off.fetch_add(1, Ordering::Relaxed);
                }
                return false;
            }
        };
        if !goes_on {
            shared.closed_by_client.add_permits(1);
            return false;
        }
    }
    false
}

/// Waits for the client to close.
async fn closed(stream: &mut TcpStream) {
    let mut buffer = [0; 64];
    while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

/// Reads a whole request, or nothing if the client closes before its end.
async fn read_request(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = parse_request(&bytes) {
            return Some(request);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn parse_request(bytes: &[u8]) -> Option<Request> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).unwrap();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let body = bytes[head_end..].get(..length)?;
    Some(Request {
        method: method.to_owned(),
        path: path.to_owned(),
        body: body.to_vec(),
    })
}
