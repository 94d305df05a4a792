//! The line in front of the slot, and what is known about the request inside.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::cancel::{Cancel, CancelOnDrop};
use super::{Event, Ticket, Totals};
use crate::generation::Request;

/// Requests that may wait while one is served. One more is refused.
pub(crate) const MAX_WAITING: usize = 64;

/// A request in line, with the model that it holds.
pub(crate) struct Job<H> {
    pub(crate) id: u64,
    pub(crate) request: Request,
    pub(crate) held: H,
    pub(crate) cancel: Arc<Cancel>,
    pub(crate) events: UnboundedSender<Event>,
}

/// The request that is being served.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) id: u64,
    pub(crate) n_prompt: usize,
    pub(crate) n_predict: Option<usize>,
    pub(crate) n_decoded: usize,
    cancel: Arc<Cancel>,
}

/// Why a request got no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Closed,
}

/// The slot, shared between those who ask and the thread that serves. `H` is how a request holds its model.
pub(crate) struct Slot<H> {
    state: Mutex<State<H>>,
    changed: Condvar,
}

struct State<H> {
    waiting: VecDeque<Job<H>>,
    running: Option<Running>,
    totals: Totals,
    last_id: u64,
    closed: bool,
}

impl<H> Default for Slot<H> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                running: None,
                totals: Totals::default(),
                last_id: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<H> State<H> {
    fn forget_cancelled(&mut self) {
        self.waiting.retain(|job| !job.cancel.is_cancelled());
    }
}

impl<H> Slot<H> {
    /// Puts a request in line. It holds its model until it has left the slot.
    pub(crate) fn submit(&self, request: Request, held: H) -> Result<Ticket, Refusal> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refusal::Closed);
        }
        state.forget_cancelled();
        // An idle slot will take the first in line at once, so that one does not count as waiting.
        let places = MAX_WAITING + usize::from(state.running.is_none());
        if state.waiting.len() >= places {
            return Err(Refusal::Full);
        }
        state.last_id += 1;
        let cancel = Arc::new(Cancel::default());
        let (sender, events) = unbounded_channel();
        let id = state.last_id;
        state.waiting.push_back(Job {
            id,
            request,
            held,
            cancel: Arc::clone(&cancel),
            events: sender,
        });
        self.changed.notify_all();
        Ok(Ticket {
            events,
            _cancel: CancelOnDrop(cancel),
        })
    }

    /// Waits for the next request and lets it into the slot. `None` once the slot is closed.
    pub(crate) fn next(&self) -> Option<Job<H>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            state.forget_cancelled();
            if let Some(job) = state.waiting.pop_front() {
                state.running = Some(Running {
                    id: job.id,
                    n_prompt: job.request.prompt.len(),
                    n_predict: job.request.n_predict,
                    n_decoded: 0,
                    cancel: Arc::clone(&job.cancel),
                });
                return Some(job);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The request inside has left.
    pub(crate) fn release(&self) {
        self.lock().running = None;
    }

    /// The request inside has generated so many tokens.
    pub(crate) fn progress(&self, n_decoded: usize) {
        if let Some(running) = &mut self.lock().running {
            running.n_decoded = n_decoded;
        }
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Totals)) {
        change(&mut self.lock().totals);
    }

    /// Nobody gets in any more; whoever is in line or inside is sent away.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        if let Some(running) = &state.running {
            running.cancel.cancel();
        }
        self.changed.notify_all();
    }

    pub(crate) fn running(&self) -> Option<Running> {
        self.lock().running.clone()
    }

    /// How many are in line.
    pub(crate) fn waiting(&self) -> usize {
        let mut state = self.lock();
        state.forget_cancelled();
        state.waiting.len()
    }

    pub(crate) fn totals(&self) -> Totals {
        self.lock().totals.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State<H>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
