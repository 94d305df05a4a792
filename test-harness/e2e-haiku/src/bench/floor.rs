//! What one connection can have at most on this machine: a server without HTTP, JSON or a database, which does what
//! durability and one owner ask for and nothing else. It takes the request, hands it to one other thread, which
//! writes as many bytes as a commit of the daemon does and waits for the disk, and answers.
//!
//! It writes where it wrote before, round and round, as the store's log does: to append would take a file system that
//! has to lengthen a file half as long again.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::processor::Processor;

/// Bytes that the store's log grows by with a commit of one task: six pages with their heads.
const COMMIT_BYTES: usize = 6 * (2048 + 24);
/// Commits until it begins again where it began.
const COMMITS_A_ROUND: u64 = 300;
/// Bytes of an answer.
const REPLY_BYTES: usize = 600;

/// Asks again and again for so long, from that processor, with the log in a directory on the disk in question; the
/// answers in a second. Blocking.
pub(super) fn rate(
    dir: &Path,
    request: &[u8],
    period: Duration,
    from: Processor,
) -> io::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    client.set_nodelay(true)?;
    let (server, _) = listener.accept()?;
    server.set_nodelay(true)?;
    let path = dir.join("floor.probe");
    let log = File::create(&path)?;
    log.write_all_at(&vec![0; COMMIT_BYTES * COMMITS_A_ROUND as usize], 0)?;
    log.sync_all()?;
    let request_bytes = request.len();
    let answers = thread::scope(|scope| {
        let (to_log, orders) = mpsc::channel();
        let (done, from_log) = mpsc::channel();
        let writing = scope.spawn(move || write(&log, &orders, &done));
        let serving = scope.spawn(move || serve(server, request_bytes, &to_log, &from_log));
        let asking = scope.spawn(move || {
            from.keep()?;
            ask(&mut client, request, period)
        });
        let answers = joined(asking);
        joined(serving)?;
        joined(writing)?;
        answers
    });
    std::fs::remove_file(path)?;
    Ok(answers? as f64 / period.as_secs_f64())
}

fn joined<T>(thread: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    let ended = thread.join();
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn ask(client: &mut TcpStream, request: &[u8], period: Duration) -> io::Result<u64> {
    let mut reply = [0; REPLY_BYTES];
    let mut answers = 0;
    let began = Instant::now();
    while began.elapsed() < period {
        client.write_all(request)?;
        client.read_exact(&mut reply)?;
        answers += 1;
    }
    Ok(answers)
}

/// Serves until the client is gone.
fn serve(
    mut stream: TcpStream,
    request_bytes: usize,
    to_log: &mpsc::Sender<()>,
    from_log: &mpsc::Receiver<()>,
) -> io::Result<()> {
    let mut request = vec![0; request_bytes];
    while stream.read_exact(&mut request).is_ok() {
        let handed_over = to_log.send(()).is_ok() && from_log.recv().is_ok();
        if !handed_over {
            break;
        }
        stream.write_all(&[b'.'; REPLY_BYTES])?;
    }
    Ok(())
}

/// Writes until nobody orders any more.
fn write(log: &File, orders: &mpsc::Receiver<()>, done: &mpsc::Sender<()>) -> io::Result<()> {
    let places = (0..COMMITS_A_ROUND).map(|commit| commit * COMMIT_BYTES as u64);
    for place in places.cycle() {
        if orders.recv().is_err() {
            break;
        }
        log.write_all_at(&[0x5a; COMMIT_BYTES], place)?;
        log.sync_data()?;
        if done.send(()).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let from = Processor::to_try().unwrap()[0];
        let rate = rate(dir.path(), b"request", Duration::from_millis(50), from).unwrap();
        assert!(rate > 0.0);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
