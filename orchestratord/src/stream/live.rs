//! The text of one live task as it grows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use orchestrator_core::id::AttemptId;
use orchestrator_core::task::{Started, TaskEnd, TaskRecord};
use store::TaskText;
use tokio::sync::watch;

use super::id::{PrefixHash, StreamId};

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// The text had another token at this index.
    Diverged {
        /// Index of the token.
        index: u64,
    },
    /// The attempt may not write any more: it was stopped, or another one writes now.
    Revoked,
}

/// The end of a task, as its readers are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Terminal {
    /// How it ended.
    pub end: TaskEnd,
    /// Final position of the text.
    pub position: u64,
}

/// What every reader is told first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) started: Started,
    pub(super) accepted_position: u64,
    pub(super) seed: u32,
}

/// The text of one live task, shared by its writer and its readers.
#[derive(Debug)]
pub struct TaskStream {
    state: Mutex<State>,
    /// Moves whenever something changed; readers wait on it.
    moved: watch::Sender<u64>,
    /// Readers whose coming and going matters to the task.
    pub(super) readers: Mutex<u32>,
}

#[derive(Debug, Default)]
struct State {
    head: Option<Head>,
    text: TaskText,
    /// Hash of the text after each token.
    hashes: Vec<u64>,
    hash: PrefixHash,
    attempt: u32,
    writer: Option<AttemptId>,
    terminal: Option<Terminal>,
}

/// What a reader finds from its position on.
#[derive(Clone, Debug, Default)]
pub(super) struct Glimpse {
    pub(super) head: Option<Head>,
    pub(super) prefix: Prefix,
    pub(super) tokens: Vec<(StreamId, String)>,
    pub(super) attempt: u32,
    /// True while no attempt writes.
    pub(super) idle: bool,
    pub(super) terminal: Option<Terminal>,
}

/// How the prefix of a reader that came back compares with ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Prefix {
    /// It is another.
    Differs,
    /// Ours is not that long yet.
    Pending,
    /// It is the same, or there is nothing to compare.
    #[default]
    Same,
}

/// Most tokens that a reader takes in one look, so that one long text does not hold the lock.
const GLIMPSE_TOKENS_MAX: usize = 256;
/// Bytes of tokens after which a reader takes no more in one look, so that a slow one has little waiting.
const GLIMPSE_BYTES_MAX: usize = 16 << 10;

impl Default for TaskStream {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            moved: watch::Sender::new(0),
            readers: Mutex::new(0),
        }
    }
}

impl TaskStream {
    /// The stream of a task that has ended, from its record and its durable text.
    pub(super) fn ended(record: &TaskRecord, text: &TaskText) -> Self {
        let stream = Self::default();
        // A fresh stream takes any text: there is nothing to differ from.
        let _ = stream.seed(text);
        if let Some(started) = &record.started {
            stream.start(
                Started::clone(started),
                record.accepted_position,
                record.spec.seed,
            );
        }
        let position = text.tokens();
        if let Some(end) = &record.end {
            stream.end(Terminal {
                end: end.clone(),
                position,
            });
        }
        stream
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.moved.send_modify(|version| *version += 1);
    }

    /// A number that is another one once a reader may find something new.
    pub fn version(&self) -> u64 {
        *self.moved.borrow()
    }

    /// The final position of a task that has ended.
    pub(super) fn last_position(&self) -> Option<u64> {
        let state = self.state();
        state.terminal.as_ref().map(|terminal| terminal.position)
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Takes the durable text of an earlier process or attempt, if it is longer than what is here.
    ///
    /// # Errors
    /// [`PushError::Diverged`] if the two texts differ where both have tokens.
    pub fn seed(&self, text: &TaskText) -> Result<(), PushError> {
        let mut state = self.state();
        for (index, position) in (0..text.ends.len()).zip(0_u64..) {
            let token = text.token(index).unwrap_or_default();
            state.place(position, token)?;
        }
        drop(state);
        self.wake();
        Ok(())
    }

    /// The next token of an attempt, at an index. A token that is here already must be the same.
    ///
    /// # Errors
    /// See [`PushError`].
    pub fn push(&self, attempt: AttemptId, index: u64, token: &str) -> Result<(), PushError> {
        let mut state = self.state();
        if state.writer != Some(attempt) {
            return Err(PushError::Revoked);
        }
        let fresh = state.place(index, token)?;
        drop(state);
        if fresh {
            self.wake();
        }
        Ok(())
    }

    /// Takes no further token from an attempt. Until another one begins, the text is what it is now.
    pub fn revoke(&self, attempt: AttemptId) {
        let mut state = self.state();
        if state.writer == Some(attempt) {
            state.writer = None;
        }
    }

    /// The task was dispatched for the first time.
    pub fn start(&self, started: Started, accepted_position: u64, seed: u32) {
        let mut state = self.state();
        if state.head.is_none() {
            state.head = Some(Head {
                started,
                accepted_position,
                seed,
            });
        }
        drop(state);
        self.wake();
    }

    /// An attempt begins to write, in place of any other.
    pub fn begin(&self, attempt: AttemptId, number: u32) {
        let mut state = self.state();
        if state.terminal.is_none() {
            state.attempt = number;
            state.writer = Some(attempt);
        }
        drop(state);
        self.wake();
    }

    /// The task has ended; readers are told once they have the text. Where the end was decided without the
    /// attempt that wrote last, previews beyond the final position may be here: they never counted, and no
    /// further reader is given them.
    pub fn end(&self, terminal: Terminal) {
        let mut state = self.state();
        state.writer = None;
        if state.terminal.is_none() {
            state.truncate(terminal.position);
        }
        state.terminal.get_or_insert(terminal);
        drop(state);
        self.wake();
    }

    /// Tokens so far.
    pub fn position(&self) -> u64 {
        self.state().text.tokens()
    }

    /// The whole text so far.
    pub fn text(&self) -> TaskText {
        self.state().text.clone()
    }

    /// Tokens from a position on.
    pub fn text_from(&self, position: u64) -> TaskText {
        let state = self.state();
        let mut part = TaskText::default();
        for index in usize::try_from(position).unwrap_or(usize::MAX)..state.text.ends.len() {
            part.push(state.text.token(index).unwrap_or_default());
        }
        part
    }

    /// Where a reader stands that has everything up to a position; none if the text is not that long yet.
    #[cfg(test)]
    pub(super) fn id_at(&self, position: u64) -> Option<StreamId> {
        self.state().id_at(position)
    }

    /// Where a reader stands that has all the text and the end after it.
    pub(super) fn id_of_end(&self) -> StreamId {
        let state = self.state();
        StreamId {
            position: state.text.tokens(),
            hash: state.hash.ended(),
        }
    }

    /// What there is from a position on. A reader that came back names its place, and gets no token before
    /// that is known to be ours.
    pub(super) fn glimpse(&self, position: u64, came_back: Option<StreamId>) -> Glimpse {
        let state = self.state();
        let prefix = came_back.map_or(Prefix::Same, |id| match state.id_at(id.position) {
            Some(ours) if ours == id => Prefix::Same,
            Some(_) => Prefix::Differs,
            None => Prefix::Pending,
        });
        let tokens = if prefix == Prefix::Same {
            state.tokens(position)
        } else {
            Vec::new()
        };
        let told = tokens.last().map_or(position, |(id, _)| id.position);
        let whole = prefix != Prefix::Same || told >= state.text.tokens();
        Glimpse {
            head: state.head.clone(),
            prefix,
            tokens,
            attempt: state.attempt,
            idle: state.writer.is_none(),
            terminal: state.terminal.clone().filter(|_| whole),
        }
    }
}

impl State {
    /// Puts a token at an index. True if it is new there.
    fn place(&mut self, index: u64, token: &str) -> Result<bool, PushError> {
        let length = self.text.tokens();
        let present = usize::try_from(index)
            .ok()
            .and_then(|index| self.text.token(index));
        match present {
            Some(present) if present == token => Ok(false),
            None if index == length => {
                self.text.push(token);
                let hash = self.hash.push(token);
                self.hashes.push(hash);
                Ok(true)
            }
            _ => Err(PushError::Diverged { index }),
        }
    }

    /// Tokens from a position on, as many as a reader takes in one look.
    fn tokens(&self, position: u64) -> Vec<(StreamId, String)> {
        let from = usize::try_from(position).unwrap_or(usize::MAX);
        let to = self
            .text
            .ends
            .len()
            .min(from.saturating_add(GLIMPSE_TOKENS_MAX));
        let mut bytes = 0;
        (from..to)
            .map_while(|index| {
                let text = self
                    .text
                    .token(index)
                    .filter(|_| bytes < GLIMPSE_BYTES_MAX)?;
                bytes += text.len();
                let id = StreamId {
                    position: index as u64 + 1,
                    hash: self.hashes[index],
                };
                Some((id, text.to_owned()))
            })
            .collect()
    }

    /// Forgets the tokens after a position.
    fn truncate(&mut self, position: u64) {
        let length = usize::try_from(position).unwrap_or(usize::MAX);
        if length >= self.text.ends.len() {
            return;
        }
        self.text.ends.truncate(length);
        let bytes = self.text.ends.last().map_or(0, |end| *end as usize);
        self.text.text.truncate(bytes);
        self.hashes.truncate(length);
        self.hash = PrefixHash::default();
        self.hash.push(&self.text.text);
    }

    fn id_at(&self, position: u64) -> Option<StreamId> {
        let hash = match position.checked_sub(1) {
            None => PrefixHash::default().value(),
            Some(last) => *self.hashes.get(usize::try_from(last).ok()?)?,
        };
        Some(StreamId { position, hash })
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
