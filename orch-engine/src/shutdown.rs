//! What ends the process from outside.

use std::io::Read;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Completes on SIGTERM, on SIGINT and, if asked for, when standard input ends.
///
/// # Errors
///
/// If the operating system refuses a signal handler or a thread.
pub fn shutdown_requested(
    exit_on_stdin_eof: bool,
) -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (ended, end_of_stdin) = oneshot::channel::<()>();
    let mut never_ends = None;
    if exit_on_stdin_eof {
        // A thread of its own: a blocked read of the runtime's pool would hold up its end.
        std::thread::Builder::new()
            .name("engine-stdin".to_owned())
            .spawn(move || {
                drain_stdin();
                drop(ended);
            })?;
    } else {
        never_ends = Some(ended);
    }
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = end_of_stdin => {}
        }
        drop(never_ends);
    })
}

/// Reads until there is no more. A failing standard input counts as one that has ended.
fn drain_stdin() {
    let mut sink = [0; 1024];
    let mut stdin = std::io::stdin().lock();
    while matches!(stdin.read(&mut sink), Ok(1..)) {}
}
