//! Connections that each ask again as soon as they have their answer.

use std::io;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime;

use super::line::Line;
use super::processor::Processor;
use super::sample::Sample;
use super::wire::{Head, wrong};

/// What to send on each connection, again and again.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) address: SocketAddr,
    pub(super) connections: usize,
    /// The whole request.
    pub(super) request: Vec<u8>,
    /// Where in it a fresh id stands, if each is to have one.
    pub(super) id_at: Option<usize>,
    /// Status of the answer that counts.
    pub(super) status: u16,
    /// Where the asking thread is kept, if it is.
    pub(super) kept_on: Option<Processor>,
    /// Only what is answered from here on counts.
    pub(super) from: Instant,
    /// When to stop.
    pub(super) until: Instant,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Times to the answers that count.
    pub(super) answered: Sample,
    /// How many of them came in each second.
    seconds: Vec<usize>,
    /// Answers with another status.
    pub(super) others: usize,
}

/// Starts asking, on one thread of its own. A single connection has it to itself, and no runtime between.
pub(super) fn start(asking: Asking) -> JoinHandle<io::Result<Tally>> {
    thread::spawn(move || {
        if let Some(processor) = asking.kept_on {
            processor.keep()?;
        }
        if asking.connections == 1 {
            return ask_alone(&asking);
        }
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let connections = (0..asking.connections).map(|_| ask_on(&asking));
        let mut all = Tally::default();
        for tally in runtime.block_on(try_join_all(connections))? {
            all.append(&tally);
        }
        Ok(all)
    })
}

async fn ask_on(asking: &Asking) -> io::Result<Tally> {
    let mut connection = Connection::open(asking.address).await?;
    let mut request = asking.request.clone();
    let mut tally = Tally::default();
    loop {
        asking.put_fresh_id(&mut request);
        let asked = Instant::now();
        let status = connection.ask(&request).await?;
        if !asking.count(&mut tally, asked, status) {
            return Ok(tally);
        }
    }
}

fn ask_alone(asking: &Asking) -> io::Result<Tally> {
    let mut line = Line::open(&asking.address.to_string())?;
    let mut request = asking.request.clone();
    let mut tally = Tally::default();
    loop {
        asking.put_fresh_id(&mut request);
        let asked = Instant::now();
        let (status, _reply) = line.ask(&request)?;
        if !asking.count(&mut tally, asked, status) {
            return Ok(tally);
        }
    }
}

impl Asking {
    fn put_fresh_id(&self, request: &mut [u8]) {
        if let Some(at) = self.id_at {
            let id = uuid::Uuid::now_v7();
            id.hyphenated().encode_lower(&mut request[at..]);
        }
    }

    /// Counts an answer that is here now. False once it is time to stop.
    fn count(&self, tally: &mut Tally, asked: Instant, status: u16) -> bool {
        let now = Instant::now();
        if now >= self.until {
            return false;
        }
        if status != self.status {
            tally.others += 1;
        } else if now >= self.from {
            tally.answered.add(now - asked);
            tally.add_to_second((now - self.from).as_secs() as usize, 1);
        }
        true
    }
}

impl Tally {
    /// The answers of the second in which most came.
    pub(super) fn fastest_second(&self) -> usize {
        self.seconds.iter().copied().max().unwrap_or_default()
    }

    fn append(&mut self, other: &Self) {
        self.answered.append(&other.answered);
        for (second, answers) in other.seconds.iter().enumerate() {
            self.add_to_second(second, *answers);
        }
        self.others += other.others;
    }

    fn add_to_second(&mut self, second: usize, answers: usize) {
        let known = self.seconds.len().max(second + 1);
        self.seconds.resize(known, 0);
        self.seconds[second] += answers;
    }
}

/// One connection, kept open, for replies of known length.
pub(super) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(4096),
        })
    }

    /// Sends a request and takes its whole answer; the status.
    pub(super) async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.received.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(wrong("cut off"));
            }
            let Some(head) = Head::read(&self.received)? else {
                continue;
            };
            let body = head.body_bytes.ok_or_else(|| wrong("of unknown length"))?;
            if self.received.len() >= head.bytes + body {
                return Ok(head.status);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_second_is_that_of_all_connections_together() {
        let tally = |seconds: &[usize]| Tally {
            seconds: seconds.to_vec(),
            ..Tally::default()
        };
        let mut all = Tally::default();
        assert_eq!(all.fastest_second(), 0);
        all.append(&tally(&[5, 1]));
        all.append(&tally(&[0, 2, 4]));
        assert_eq!(
            (all.seconds.as_slice(), all.fastest_second()),
            (&[5, 3, 4][..], 5)
        );
    }
}
