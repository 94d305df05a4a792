//! Drives one reader, for whoever awaits its frames.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt, unfold};
use futures_util::{FutureExt, Stream};
use orchestrator_core::time::MonoMs;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::frame::{Frame, Waiting};
use super::reader::{ReaderState, ReaderStep};

/// Answers where a waiting task stands, for `metrics` frames. None once nobody knows.
pub trait Watch: Send + Sync + 'static {
    /// Where the task stands now.
    fn waiting(&self) -> impl Future<Output = Option<Waiting>> + Send;
}

/// What there is to read.
pub enum Opening {
    /// Frames.
    Frames(BoxStream<'static, Frame>),
    /// The reader has seen everything, the terminal frame included.
    NothingMore,
}

/// Frames of a task that has ended: see [`ReaderState::ended`].
pub fn read_ended(reader: Option<ReaderState>) -> Opening {
    reader.map_or(Opening::NothingMore, |reader| {
        Opening::Frames(frames(reader, Nobody).boxed())
    })
}

/// Frames of a live task. `guard` is dropped when the reader leaves.
pub fn read_live<G: Send + 'static>(reader: ReaderState, watch: impl Watch, guard: G) -> Opening {
    let guarded = frames(reader, watch).map(move |frame| {
        let _held = &guard;
        frame
    });
    Opening::Frames(guarded.boxed())
}

/// Knows of no queue.
struct Nobody;

impl Watch for Nobody {
    async fn waiting(&self) -> Option<Waiting> {
        None
    }
}

fn frames<W: Watch>(state: ReaderState, watch: W) -> impl Stream<Item = Frame> + Send {
    let reader = Reader {
        moved: state.stream().subscribe(),
        state,
        watch: Arc::new(watch),
        asked: None,
        zero: Instant::now(),
    };
    unfold(reader, |mut reader| async move {
        reader.next().await.map(|frame| (frame, reader))
    })
}

struct Reader<W> {
    state: ReaderState,
    moved: watch::Receiver<u64>,
    watch: Arc<W>,
    /// What was asked and is not answered, and whether an announcement waits for it.
    asked: Option<(bool, BoxFuture<'static, Option<Waiting>>)>,
    /// When its clock began.
    zero: Instant,
}

impl<W: Watch> Reader<W> {
    async fn next(&mut self) -> Option<Frame> {
        loop {
            // Before the look: what moves from here on ends the wait.
            self.moved.mark_unchanged();
            match self.state.next(self.now()) {
                ReaderStep::Frame(frame) => return Some(frame),
                ReaderStep::Over => return None,
                ReaderStep::Standing => {
                    self.ask();
                    self.wait(None).await;
                }
                ReaderStep::Wait(until) => self.wait(until).await,
            }
        }
    }

    /// Asks where the task stands, unless that is under way. What was asked before a later attempt began is no answer
    /// to what is announced of it.
    fn ask(&mut self) {
        let announces = self.state.announces();
        if self
            .asked
            .as_ref()
            .is_none_or(|(for_one, _)| *for_one != announces)
        {
            let watch = Arc::clone(&self.watch);
            let answer = async move { watch.waiting().await }.boxed();
            self.asked = Some((announces, answer));
        }
    }

    /// Waits for an answer, for the stream to move, or for a time. The owner may be busy, and its store slow: no token
    /// waits for what it has to say.
    async fn wait(&mut self, until: Option<MonoMs>) {
        let time = async {
            match until {
                Some(at) => sleep_until(self.zero + Duration::from_millis(at.0)).await,
                None => pending().await,
            }
        };
        let answer = async {
            match &mut self.asked {
                Some((_, answer)) => answer.await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            standing = answer => {
                self.asked = None;
                self.state.standing(standing);
            }
            () = changed(&mut self.moved) => {}
            () = time => {}
        }
    }

    fn now(&self) -> MonoMs {
        MonoMs(u64::try_from(self.zero.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

/// Waits until the stream moved.
async fn changed(moved: &mut watch::Receiver<u64>) {
    // The reader holds the stream, and so the sender: there is always somebody who can move it.
    let _moved = moved.changed().await;
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
