//! One connection on which one thread asks and waits: no runtime stands between the bytes and the clock.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use api_client::support::RawEvent;

use super::inflow::Inflow;
use super::wire::{Head, wrong};

/// Longest silence.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// One connection, kept open.
pub(super) struct Line {
    stream: TcpStream,
    buffer: Box<[u8; 65_536]>,
}

impl Line {
    /// Connects to a host and port.
    pub(super) fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        Ok(Self {
            stream,
            buffer: Box::new([0; 65_536]),
        })
    }

    /// Sends a request and takes its whole reply, of known length; status and body.
    pub(super) fn ask(&mut self, request: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        self.stream.write_all(request)?;
        let mut received = Vec::new();
        loop {
            received.extend_from_slice(self.read()?);
            let Some(head) = Head::read(&received)? else {
                continue;
            };
            let body = head.body_bytes.ok_or_else(|| wrong("of unknown length"))?;
            if received.len() >= head.bytes + body {
                return Ok((head.status, received.split_off(head.bytes)));
            }
        }
    }

    /// Sends a request and shows each event of its reply, with the moment at which its bytes were here.
    pub(super) fn listen(
        &mut self,
        request: &[u8],
        mut show: impl FnMut(RawEvent, Instant) -> io::Result<()>,
    ) -> io::Result<()> {
        self.stream.write_all(request)?;
        let mut inflow = Inflow::default();
        loop {
            let bytes = self.stream.read(&mut *self.buffer)?;
            let here = Instant::now();
            if bytes == 0 {
                return Err(wrong("cut off"));
            }
            let ended = inflow.take(&self.buffer[..bytes])?;
            while let Some(event) = inflow.next_event() {
                show(event, here)?;
            }
            if ended {
                return Ok(());
            }
        }
    }

    fn read(&mut self) -> io::Result<&[u8]> {
        match self.stream.read(&mut *self.buffer)? {
            0 => Err(wrong("cut off")),
            bytes => Ok(&self.buffer[..bytes]),
        }
    }
}
