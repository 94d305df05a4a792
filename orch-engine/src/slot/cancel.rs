//! Telling a thread that waits or works that nobody needs the result.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A flag that can be waited on.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    cancelled: Mutex<bool>,
    changed: Condvar,
}

impl Cancel {
    pub(crate) fn cancel(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        *self.lock()
    }

    /// Waits until `due`, or less if it is cancelled before. `true` if it is cancelled.
    pub(crate) fn wait_until(&self, due: Instant) -> bool {
        let mut cancelled = self.lock();
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if *cancelled || left.is_zero() {
                return *cancelled;
            }
            cancelled = self
                .changed
                .wait_timeout(cancelled, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.cancelled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cancels when it is dropped.
#[derive(Debug)]
pub(crate) struct CancelOnDrop(pub(crate) Arc<Cancel>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
