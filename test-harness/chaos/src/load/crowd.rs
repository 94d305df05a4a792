//! All clients of a round.

use std::sync::Arc;
use std::time::Duration;

use api_client::ApiError;
use test_harness_history::{ClientId, Event, Process, ProcessEvent};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::asker::Asker;
use super::client::Client;
use super::reading::{Readings, Source};
use crate::dice::Dice;
use crate::recorder::Recorder;

/// All clients of a round. Dropping it ends them.
pub(crate) struct Crowd {
    recorder: Arc<Recorder>,
    pub(crate) readings: Arc<Readings>,
    url: String,
    seed: u64,
    stop: watch::Sender<bool>,
    members: Vec<(ClientId, JoinHandle<()>)>,
}

impl Crowd {
    /// So many clients of the daemon at a URL, which begin at once.
    ///
    /// # Errors
    /// If the URL is none.
    pub(crate) fn begin(
        recorder: &Arc<Recorder>,
        url: &str,
        seed: u64,
        size: u64,
    ) -> Result<Self, ApiError> {
        let mut crowd = Self {
            recorder: Arc::clone(recorder),
            readings: Arc::default(),
            url: url.to_owned(),
            seed,
            stop: watch::Sender::new(false),
            members: Vec::new(),
        };
        for _ in 0..size {
            crowd.join()?;
        }
        Ok(crowd)
    }

    /// One client more.
    fn join(&mut self) -> Result<(), ApiError> {
        let asker = Asker::new(&self.recorder, &self.url)?;
        let me = asker.me();
        let client = Client {
            source: self.source(),
            dice: Dice::new(self.seed, &format!("client {me}")),
            asker,
        };
        let living = tokio::spawn(client.live(self.stop.subscribe()));
        self.members.push((me, living));
        Ok(())
    }

    /// A way to read streams, with connections of its own.
    pub(crate) fn source(&self) -> Source {
        Source {
            recorder: Arc::clone(&self.recorder),
            readings: Arc::clone(&self.readings),
            http: reqwest::Client::new(),
            url: self.url.clone(),
        }
    }

    /// Kills a client, with its connections and whatever it was about to do, and lets another one in.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub(crate) fn kill_one(&mut self, dice: &mut Dice) -> Result<(), ApiError> {
        let last = self.members.len().saturating_sub(1) as u64;
        let at = usize::try_from(dice.range(0, last)).unwrap_or(0);
        let (me, living) = self.members.swap_remove(at);
        self.recorder.see(Event::Process {
            process: Process::Client(me),
            event: ProcessEvent::Killed,
        });
        living.abort();
        self.join()
    }

    /// Lets everybody end what was begun; who does not within the time is sent away. True if all did.
    pub(crate) async fn disperse(&mut self, within: Duration) -> bool {
        self.stop.send_replace(true);
        let deadline = tokio::time::Instant::now() + within;
        let mut all = true;
        for (me, living) in self.members.drain(..) {
            let mut living = living;
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            match timeout(left, &mut living).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.recorder.odd(format!("client {me}: {error}")),
                Err(_) => {
                    living.abort();
                    all = false;
                }
            }
        }
        all
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for (_, living) in &self.members {
            living.abort();
        }
    }
}
