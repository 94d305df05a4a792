//! From bytes to events, as the HTML standard has it ("event stream interpretation").

use std::{collections::VecDeque, fmt, time::Duration};

/// Most bytes of one event. The longest that the contract knows is a problem.
const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One event as it stands in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEvent {
    /// Its name; `message` if it has none.
    pub name: String,
    /// Its data, lines joined by line feeds.
    pub data: String,
    /// The id that stands with it, if one does.
    pub id: Option<String>,
}

/// An event is longer than any that the contract knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTooLong;

impl fmt::Display for EventTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an event is longer than {EVENT_BYTES_MAX} bytes")
    }
}

impl std::error::Error for EventTooLong {}

/// Decodes a stream that arrives in pieces of any size. Lines are cut from bytes, so a piece
/// may end within a character.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    /// The last byte was a CR, which an LF may still follow.
    after_cr: bool,
    /// A line has ended, so that a byte order mark can no longer come.
    begun: bool,
    name: String,
    data: String,
    id: Option<String>,
    retry: Option<Duration>,
    ready: VecDeque<RawEvent>,
}

impl Decoder {
    /// Takes a piece in.
    ///
    /// # Errors
    ///
    /// If an event is too long; the stream is then of no use.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EventTooLong> {
        for &byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => self.end_line(),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > EVENT_BYTES_MAX {
                return Err(EventTooLong);
            }
        }
        Ok(())
    }

    /// The next whole event.
    pub fn next_event(&mut self) -> Option<RawEvent> {
        self.ready.pop_front()
    }

    /// The wait that the server last asked for before a reconnection.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    fn end_line(&mut self) {
        let bytes = std::mem::take(&mut self.line);
        let begun = std::mem::replace(&mut self.begun, true);
        let bytes = match begun {
            false => bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes),
            true => &bytes,
        };
        let line = String::from_utf8_lossy(bytes);
        if line.is_empty() {
            self.end_event();
            return;
        }
        let (field, value) = match line.split_once(':') {
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (&*line, ""),
        };
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry);
            }
            // Comments have an empty field; unknown fields mean nothing.
            _ => {}
        }
    }

    fn end_event(&mut self) {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        let id = self.id.take();
        // An event without data is none, but its id counts for those that follow.
        if data.pop().is_none() {
            self.id = id;
            return;
        }
        self.ready.push_back(RawEvent {
            name: match name.is_empty() {
                true => "message".to_owned(),
                false => name,
            },
            data,
            id,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every rule of the format: a mark at the start, three kinds of line end, comments, data
    /// in several lines, fields without value, characters of several bytes, an id on its own.
    const SAMPLE: &str = "\u{feff}event: token\r\ndata: {\"t\":\"ä–🙂\"}\r\nid: 1-ab\r\n\r\n\
        : keep-alive\n\nretry: 250\nretry: x1\n\
        event:metrics\rdata:a\rdata\rdata:  b\r\r\
        id: 2-cd\n\n\
        data: last\nunknown: field\n\n\
        event: half\ndata: never ends\n";

    fn expected() -> Vec<RawEvent> {
        let event = |name: &str, data: &str, id: Option<&str>| RawEvent {
            name: name.to_owned(),
            data: data.to_owned(),
            id: id.map(str::to_owned),
        };
        vec![
            event("token", "{\"t\":\"ä–🙂\"}", Some("1-ab")),
            event("metrics", "a\n\n b", None),
            event("message", "last", Some("2-cd")),
        ]
    }

    fn decode(pieces: &[&[u8]]) -> (Vec<RawEvent>, Option<Duration>) {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        for piece in pieces {
            decoder.push(piece).expect("short");
            events.extend(std::iter::from_fn(|| decoder.next_event()));
        }
        (events, decoder.retry())
    }

    #[test]
    fn every_split_into_three_pieces_reads_the_same() {
        let bytes = SAMPLE.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                let (events, retry) = decode(&pieces);
                assert_eq!(events, expected(), "split at {first} and {second}");
                assert_eq!(retry, Some(Duration::from_millis(250)));
            }
        }
    }

    #[test]
    fn byte_by_byte_reads_the_same() {
        let pieces: Vec<&[u8]> = SAMPLE.as_bytes().chunks(1).collect();
        assert_eq!(decode(&pieces).0, expected());
    }

    #[test]
    fn an_event_without_end_is_refused_before_memory_is() {
        let mut decoder = Decoder::default();
        let piece = vec![b'x'; 1024 * 1024];
        let pushed = (0..9).try_for_each(|_| decoder.push(&piece));
        assert_eq!(pushed, Err(EventTooLong));
    }
}
