//! An incremental decoder of server-sent events, for adapters whose engine streams them. Sans-IO: bytes in
//! any pieces go in, whole frames come out. Memory is bounded by one limit for the frame in the making.

use std::collections::VecDeque;

use thiserror::Error;

/// One dispatched event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseFrame {
    /// Its `event` field; empty where the sender gave none.
    pub event: String,
    /// Its `data` lines, joined by `\n`.
    pub data: String,
}

/// Why bytes are no event stream.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SseError {
    /// A frame, or a line of it, is longer than the limit.
    #[error("an event of the stream is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A line is not UTF-8.
    #[error("a line of the stream is not UTF-8")]
    NotUtf8,
}

/// Turns the bytes of an event stream into frames.
///
/// 1. Call [`feed`](Self::feed) with each piece as it comes, however it was cut.
/// 2. Call [`next_frame`](Self::next_frame) until it gives `None`, then feed again.
///
/// Lines end in LF, CRLF or CR; comments, `id` and `retry` are passed over; a frame without `data` is not
/// dispatched; a frame that the end of the stream cuts off never comes out. After an error the decoder is
/// of no further use.
#[derive(Debug)]
pub struct SseDecoder {
    limit: usize,
    line: Vec<u8>,
    line_ended_in_cr: bool,
    at_start: bool,
    event: String,
    data: Option<String>,
    frames: VecDeque<SseFrame>,
}

impl SseDecoder {
    /// A decoder that refuses frames and lines longer than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            line_ended_in_cr: false,
            at_start: true,
            event: String::new(),
            data: None,
            frames: VecDeque::new(),
        }
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// A frame above the limit, or bytes that are no UTF-8.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<(), SseError> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.line_ended_in_cr) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + piece.len() > self.limit {
                return Err(SseError::TooLong { limit: self.limit });
            }
            self.line.extend_from_slice(piece);
            let Some(end) = end else { return Ok(()) };
            self.line_ended_in_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            self.end_line()?;
        }
        Ok(())
    }

    /// The next whole frame, if there is one.
    pub fn next_frame(&mut self) -> Option<SseFrame> {
        self.frames.pop_front()
    }

    fn end_line(&mut self) -> Result<(), SseError> {
        let line = std::mem::take(&mut self.line);
        let mut line = std::str::from_utf8(&line).map_err(|_| SseError::NotUtf8)?;
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            if let Some(data) = self.data.take() {
                self.frames.push_back(SseFrame { event, data });
            }
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => self.add_data(value)?,
            _ => {}
        }
        Ok(())
    }

    fn add_data(&mut self, value: &str) -> Result<(), SseError> {
        let held = self.data.as_ref().map_or(0, |data| data.len() + 1);
        if held + value.len() > self.limit {
            return Err(SseError::TooLong { limit: self.limit });
        }
        match &mut self.data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn decode(pieces: &[&[u8]]) -> Result<Vec<SseFrame>, SseError> {
        let mut decoder = SseDecoder::new(64);
        let mut frames = Vec::new();
        for piece in pieces {
            decoder.feed(piece)?;
            while let Some(frame) = decoder.next_frame() {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    fn frame(event: &str, data: &str) -> SseFrame {
        SseFrame {
            event: event.to_owned(),
            data: data.to_owned(),
        }
    }

    const STREAM: &str = "\u{feff}: hello\ndata: one\n\n:\r\n\r\nevent: e\r\nid: 7\r\ndata:two\r\ndata:  🌧\r\n\r\nevent: lost\n\nretry: 5\rdata\r\rdata: cut off";

    #[test]
    fn fields_comments_and_line_ends() {
        assert_eq!(
            decode(&[STREAM.as_bytes()]).unwrap(),
            [frame("", "one"), frame("e", "two\n 🌧"), frame("", "")]
        );
    }

    #[test]
    fn every_pair_of_cuts_gives_the_same_frames() {
        let bytes = STREAM.as_bytes();
        let whole = decode(&[bytes]).unwrap();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(decode(&pieces).unwrap(), whole, "cut at {first}, {second}");
            }
        }
    }

    #[test]
    fn the_limit_holds_for_a_line_and_for_a_frame() {
        let too_long = Err(SseError::TooLong { limit: 64 });
        assert_eq!(decode(&[&[b'x'; 65]]), too_long);
        assert_eq!(decode(&[&[b':'; 33], &[b':'; 32]]), too_long);
        let lines = format!("data: {0}\ndata: {0}\n\n", "y".repeat(40));
        assert_eq!(decode(&[lines.as_bytes()]), too_long);
        let fits = format!("data: {}\n\n", "y".repeat(58));
        assert_eq!(decode(&[fits.as_bytes()]).unwrap().len(), 1);
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error() {
        assert_eq!(decode(&[b"data: \xff\xfe\n\n"]), Err(SseError::NotUtf8));
    }
}
