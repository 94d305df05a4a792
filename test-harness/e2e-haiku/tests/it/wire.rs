//! One connection, byte by byte: for what no HTTP client would do.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

/// Longest time that anything on a connection is waited for; less than a daemon waits unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(25);

/// One connection to a daemon.
pub(crate) struct Wire {
    stream: TcpStream,
    host: String,
    /// Read and not looked at yet.
    ahead: Vec<u8>,
}

/// One whole reply.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's value, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (given, value) = line.split_once(": ")?;
            given.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Wire {
    pub(crate) async fn connect(url: &str) -> Self {
        Self::try_connect(url, None).await.unwrap()
    }

    /// A connection whose own end takes in only a little before somebody reads it.
    pub(crate) async fn narrow(url: &str) -> Self {
        Self::try_connect(url, Some(4 << 10)).await.unwrap()
    }

    async fn try_connect(url: &str, receive_bytes: Option<u32>) -> io::Result<Self> {
        let host = url.strip_prefix("http://").unwrap().to_owned();
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        Ok(Self {
            stream: socket.connect(host.parse().unwrap()).await?,
            host,
            ahead: Vec::new(),
        })
    }

    /// The head of a request without a body, whole.
    pub(crate) fn get(&self, path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.host)
    }

    /// A request with a JSON body, whole.
    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        let (host, bytes) = (&self.host, body.len());
        format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n{body}"
        )
    }

    /// Sends bytes. The daemon may have closed the connection meanwhile, which shows when it is read.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Sends nothing any more, and goes on reading.
    pub(crate) async fn half_close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Asks and reads the reply.
    pub(crate) async fn ask(&mut self, request: &str) -> Reply {
        self.send(request).await.unwrap();
        self.reply().await.expect("there is a reply")
    }

    /// Sends a piece every now and then until the daemon answers or closes. Gives its reply, if there is one,
    /// and the time that it took.
    pub(crate) async fn drip(
        &mut self,
        piece: &[u8],
        pause: Duration,
    ) -> (Option<Reply>, Duration) {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < PATIENCE, "it takes pieces for ever");
            match timeout_at(Instant::now() + pause, self.fill()).await {
                Ok(_) => return (self.reply().await, began.elapsed()),
                // It may just have closed, which the next look tells.
                Err(_) => drop(self.send(piece).await),
            }
        }
    }

    /// Reads one reply; none if the connection ends before one is whole.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        let head_end = loop {
            if let Some(at) = find(&self.ahead, b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await?;
        };
        let head: Vec<u8> = self.ahead.drain(..head_end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut reply = Reply {
            status: head.split(' ').nth(1)?.parse().unwrap(),
            head,
            body: Vec::new(),
        };
        if reply.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.chunk().await? {
                reply.body.extend(chunk);
            }
        } else if let Some(length) = reply.header("content-length") {
            let length = length.parse().unwrap();
            while self.ahead.len() < length {
                self.fill().await?;
            }
            reply.body = self.ahead.drain(..length).collect();
        }
        Some(reply)
    }

    /// The next chunk of a body, whose head was read already; inner none at its end, outer none if the
    /// connection ends before.
    async fn chunk(&mut self) -> Option<Option<Vec<u8>>> {
        let line_end = loop {
            if let Some(at) = find(&self.ahead, b"\r\n") {
                break at;
            }
            self.fill().await?;
        };
        let size = std::str::from_utf8(&self.ahead[..line_end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let whole = line_end + 2 + size + 2;
        while self.ahead.len() < whole {
            self.fill().await?;
        }
        let chunk = self.ahead[line_end + 2..line_end + 2 + size].to_vec();
        self.ahead.drain(..whole);
        Some((size > 0).then_some(chunk))
    }

    /// The bodies's chunks up to the end of the connection, however it ends; to be called after the head.
    pub(crate) async fn chunks(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(Some(chunk)) = self.chunk().await {
            bytes.extend(chunk);
        }
        bytes
    }

    /// Reads the head of a reply whose body is a stream.
    pub(crate) async fn stream_head(&mut self) -> String {
        let head_end = loop {
            if let Some(at) = find(&self.ahead, b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await.expect("there is a reply");
        };
        let head: Vec<u8> = self.ahead.drain(..head_end).collect();
        String::from_utf8(head).unwrap()
    }

    /// Waits until the daemon has closed the connection, and says how many bytes came before that.
    pub(crate) async fn until_closed(&mut self) -> usize {
        while self.fill().await.is_some() {}
        self.ahead.len()
    }

    /// Reads what is there. None if the connection has ended.
    async fn fill(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.ahead);
        let read = timeout_at(Instant::now() + PATIENCE, read).await;
        let bytes = read.expect("the daemon answers or closes").unwrap_or(0);
        (bytes > 0).then_some(())
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
