//! A wire between adapter and engine that keeps what the engine says.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Passes connections on to an engine. It stops when dropped.
pub(super) struct Tap {
    url: String,
    reply: Reply,
    _tasks: JoinSet<()>,
}

/// What the engine has said since it was last asked.
type Reply = Arc<Mutex<Vec<u8>>>;

impl Tap {
    /// A wire to the engine at `url`.
    pub(super) async fn start(url: &str) -> Self {
        let engine = url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let reply = Reply::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, engine, Arc::clone(&reply)));
        Self {
            url,
            reply,
            _tasks: tasks,
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What the engine has said to the last request: at least what came out at the other end.
    pub(super) fn last_reply(&self) -> Vec<u8> {
        self.reply.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, engine: String, reply: Reply) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let engine = TcpStream::connect(&engine).await.unwrap();
        connections.spawn(pass(client, engine, Arc::clone(&reply)));
    }
}

/// Passes bytes on in both directions until one side closes; then the other is closed too. Nobody asks before the
/// last reply has come, so that what the client sends begins a new one.
async fn pass(client: TcpStream, engine: TcpStream, reply: Reply) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_engine, mut to_engine) = engine.into_split();
    let asking = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            reply.lock().unwrap().clear();
            if to_engine.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    let answering = async {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_engine.read(&mut buffer).await {
            reply.lock().unwrap().extend_from_slice(&buffer[..read]);
            if to_client.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = asking => {}
        () = answering => {}
    }
}

/// The head of a chunked reply with its empty line, and the body that has come so far.
pub(super) fn parts(reply: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let end = reply.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, mut rest) = reply.split_at(end.unwrap() + 4);
    let mut body = Vec::new();
    while let Some(line_end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&rest[..line_end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let Some(chunk) = rest[line_end + 2..].get(..size).filter(|_| size > 0) else {
            break;
        };
        body.extend_from_slice(chunk);
        rest = rest.get(line_end + 2 + size + 2..).unwrap_or_default();
    }
    (head.to_vec(), body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_taken_apart_as_far_as_it_has_come() {
        // The header ends as a last chunk would.
        let head = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\n\r\n";
        let parts = |body: &str| {
            let (told, body) = parts(format!("{head}{body}").as_bytes());
            assert_eq!(told, head.as_bytes());
            String::from_utf8(body).unwrap()
        };
        assert_eq!(parts(""), "");
        assert_eq!(
            parts("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"),
            "abc0123456789"
        );
        assert_eq!(parts("3\r\nabc\r\nA\r\n0123"), "abc");
        assert_eq!(parts("3\r\nabc"), "abc");
    }
}
