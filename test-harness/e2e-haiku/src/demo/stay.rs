//! Stays until somebody has seen enough.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use test_harness_support::Daemon;
use tokio::time::interval;

/// Pause between two looks at the daemon.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Stays until it is told to end. Gives the daemon's status if it ended before.
///
/// # Errors
/// If the daemon cannot be watched.
pub(super) async fn until(
    told: impl Future<Output = ()>,
    daemon: &mut Daemon,
) -> io::Result<Option<ExitStatus>> {
    let mut look = interval(LOOK_EVERY);
    tokio::pin!(told);
    loop {
        tokio::select! {
            () = &mut told => return Ok(None),
            _ = look.tick() => {
                if let Some(status) = daemon.ended()? {
                    return Ok(Some(status));
                }
            }
        }
    }
}

/// Resolves at Ctrl-C, or another request to end. Listens from the call on.
///
/// # Errors
/// If signals cannot be heard.
#[cfg(unix)]
pub(super) fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = hangup.recv() => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(super) fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Where Ctrl-C cannot be heard the daemon's own end is still seen.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
