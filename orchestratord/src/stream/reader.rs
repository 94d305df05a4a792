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
use super::live::{TaskStream, Terminal};

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
        if let Some(id) = self.unchecked {
            match self.stream.id_at(id.position) {
                Some(ours) if ours == id => self.unchecked = None,
                Some(_) => {
                    return self.diverge(format!(
                        "the text up to token {} is not the one that was read before",
                        id.position
                    ));
                }
                None => {}
            }
        }
        let glimpse = self.stream.glimpse(self.position);
        if let Some(head) = glimpse.head {
            self.attempt = self.attempt.max(1);
            if self.started_due {
                self.started_due = false;
                self.ready.push_back(Frame::Started {
                    started: head.started,
                    accepted_position: head.accepted_position,
                    seed: head.seed,
                });
            }
        }
        if glimpse.attempt > self.attempt.max(1) {
            self.attempt = glimpse.attempt;
            self.ready.push_back(Frame::Metrics(Waiting {
                attempt: glimpse.attempt,
                ..Waiting::default()
            }));
        }
        for (id, text) in glimpse.tokens {
            self.position = id.position;
            self.ready.push_back(Frame::Token { id, text });
        }
        if let Some(terminal) = glimpse.terminal {
            self.finish(terminal);
        }
    }

    fn finish(&mut self, terminal: Terminal) {
        let behind = self.unchecked.is_some() && matches!(terminal.end, TaskEnd::Finished { .. });
        if behind {
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

    /// Waits for a change, and looks at the queue while the task waits.
    async fn wait(&mut self) {
        let Some(watch) = self.watch.as_ref().filter(|_| self.attempt == 0) else {
            return self.changed().await;
        };
        let waiting = if self.told.is_none() {
            watch.waiting().await
        } else {
            tokio::select! {
                () = changed(&mut self.moved, &mut self.over) => return,
                () = tokio::time::sleep(WAITING_INTERVAL) => watch.waiting().await,
            }
        };
        let news = waiting
            .filter(|waiting| waiting.queue_position.is_some() && self.told != Some(*waiting));
        match news {
            Some(waiting) => {
                self.told = Some(waiting);
                self.ready.push_back(Frame::Metrics(waiting));
            }
            None if self.told.is_none() => self.told = Some(Waiting::default()),
            None => {}
        }
    }

    async fn changed(&mut self) {
        changed(&mut self.moved, &mut self.over).await;
    }
}

/// Waits until the stream moved. A stream that nobody can move any more is over.
async fn changed(moved: &mut watch::Receiver<u64>, over: &mut bool) {
    if moved.changed().await.is_err() {
        *over = true;
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
