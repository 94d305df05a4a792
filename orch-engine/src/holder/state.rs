//! Which model is there, who uses it, and who waits for which.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Held;
use crate::slot::{MAX_WAITING, Refusal};

/// Holds one model, and changes it when another is asked for.
pub(crate) struct Holder<M> {
    state: Mutex<State<M>>,
    /// Something happened that a change may have waited for.
    changed: Condvar,
}

struct State<M> {
    there: Option<(usize, Arc<M>)>,
    /// How many use the one that is there.
    users: usize,
    /// The one that is being brought in.
    coming: Option<usize>,
    waiting: VecDeque<Waiter<M>>,
    /// Those whose last load failed.
    failed: BTreeSet<usize>,
    loads: Loads,
    /// One was there already.
    started: bool,
    closed: bool,
}

struct Waiter<M> {
    index: usize,
    tell: oneshot::Sender<Result<Held<M>, TakeError>>,
}

/// Why somebody got no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TakeError {
    /// It could not be loaded.
    Load(String),
    /// It cannot even be waited for.
    Refused(Refusal),
}

/// Loads since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Loads {
    /// Models that were loaded.
    pub(crate) count: u64,
    /// Time that this took, failures included.
    pub(crate) time: Duration,
}

/// How one model stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Loaded,
    Loading,
    Unloaded { failed: bool },
}

impl<M> Default for Holder<M> {
    /// Nothing is there, and the first model is to come.
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                there: None,
                users: 0,
                coming: Some(0),
                waiting: VecDeque::new(),
                failed: BTreeSet::new(),
                loads: Loads::default(),
                started: false,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<M> Holder<M> {
    /// Whether the first model is not there yet.
    pub(crate) fn is_starting(&self) -> bool {
        !self.lock().started
    }

    /// The model that whoever names none gets: the one that is there or comes, else the first.
    pub(crate) fn current(&self) -> usize {
        let state = self.lock();
        let there = state.there.as_ref().map(|(index, _)| *index);
        state.coming.or(there).unwrap_or(0)
    }

    pub(crate) fn standing(&self, index: usize) -> Standing {
        let state = self.lock();
        match &state.there {
            Some((there, _)) if *there == index => Standing::Loaded,
            _ if state.coming == Some(index) => Standing::Loading,
            _ => Standing::Unloaded {
                failed: state.failed.contains(&index),
            },
        }
    }

    /// The model that is there, to be looked at and given back at once.
    pub(crate) fn there(self: &Arc<Self>) -> Option<Held<M>> {
        let mut state = self.lock();
        let (index, model) = state.there.clone()?;
        state.users += 1;
        drop(state);
        Some(Held::new(index, model, Arc::clone(self)))
    }

    pub(crate) fn loads(&self) -> Loads {
        self.lock().loads
    }

    /// How many wait for a model.
    pub(crate) fn waiting(&self) -> usize {
        let mut state = self.lock();
        state.forget_those_who_left();
        state.waiting.len()
    }

    /// Waits for a model, in line.
    pub(crate) async fn take(self: &Arc<Self>, index: usize) -> Result<Held<M>, TakeError> {
        let told = self.line_up(index)?;
        told.await
            .unwrap_or(Err(TakeError::Refused(Refusal::Closed)))
    }

    /// A place in line for a model. Whoever drops it has left.
    pub(super) fn line_up(
        self: &Arc<Self>,
        index: usize,
    ) -> Result<oneshot::Receiver<Result<Held<M>, TakeError>>, TakeError> {
        let mut state = self.lock();
        if state.closed {
            return Err(TakeError::Refused(Refusal::Closed));
        }
        state.forget_those_who_left();
        if state.waiting.len() >= MAX_WAITING {
            return Err(TakeError::Refused(Refusal::Full));
        }
        let (tell, told) = oneshot::channel();
        state.waiting.push_back(Waiter { index, tell });
        let left = self.serve(&mut state);
        drop(state);
        drop(left);
        self.changed.notify_all();
        Ok(told)
    }

    /// Gives the model that is there to those at the front who wait for it. Those who left meanwhile are
    /// given back, to be dropped without the lock.
    fn serve(self: &Arc<Self>, state: &mut State<M>) -> Vec<Result<Held<M>, TakeError>> {
        let mut left = Vec::new();
        while let Some((there, model)) = &state.there
            && state.waiting.front().is_some_and(|it| it.index == *there)
            && let Some(waiter) = state.waiting.pop_front()
        {
            let held = Held::new(*there, Arc::clone(model), Arc::clone(self));
            state.users += 1;
            left.extend(waiter.tell.send(Ok(held)).err());
        }
        left
    }

    /// A use is over.
    pub(super) fn give_back(&self) {
        self.lock().users -= 1;
        self.changed.notify_all();
    }

    /// Waits until a model is to be brought in, and says which; the one before it has left memory by then.
    /// `None` once the holder is closed.
    pub(super) fn next_load(self: &Arc<Self>) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            // Who stood before them may have left, and then nothing keeps those of this model waiting.
            state.forget_those_who_left();
            let left = self.serve(&mut state);
            if !left.is_empty() {
                drop(state);
                drop(left);
                state = self.lock();
                continue;
            }
            state.coming = state.coming.or_else(|| state.wanted());
            if let Some(index) = state.coming {
                let before = state.there.take();
                drop(state);
                drop(before);
                return Some(index);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What became of a load: the model goes to those who wait for it, or all of them hear why it does not.
    pub(super) fn loaded(
        self: &Arc<Self>,
        index: usize,
        outcome: Result<M, String>,
        took: Duration,
    ) {
        let mut state = self.lock();
        state.coming = None;
        state.loads.time += took;
        let left = match outcome {
            Ok(model) => {
                state.loads.count += 1;
                state.started = true;
                state.failed.remove(&index);
                state.there = Some((index, Arc::new(model)));
                self.serve(&mut state)
            }
            Err(why) => {
                state.failed.insert(index);
                let all = std::mem::take(&mut state.waiting).into_iter();
                let (of_it, others): (VecDeque<_>, _) = all.partition(|it| it.index == index);
                state.waiting = others;
                let error = || Err(TakeError::Load(why.clone()));
                let told = of_it.into_iter().map(|it| it.tell.send(error()));
                told.filter_map(Result::err).collect()
            }
        };
        drop(state);
        drop(left);
        self.changed.notify_all();
    }

    /// Nobody gets a model any more; whoever waits is sent away.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> State<M> {
    fn forget_those_who_left(&mut self) {
        self.waiting.retain(|waiter| !waiter.tell.is_closed());
    }

    /// The model that the first in line waits for, if nobody uses the one that is there.
    fn wanted(&self) -> Option<usize> {
        let first = self.waiting.front().map(|waiter| waiter.index);
        first.filter(|_| self.users == 0)
    }
}
