//! What the operating system keeps for a slow reader, and when it says that something was taken.

use std::future::poll_fn;
use std::io::Read;
use std::net::TcpStream as Reader;

use socket2::{Domain, Socket as Raw, Type};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;

/// Room at the reader's end, which the operating system doubles for its own needs.
const READER_BYTES: usize = 32 << 10;
const PIECE: [u8; 16 << 10] = [b'x'; 16 << 10];

/// A socket and who reads from it.
async fn connected() -> (Socket, Reader) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let raw = Raw::new(Domain::IPV4, Type::STREAM, None).unwrap();
    raw.set_recv_buffer_size(READER_BYTES).unwrap();
    raw.connect(&listener.local_addr().unwrap().into()).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    (Socket::new(stream, Duration::MAX), raw.into())
}

/// Writes until nothing is taken any more; how much was.
async fn filled(socket: &mut Socket) -> usize {
    let mut taken = 0;
    // What is on its way to the reader's end makes room once more when it has arrived: looked at again until then.
    let mut idle = 0;
    while idle < 64 {
        let written = poll_fn(|cx| {
            Poll::Ready(match Pin::new(&mut *socket).poll_write(cx, &PIECE) {
                Poll::Ready(written) => Some(written.unwrap()),
                Poll::Pending => None,
            })
        })
        .await;
        match written {
            Some(bytes) => (taken, idle) = (taken + bytes, 0),
            None => idle += 1,
        }
        tokio::task::yield_now().await;
    }
    taken
}

#[tokio::test]
async fn little_waits_for_a_reader_that_takes_nothing() {
    let (mut socket, _reader) = connected().await;
    let taken = filled(&mut socket).await;
    let both_ends = UNSENT_BYTES_MAX as usize + 2 * READER_BYTES;
    assert!(
        taken <= 2 * both_ends,
        "{taken} bytes lie in the operating system"
    );
}

#[tokio::test]
async fn a_reader_that_takes_a_little_is_seen_to_take_it() {
    let (mut socket, mut reader) = connected().await;
    let taken = filled(&mut socket).await;
    let mut some = vec![0; taken.min(UNSENT_BYTES_MAX as usize * 3 / 2)];
    reader.read_exact(&mut some).unwrap();
    // By default a third of a buffer of megabytes would have to be free first, and this would wait for ever.
    timeout(Duration::from_secs(30), socket.write_all(b"more"))
        .await
        .expect("it is seen")
        .unwrap();
}
