//! The store, on a thread of its own.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use store::OwnerStore;

use super::flight::{StoreAnswer, StoreCall};
use super::mailbox::Mailbox;

/// The thread, and the owner's end of it.
pub(super) struct StoreThread<S> {
    pub(super) calls: Calls,
    pub(super) thread: JoinHandle<S>,
}

/// Starts the thread; answers go to the mailbox. It ends when the calls are dropped.
pub(super) fn start<S: OwnerStore + 'static>(
    store: S,
    answers: Arc<Mailbox>,
) -> io::Result<StoreThread<S>> {
    let desk = Arc::new(Desk::default());
    let calls = Calls(Arc::clone(&desk));
    let thread = thread::Builder::new()
        .name("owner-store".to_owned())
        .spawn(move || {
            let ends = Ends(answers);
            serve(store, &desk, &ends.0)
        })?;
    Ok(StoreThread { calls, thread })
}

/// Where the owner puts its one call.
pub(super) struct Calls(Arc<Desk>);

impl Calls {
    /// Calls the store. Nothing may be called before it has answered.
    pub(super) fn call(&self, call: StoreCall) {
        let mut place = self.0.place();
        debug_assert!(place.call.is_none(), "one call at a time");
        place.call = Some(call);
        drop(place);
        self.0.there.notify_one();
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.0.place().over = true;
        self.0.there.notify_one();
    }
}

#[derive(Default)]
struct Desk {
    place: Mutex<Place>,
    there: Condvar,
}

#[derive(Default)]
struct Place {
    call: Option<StoreCall>,
    over: bool,
}

impl Desk {
    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call; none if there will be none.
    fn next(&self) -> Option<StoreCall> {
        let mut place = self.place();
        loop {
            if let Some(call) = place.call.take() {
                return Some(call);
            }
            if place.over {
                return None;
            }
            place = self
                .there
                .wait(place)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that the thread ends, however it does.
struct Ends(Arc<Mailbox>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.store_ends();
    }
}

fn serve<S: OwnerStore>(mut store: S, desk: &Desk, answers: &Mailbox) -> S {
    while let Some(call) = desk.next() {
        answers.store_answers(match call {
            StoreCall::Commit(commit) => StoreAnswer::Committed(store.commit(&commit)),
            StoreCall::Load => StoreAnswer::Loaded(store.load().map(Box::new)),
            StoreCall::Probe(epoch) => StoreAnswer::Probed(store.probe(epoch)),
        });
    }
    store
}
