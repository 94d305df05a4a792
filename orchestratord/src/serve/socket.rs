//! One caller's socket, which is given up when the caller takes nothing of what waits for it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Sleep, sleep};

/// Bytes that may wait in the operating system without having been sent. It wakes a writer up when less than half
/// of that waits. Left to itself it would do so only when a third of its buffer is free, which grows to megabytes,
/// and a reader that takes little but steadily would look like one that takes nothing.
const UNSENT_BYTES_MAX: u32 = 128 << 10;

/// A socket that fails once the peer has taken nothing for too long although something waits for it.
pub(super) struct Socket {
    read: Arc<OwnedReadHalf>,
    write: OwnedWriteHalf,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    stall_timeout: Duration,
}

/// Looks at the other end of a socket while nothing is read from it.
#[derive(Clone)]
pub(super) struct Peer(Arc<OwnedReadHalf>);

impl Peer {
    /// Resolves when the peer has closed its sending side, or the connection is gone. A peer that has sent
    /// more by then is not seen to close: what it sent hides that, and a failing write has to tell.
    pub(super) async fn left(self) {
        let stream: &TcpStream = (*self.0).as_ref();
        let more = stream.peek(&mut [0]).await;
        if more.is_ok_and(|bytes| bytes > 0) {
            std::future::pending::<()>().await;
        }
    }
}

impl Socket {
    pub(super) fn new(stream: TcpStream, stall_timeout: Duration) -> Self {
        if let Err(error) = hold_little_unsent(&stream) {
            tracing::debug!(%error, "a slow reader may be taken for one that takes nothing");
        }
        let (read, write) = stream.into_split();
        Self {
            read: Arc::new(read),
            write,
            stalled: None,
            stall_timeout,
        }
    }

    pub(super) fn peer(&self) -> Peer {
        Peer(Arc::clone(&self.read))
    }

    /// What a write came to, with an eye on the clock.
    fn in_time(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.stall_timeout;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        tracing::debug!(
            ms = patience.as_millis(),
            "a reader takes nothing and is closed"
        );
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

#[cfg(target_os = "linux")]
fn hold_little_unsent(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX)
}

/// Other systems have buffers of a fixed size, which can be made small.
#[cfg(not(target_os = "linux"))]
fn hold_little_unsent(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_send_buffer_size(UNSENT_BYTES_MAX as usize)
}

/// Reads what is there. A socket that gives less than there is room for has given all; to remember that spares
/// the next look at it.
fn read_once(stream: &TcpStream, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
    let room = buffer.remaining();
    // As long as nothing was tried there is nothing, which is not the same as an end.
    let mut outcome = Err(io::ErrorKind::WouldBlock.into());
    // The readiness that was there before the read is what `WouldBlock` takes back, so no later one is lost.
    let _all_read = stream.try_io(Interest::READABLE, || {
        let read = stream.try_read_buf(buffer);
        let all = matches!(read, Ok(bytes) if 0 < bytes && bytes < room);
        outcome = read.map(drop);
        if all {
            Err(io::Error::from(io::ErrorKind::WouldBlock))
        } else {
            Ok(())
        }
    });
    outcome
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream: &TcpStream = (*self.read).as_ref();
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match read_once(stream, buffer) {
                Ok(()) => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.write).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.write).poll_write_vectored(cx, slices);
        self.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
