//! Ctrl-C, where it does not simply end the program.

use std::{io, process};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::exit::Exit;

/// Listens for Ctrl-C from its creation on: the first one is told to the verb, the second ends the
/// program at once, even if the verb is stuck writing to a reader that does not read.
pub(crate) struct Interrupt {
    first: watch::Receiver<bool>,
}

impl Interrupt {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut signals = signal(SignalKind::interrupt())?;
        let (tell, first) = watch::channel(false);
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                tell.send_replace(true);
            }
            if signals.recv().await.is_some() {
                process::exit(Exit::Interrupted.status().into());
            }
        });
        Ok(Self { first })
    }

    /// Waits for the first Ctrl-C. May be given up and called again.
    pub(crate) async fn first(&mut self) {
        if self.first.wait_for(|pressed| *pressed).await.is_err() {
            // The listener is gone, so none will come.
            std::future::pending::<()>().await;
        }
    }
}
