//! One reader's frames, from where it stands to the end, without tasks, clocks or channels.

use std::collections::VecDeque;
use std::sync::Arc;

use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::TaskEnd;
use orchestrator_core::time::MonoMs;

use super::frame::{Frame, Waiting};
use super::id::StreamId;
use super::live::{Prefix, TaskStream, Terminal};

/// Pause between two looks at a waiting task's place in the queue, or at a budget, in milliseconds.
pub const WAITING_INTERVAL_MS: u64 = 1_000;

/// The same while it runs in a session without a budget: somebody may put one.
const UNLIMITED_INTERVAL_MS: u64 = 10_000;

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

/// What a reader does next.
#[derive(Clone, Debug, PartialEq)]
pub enum ReaderStep {
    /// It is told this.
    Frame(Frame),
    /// It has been told everything, the terminal frame included; or, without one, everything that is here of a
    /// task that another owner ended, and finds the rest when it comes back.
    Over,
    /// It needs to know where the task stands, in the queue and with its budget: see [`ReaderState::standing`].
    Standing,
    /// Nothing before the stream moves or, if there is one, this time comes.
    Wait(Option<MonoMs>),
}

/// One reader of one task without tasks, clocks or channels.
///
/// # How to drive it
///
/// 1. Make it over a live task with [`ReaderState::live`], or over one that has ended with
///    [`ReaderState::ended`].
/// 2. Remember [`TaskStream::version`], then call [`ReaderState::next`] and do as it says. It may be called at
///    any time, also too often.
/// 3. Where it waits, come back when the version is another one, or the time has come.
#[derive(Debug)]
pub struct ReaderState {
    stream: Arc<TaskStream>,
    /// True if it is told of waiting and of later attempts.
    watches: bool,
    /// True if it is told what is left of a budget, as long as the task lives.
    metered: bool,
    /// The reader's own place, until our text is long enough to compare.
    unchecked: Option<StreamId>,
    started_due: bool,
    position: u64,
    attempt: u32,
    /// True while no attempt writes.
    idle: bool,
    /// What the standing in the queue is wanted for.
    wanted: Option<Wanted>,
    /// True once the queue has been looked at.
    asked: bool,
    /// When it is looked at again.
    look_at: Option<MonoMs>,
    told: Option<Waiting>,
    /// False once its session was seen to have no budget.
    limited: bool,
    ready: VecDeque<Frame>,
    /// The stream's version when what is ready was held against its end.
    version: u64,
    over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// A later attempt is announced, before what it brings.
    Announcement,
    /// The place in the queue is told if it is news.
    Place,
}

impl ReaderState {
    /// Of a live task.
    #[must_use]
    pub fn live(stream: Arc<TaskStream>, from: ReadFrom) -> Self {
        Self::new(stream, from, true)
    }

    /// The same, of a task in a session, of whose budget it is told what is left.
    #[must_use]
    pub fn metered(self) -> Self {
        Self {
            metered: true,
            ..self
        }
    }

    /// Of a task that has ended, over all of its text and its end; `None` if the reader has seen everything, the
    /// terminal frame included.
    #[must_use]
    pub fn ended(stream: Arc<TaskStream>, from: ReadFrom) -> Option<Self> {
        let seen = matches!(from, ReadFrom::After(id) if stream.id_of_end() == id);
        (!seen).then(|| Self::new(stream, from, false))
    }

    fn new(stream: Arc<TaskStream>, from: ReadFrom, watches: bool) -> Self {
        Self {
            stream,
            watches,
            metered: false,
            unchecked: match from {
                ReadFrom::Start => None,
                ReadFrom::After(id) => Some(id),
            },
            started_due: from == ReadFrom::Start,
            position: from.position(),
            attempt: 0,
            idle: true,
            wanted: None,
            asked: false,
            look_at: None,
            told: None,
            limited: true,
            ready: VecDeque::new(),
            version: 0,
            over: false,
        }
    }

    /// The stream that it reads.
    #[must_use]
    pub fn stream(&self) -> &Arc<TaskStream> {
        &self.stream
    }

    /// What to do next.
    pub fn next(&mut self, now: MonoMs) -> ReaderStep {
        if self.ready.is_empty() && !self.over {
            self.look();
        }
        // Before anything is asked for: what is found in its place may be a later attempt and the end, in this order.
        self.forget_what_never_counted();
        if self.wanted == Some(Wanted::Place) && !self.ready.is_empty() {
            // While nobody has answered, something happened that matters more.
            self.wanted = None;
        }
        if self.wanted.is_some() {
            return ReaderStep::Standing;
        }
        match self.ready.pop_front() {
            Some(frame) => ReaderStep::Frame(frame),
            None if self.over => ReaderStep::Over,
            None => self.wait(now),
        }
    }

    /// Tokens that were collected and not told, and lie beyond the end of a task that ended meanwhile, are told no
    /// more: its end may have been decided without them, and whoever cancelled it may have been told so.
    fn forget_what_never_counted(&mut self) {
        let version = self.stream.version();
        if std::mem::replace(&mut self.version, version) == version {
            return;
        }
        let Some(last) = self.stream.last_position() else {
            return;
        };
        let beyond = |frame: &Frame| matches!(frame, Frame::Token { id, .. } if id.position > last);
        let Some(first) = self.ready.iter().position(beyond) else {
            return;
        };
        // Only tokens follow one another here: the terminal frame is not collected before it is there.
        if let Some(Frame::Token { id, .. }) = self.ready.get(first) {
            self.position = id.position - 1;
        }
        self.ready.truncate(first);
        if self.ready.is_empty() {
            self.look();
        }
    }

    /// True while a later attempt is to be announced: nothing else is told before that is answered.
    #[must_use]
    pub fn announces(&self) -> bool {
        self.wanted == Some(Wanted::Announcement)
    }

    /// Takes the answer to [`ReaderStep::Standing`]: where the task stands, if anybody knows. It may come late, when
    /// something else has been told meanwhile. Its field `attempt` is filled in here.
    pub fn standing(&mut self, standing: Option<Waiting>) {
        let attempt = self.attempt;
        let standing = standing.map(|it| Waiting { attempt, ..it });
        self.limited = standing.is_none_or(|it| it.budget_left != SessionBudget::default());
        match self.wanted.take() {
            None if self.over => {}
            Some(Wanted::Announcement) => {
                let started = matches!(self.ready.front(), Some(Frame::Started { .. }));
                let unknown = Waiting {
                    attempt,
                    ..Waiting::default()
                };
                let frame = Frame::Metrics(standing.unwrap_or(unknown));
                self.ready.insert(usize::from(started), frame);
            }
            None | Some(Wanted::Place) => {
                // A place in the queue is none any more once an attempt has begun meanwhile.
                let holds = |it: &Waiting| self.idle || it.queue_position.is_none();
                let news = standing.filter(|it| holds(it) && self.is_news(it));
                if let Some(standing) = news {
                    self.told = Some(standing);
                    self.ready.push_back(Frame::Metrics(standing));
                }
            }
        }
    }

    /// Does it say what the reader has not been told? Of a task that does not wait, only what is left of a budget counts.
    fn is_news(&self, standing: &Waiting) -> bool {
        if standing.queue_position.is_some() || standing.predicted_start_ms.is_some() {
            return self.told != Some(*standing);
        }
        let told = self.told.map(|told| told.budget_left);
        told.unwrap_or_default() != standing.budget_left
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
        if self.watches && glimpse.attempt > self.attempt.max(1) {
            self.wanted = Some(Wanted::Announcement);
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
        if self.stream.position() < terminal.position {
            // Another owner wrote the rest. Whoever comes back is served from the store, which has all of it.
            self.over = true;
            return;
        }
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

    /// Waits for the stream to move, and looks at the queue while no attempt is under way, or at the budget.
    fn wait(&mut self, now: MonoMs) -> ReaderStep {
        if !(self.watches && (self.idle || self.metered)) {
            self.look_at = None;
            return ReaderStep::Wait(None);
        }
        if self.asked {
            let pause = if self.idle || self.limited {
                WAITING_INTERVAL_MS
            } else {
                UNLIMITED_INTERVAL_MS
            };
            let at = *self.look_at.get_or_insert(now + pause);
            if now < at {
                return ReaderStep::Wait(Some(at));
            }
        }
        self.asked = true;
        self.look_at = None;
        self.wanted = Some(Wanted::Place);
        ReaderStep::Standing
    }
}

#[cfg(test)]
mod tests;
