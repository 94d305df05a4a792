//! A reply that streams events, as its bytes come in. Sans-IO.

use std::io;

use api_client::support::{Decoder, RawEvent};

use super::wire::{Chunks, Head, wrong};

/// One reply that streams events.
#[derive(Debug, Default)]
pub(super) struct Inflow {
    received: Vec<u8>,
    begun: bool,
    chunks: Chunks,
    body: Vec<u8>,
    decoder: Decoder,
}

impl Inflow {
    /// Takes bytes in; true once the reply has ended.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<bool> {
        if self.begun {
            return self.take_body(bytes);
        }
        self.received.extend_from_slice(bytes);
        let Some(head) = Head::read(&self.received)? else {
            return Ok(false);
        };
        if head.status != 200 || head.body_bytes.is_some() {
            let said = String::from_utf8_lossy(&self.received);
            return Err(wrong(&format!("no stream of events but: {said}")));
        }
        self.begun = true;
        let rest = self.received.split_off(head.bytes);
        self.take_body(&rest)
    }

    /// True once its head was there, and so the stream is open.
    pub(super) fn is_open(&self) -> bool {
        self.begun
    }

    /// The next whole event.
    pub(super) fn next_event(&mut self) -> Option<RawEvent> {
        self.decoder.next_event()
    }

    fn take_body(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.body.clear();
        let ended = self.chunks.take(bytes, &mut self.body)?;
        self.decoder.push(&self.body).map_err(io::Error::other)?;
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_however_the_bytes_are_cut() {
        let event = "id: 1-a\nevent: token\ndata: {\"t\":\"old\"}\n\n";
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let sent = format!("{head}{:x}\r\n{event}\r\n0\r\n\r\n", event.len());
        for cut in 0..sent.len() {
            let (one, other) = sent.as_bytes().split_at(cut);
            let mut inflow = Inflow::default();
            assert!(!inflow.take(one).unwrap(), "{cut}");
            assert!(inflow.take(other).unwrap(), "{cut}");
            let event = inflow.next_event().unwrap();
            assert_eq!((&*event.name, &*event.data), ("token", "{\"t\":\"old\"}"));
            assert_eq!(inflow.next_event(), None);
        }
        let problem = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        assert!(Inflow::default().take(problem).is_err());
    }
}
