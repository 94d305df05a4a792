//! The store, on a thread of its own.

use std::io;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};
use store::OwnerStore;

use super::flight::{StoreAnswer, StoreCall};

/// The two ends of the thread, and the store at its end.
pub(super) struct StoreThread<S> {
    pub(super) calls: Sender<StoreCall>,
    pub(super) answers: Receiver<StoreAnswer>,
    pub(super) thread: JoinHandle<S>,
}

pub(super) fn start<S: OwnerStore + 'static>(store: S) -> io::Result<StoreThread<S>> {
    let (calls, calls_in) = bounded(1);
    let (answers_out, answers) = bounded(1);
    let thread = thread::Builder::new()
        .name("owner-store".to_owned())
        .spawn(move || serve(store, &calls_in, &answers_out))?;
    Ok(StoreThread {
        calls,
        answers,
        thread,
    })
}

fn serve<S: OwnerStore>(
    mut store: S,
    calls: &Receiver<StoreCall>,
    answers: &Sender<StoreAnswer>,
) -> S {
    for call in calls {
        let answer = match call {
            StoreCall::Commit(commit) => StoreAnswer::Committed(store.commit(&commit)),
            StoreCall::Load => StoreAnswer::Loaded(store.load().map(Box::new)),
            StoreCall::Probe(epoch) => StoreAnswer::Probed(store.probe(epoch)),
        };
        if answers.send(answer).is_err() {
            break;
        }
    }
    store
}
