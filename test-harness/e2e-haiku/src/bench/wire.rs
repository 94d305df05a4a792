//! HTTP/1.1 with nothing in between, so that the measuring costs little beside what is measured: requests are
//! rendered once, replies are looked at no further than needed.
//!
//! Sans-IO: bytes in any pieces go in. It understands what the daemon and the engine send, which is bodies of
//! known length and chunked ones.

use std::io;

use serde::Deserialize;
use uuid::Uuid;

/// A request with a JSON body, as bytes to send as they are.
pub(super) fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A request without a body, as bytes to send as they are.
pub(super) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n").into_bytes()
}

/// What a bench needs of a task that was accepted.
#[derive(Deserialize)]
pub(super) struct Accepted {
    pub(super) task_id: Uuid,
}

/// The reply to a task, which must have been accepted.
pub(super) fn accepted(status: u16, reply: &[u8]) -> io::Result<Accepted> {
    if status != 202 {
        let said = String::from_utf8_lossy(reply);
        let error = format!("a task was answered with {status}: {said}");
        return Err(io::Error::other(error));
    }
    Ok(serde_json::from_slice(reply)?)
}

/// The head of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes up to the body.
    pub(super) bytes: usize,
    /// Bytes of the body; `None` if it is chunked.
    pub(super) body_bytes: Option<usize>,
}

impl Head {
    /// The head, once it is there in whole.
    pub(super) fn read(received: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let status = received
            .get(9..12)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
            .ok_or_else(|| wrong("a reply without a status"))?;
        let mut body_bytes = Some(0);
        for line in received[..end].split(|byte| *byte == b'\n') {
            let value = |name: &[u8]| {
                let (head, value) = line.split_at_checked(name.len())?;
                head.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
            };
            if let Some(length) = value(b"content-length:") {
                let length = std::str::from_utf8(length)
                    .ok()
                    .and_then(|it| it.parse().ok());
                body_bytes = Some(length.ok_or_else(|| wrong("a length that is no number"))?);
            } else if value(b"transfer-encoding:").is_some() {
                body_bytes = None;
            }
        }
        Ok(Some(Self {
            status,
            bytes: end + 4,
            body_bytes,
        }))
    }
}

/// Takes the chunks off a chunked body.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    place: Place,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Start,
    /// In the line that tells how long the next chunk is.
    Size(usize),
    /// In a chunk of which so much is to come.
    Data(usize),
    /// In the line break after a chunk.
    Break,
    /// In the line break after the last chunk; the line has so many bytes.
    Tail(usize),
    End,
}

impl Chunks {
    /// Takes bytes in and adds what they carry to `body`; true once the body has ended.
    pub(super) fn take(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> io::Result<bool> {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            match &mut self.place {
                Place::Data(left) => {
                    let (piece, more) = rest.split_at((*left).min(rest.len()));
                    body.extend_from_slice(piece);
                    *left -= piece.len();
                    if *left == 0 {
                        self.place = Place::Break;
                    }
                    rest = more;
                    continue;
                }
                Place::Start => self.place = Place::Size(digit(first)?),
                Place::Size(size) => match first {
                    b'\r' => {}
                    b'\n' if *size == 0 => self.place = Place::Tail(0),
                    b'\n' => self.place = Place::Data(*size),
                    _ => *size = *size * 16 + digit(first)?,
                },
                Place::Break if first == b'\n' => self.place = Place::Start,
                Place::Break => {}
                Place::Tail(0) if first == b'\n' => self.place = Place::End,
                Place::Tail(bytes) => match first {
                    b'\n' => *bytes = 0,
                    b'\r' => {}
                    _ => *bytes += 1,
                },
                Place::End => return Err(wrong("bytes after the last chunk")),
            }
            rest = &rest[1..];
        }
        Ok(matches!(self.place, Place::End))
    }
}

fn digit(byte: u8) -> io::Result<usize> {
    char::from(byte)
        .to_digit(16)
        .map(|digit| digit as usize)
        .ok_or_else(|| wrong("a chunk without a length"))
}

/// What came is not what the daemon sends.
pub(super) fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the reply is {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let reply = b"HTTP/1.1 202 Accepted\r\nContent-Length: 17\r\nx: y\r\n\r\n{}";
        let head = Head {
            status: 202,
            bytes: reply.len() - 2,
            body_bytes: Some(17),
        };
        assert_eq!(Head::read(reply).unwrap(), Some(head));
        assert_eq!(Head::read(&reply[..reply.len() - 3]).unwrap(), None);
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(Head::read(chunked).unwrap().unwrap().body_bytes, None);
        assert!(Head::read(b"HTTP/1.1 two\r\n\r\n").is_err());
    }

    #[test]
    fn chunks_may_be_cut_anywhere() {
        let sent = b"3\r\nold\r\n1a\r\n pond, a frog jumps in: pl\r\n0\r\n\r\n";
        for cut in 0..sent.len() {
            let (one, other) = sent.split_at(cut);
            let (mut chunks, mut body) = (Chunks::default(), Vec::new());
            assert!(!chunks.take(one, &mut body).unwrap(), "{cut}");
            assert!(chunks.take(other, &mut body).unwrap(), "{cut}");
            assert_eq!(body, b"old pond, a frog jumps in: pl", "{cut}");
        }
        assert!(Chunks::default().take(b"x", &mut Vec::new()).is_err());
    }
}
