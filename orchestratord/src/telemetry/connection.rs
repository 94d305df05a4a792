//! How many connections are open.

use metrics::gauge;

/// Counts as an open connection while it lives.
#[derive(Debug)]
pub struct OpenConnection(());

impl OpenConnection {
    /// One more is open.
    pub(super) fn begin() -> Self {
        gauge!("connections_open").increment(1.0);
        Self(())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        gauge!("connections_open").decrement(1.0);
    }
}
