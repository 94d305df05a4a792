//! One reader's frames, from where it stands to the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::{BoxStream, StreamExt, unfold};
use orchestrator_core::task::{TaskEnd, TaskRecord};
use store::TaskText;
use tokio::sync::watch;

use super::frame::{Frame, Waiting};
use super::id::StreamId;
use super::live::{Prefix, TaskStream, Terminal};

/// Pause between two looks at a waiting task's place in the queue.
const WAITING_INTERVAL: Duration = Duration::from_millis(1_000);

/// Where a reader wants to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    /// From the start, `started` included.
    Start,
    /// After the event that it has seen last.
    After(StreamId),
}

impl ReadFrom {
    fn position(self) -> u64 {
        match self {
            Self::Start => 0,
            Self::After(id) => id.position,
        }
    }
}

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

/// Frames of a task that has ended, from its record and its durable text.
pub fn read_ended(record: &TaskRecord, text: &TaskText, from: ReadFrom) -> Opening {
    let stream = TaskStream::default();
    // A fresh stream takes any text: there is nothing to differ from.
    let _ = stream.seed(text);
    if let Some(started) = &record.started {
        stream.start(started.clone(), record.accepted_position, record.spec.seed);
    }
    let position = text.tokens();
    if let Some(end) = &record.end {
        stream.end(Terminal {
            end: end.clone(),
            position,
        });
    }
    if let ReadFrom::After(id) = from
        && stream.id_of_end() == id
    {
        return Opening::NothingMore;
    }
    Opening::Frames(frames(Arc::new(stream), from, None::<Never>).boxed())
}

/// Frames of a live task. `guard` is dropped when the reader leaves.
pub fn read_live<G: Send + 'static>(
    stream: Arc<TaskStream>,
    from: ReadFrom,
    watch: impl Watch,
    guard: G,
) -> Opening {
    let frames = frames(stream, from, Some(watch));
    let guarded = frames.map(move |frame| {
        let _held = &guard;
        frame
    });
    Opening::Frames(guarded.boxed())
}

/// A watch for streams that wait for nothing.
enum Never {}

impl Watch for Never {
    async fn waiting(&self) -> Option<Waiting> {
        match *self {}
    }
}

fn frames<W: Watch>(
    stream: Arc<TaskStream>,
    from: ReadFrom,
    watch: Option<W>,
) -> impl Stream<Item = Frame> + Send {
    let moved = stream.subscribe();
    let reader = Reader {
        stream,
        moved,
        watch,
        unchecked: match from {
            ReadFrom::Start => None,
            ReadFrom::After(id) => Some(id),
        },
        started_due: from == ReadFrom::Start,
        position: from.position(),
        attempt: 0,
        attempt_due: false,
        idle: true,
        asked: false,
        told: None,
        ready: VecDeque::new(),
        over: false,
    };
    unfold(reader, |mut reader| async move {
        reader.next().await.map(|frame| (frame, reader))
    })
}

struct Reader<W> {
    stream: Arc<TaskStream>,
    moved: watch::Receiver<u64>,
    watch: Option<W>,
    /// The reader's own place, until our text is long enough to compare.
    unchecked: Option<StreamId>,
    started_due: bool,
    position: u64,
    attempt: u32,
    attempt_due: bool,
    /// True while no attempt writes.
    idle: bool,
    /// True once the queue has been looked at.
    asked: bool,
    told: Option<Waiting>,
    ready: VecDeque<Frame>,
    over: bool,
}

impl<W: Watch> Reader<W> {
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(frame);
            }
            if self.over {
                return None;
            }
            self.moved.mark_unchanged();
            self.look();
            self.announce_attempt().await;
            if self.ready.is_empty() && !self.over {
                self.wait().await;
            }
        }
    }

    /// Tells of a later attempt, before what it brings.
    async fn announce_attempt(&mut self) {
        let Some(watch) = self.watch.as_ref().filter(|_| self.attempt_due) else {
            return;
        };
        let standing = watch.waiting().await.unwrap_or_default();
        self.attempt_due = false;
        let after_start = usize::from(matches!(self.ready.front(), Some(Frame::Started { .. })));
        self.ready.insert(
            after_start,
            Frame::Metrics(Waiting {
                attempt: self.attempt,
                ..standing
            }),
        );
    }

    /// Collects what is new.
    fn look(&mut self) {
        let glimpse = self.stream.glimpse(self.position, self.unchecked);
        self.idle = glimpse.idle;
        match (glimpse.prefix, self.unchecked) {
            (Prefix::Same, _) => self.unchecked = None,
            (Prefix::Differs, Some(id)) => {
                return self.diverge(format!(
                    "the text up to token {} is not the one that was read before",
                    id.position
                ));
            }
            (Prefix::Differs, None) | (Prefix::Pending, _) => {}
        }
        if let Some(head) = glimpse.head.filter(|_| self.started_due) {
            self.started_due = false;
            self.ready.push_back(Frame::Started {
                started: head.started,
                accepted_position: head.accepted_position,
                seed: head.seed,
            });
        }
        // The first attempt is told of by `started`; a reader that came back has seen that.
        if glimpse.attempt > self.attempt.max(1) {
            self.attempt_due = self.watch.is_some();
        }
        self.attempt = self.attempt.max(glimpse.attempt);
        for (id, text) in glimpse.tokens {
            self.position = id.position;
            self.ready.push_back(Frame::Token { id, text });
        }
        if let Some(terminal) = glimpse.terminal {
            self.finish(terminal);
        }
    }

    fn finish(&mut self, terminal: Terminal) {
        let ahead = self.unchecked.is_some() || self.position > terminal.position;
        if ahead && matches!(terminal.end, TaskEnd::Finished { .. }) {
            return self.diverge(format!(
                "the text ended at token {}, before the place that was read",
                terminal.position
            ));
        }
        self.ready.push_back(Frame::Ended {
            id: self.stream.id_of_end(),
            end: terminal.end,
        });
        self.over = true;
    }

    fn diverge(&mut self, detail: String) {
        self.ready.push_back(Frame::Diverged { detail });
        self.over = true;
    }

    /// Waits for a change, and looks at the queue while no attempt is under way.
    async fn wait(&mut self) {
        let Some(watch) = self.watch.as_ref().filter(|_| self.idle) else {
            return changed(&mut self.moved).await;
        };
        if self.asked {
            tokio::select! {
                () = changed(&mut self.moved) => return,
                () = tokio::time::sleep(WAITING_INTERVAL) => {}
            }
        }
        self.asked = true;
        let standing = watch.waiting().await;
        let news = standing
            .map(|standing| Waiting {
                attempt: self.attempt,
                ..standing
            })
            .filter(|standing| {
                let waits =
                    standing.queue_position.is_some() || standing.predicted_start_ms.is_some();
                waits && self.told != Some(*standing)
            });
        if let Some(standing) = news {
            self.told = Some(standing);
            self.ready.push_back(Frame::Metrics(standing));
        }
    }
}

/// Waits until the stream moved.
async fn changed(moved: &mut watch::Receiver<u64>) {
    // The reader holds the stream, and so the sender: there is always somebody who can move it.
    let _moved = moved.changed().await;
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
