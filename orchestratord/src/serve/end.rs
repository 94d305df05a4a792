//! What ends the daemon from outside.

use std::future::Future;
use std::io;
use std::thread;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Resolves when the process is told to end: by SIGTERM or Ctrl-C and, if asked for, by the end of standard input.
/// Listens from the call on.
///
/// # Errors
/// If the operating system refuses a signal handler or a thread.
pub(super) fn until_told(exit_on_stdin_eof: bool) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (open, end_of_stdin) = oneshot::channel::<()>();
    let mut stays_open = None;
    if exit_on_stdin_eof {
        // A thread of its own: nothing wakes a read that waits, and the runtime would wait for it at its end.
        thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || {
                // What cannot be read any more has ended, too.
                let _ended = io::copy(&mut io::stdin().lock(), &mut io::sink());
                drop(open);
            })?;
    } else {
        stays_open = Some(open);
    }
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = end_of_stdin => {}
        }
        drop(stays_open);
    })
}
