//! Who takes the owner's turns: its thread, or whoever comes alone.

use std::sync::mpsc;
use std::thread;

use orchestrator_core::id::{SessionId, SessionKey, TaskId, TenantId};
use orchestrator_core::input::Ask;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::TaskState;
use store::OwnerStore;
use store_memory::{Fault, MemoryStore};

use super::gate::{Gate, Seen, Spy, Whereabouts, ask, gated, start, state, stood_in_for, wait};
use super::things::{cancel, config, create};
use crate::owner::{Dice, Owner, OwnerHandle, OwnerLimits, SystemClock, spawn};

fn accept(handle: &OwnerHandle, id: u128) {
    let accepted = ask(handle, create(id, ClassName::BATCH));
    assert_eq!(state(accepted), TaskState::Queued);
}

/// An owner whose commits wait at a gate, whose thread sleeps, and for which whoever comes next stands in.
fn resting() -> (Owner<Gate>, mpsc::Receiver<u64>, mpsc::Sender<()>) {
    let (owner, arrivals, open) = gated(stood_in_for());
    let handle = owner.handle();
    open.send(()).unwrap();
    accept(&handle, 1);
    assert_eq!(arrivals.recv(), Ok(1));
    handle.settle();
    (owner, arrivals, open)
}

/// The name of this thread, which is that of the test.
fn here() -> String {
    thread::current().name().unwrap().to_owned()
}

#[test]
fn who_comes_alone_takes_the_turn_once_a_commit_was_quick() {
    let (tell, told) = mpsc::channel();
    let (owner, _seen) = start(Whereabouts(MemoryStore::new(), tell), stood_in_for());
    let handle = owner.handle();
    for id in 1..=3 {
        accept(&handle, id);
        handle.settle();
    }
    let at: Vec<String> = told.try_iter().collect();
    assert_eq!(at, ["owner".to_owned(), here(), here()]);
    // What goes first, and a batch, are the thread's.
    assert_eq!(state(ask(&handle, cancel(1))), TaskState::Cancelled);
    handle.settle();
    let batch = vec![(create(4, ClassName::BATCH), None)];
    wait(handle.command_batch(batch)).unwrap();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["owner", "owner"]);
    drop(owner.stop());
}

#[test]
fn nobody_takes_the_turn_after_a_commit_that_was_not_quick() {
    let limits = OwnerLimits {
        stand_in_commit_us: 1,
        ..OwnerLimits::default()
    };
    let (owner, arrivals, open) = gated(limits);
    let handle = owner.handle();
    for id in 1..=3 {
        // Would it be carried out here, this would wait for itself.
        let asked = handle.command(create(id, ClassName::BATCH), None);
        assert!(arrivals.recv().is_ok());
        open.send(()).unwrap();
        assert_eq!(state(wait(asked)), TaskState::Queued);
        handle.settle();
    }
    drop(owner.stop());
}

#[test]
fn what_comes_while_somebody_stands_in_is_the_threads_and_one_commit() {
    let (owner, arrivals, open) = resting();
    let handle = owner.handle();
    let standing_in = {
        let handle = handle.clone();
        thread::spawn(move || accept(&handle, 2))
    };
    assert_eq!(arrivals.recv(), Ok(2));
    let rest: Vec<_> = (3..=4)
        .map(|id| handle.command(create(id, ClassName::BATCH), None))
        .collect();
    open.send(()).unwrap();
    standing_in.join().unwrap();
    assert_eq!(arrivals.recv(), Ok(3));
    open.send(()).unwrap();
    for reply in rest {
        assert_eq!(state(wait(reply)), TaskState::Queued);
    }
    let view = handle.view();
    assert_eq!((view.commit_seq, view.live_tasks), (3, 4));
    drop(owner.stop());
}

#[test]
fn the_thread_sleeps_no_longer_than_a_turn_in_its_place_asks_for() {
    let (spy, seen) = mpsc::channel();
    let mut short = config();
    short.session_ttl_ms = 20;
    let session = SessionKey::new(TenantId::DEFAULT, SessionId(5));
    let (clock, dice) = (SystemClock::default(), Dice::from_os());
    let limits = stood_in_for();
    let owner = spawn(MemoryStore::new(), short, limits, clock, dice, Spy(spy)).unwrap();
    let handle = owner.handle();
    // The thread sleeps for good after this.
    accept(&handle, 1);
    handle.settle();
    let mut second = create(2, ClassName::BATCH);
    if let Ask::TaskCreate { create, .. } = &mut second {
        create.spec.session = Some(session.session);
    }
    assert_eq!(state(ask(&handle, second)), TaskState::Queued);
    let gone = seen.iter().any(|seen| match seen {
        Seen::Commit(mutations) => mutations.contains(&Mutation::SessionDelete(session)),
        _ => false,
    });
    assert!(gone);
    drop(owner.stop());
}

#[test]
fn stopping_waits_for_who_stands_in() {
    let (owner, arrivals, open) = resting();
    let handle = owner.handle();
    let standing_in = {
        let handle = handle.clone();
        thread::spawn(move || accept(&handle, 2))
    };
    assert_eq!(arrivals.recv(), Ok(2));
    let stopping = thread::spawn(move || owner.stop());
    open.send(()).unwrap();
    standing_in.join().unwrap();
    let mut store = stopping.join().unwrap();
    assert_eq!(store.inner.load().unwrap().tasks.len(), 2);
    assert!(ask(&handle, create(3, ClassName::BATCH)).is_err());
}

#[test]
fn a_panic_of_who_stands_in_is_the_end_of_the_owner_and_not_of_who_asked() {
    let (owner, _arrivals, open) = resting();
    let handle = owner.handle();
    drop(open);
    let unknown = ask(&handle, create(2, ClassName::BATCH)).unwrap_err();
    assert!(!unknown.is_not_applied(), "{unknown:?}");
    wait(handle.ended());
    let view = handle.view();
    assert!(!view.serving && view.store_trouble.is_some());
    let panic = thread::spawn(move || drop(owner.stop())).join();
    assert!(panic.is_err(), "whoever stops it learns of the panic");
    let late = ask(&handle, create(3, ClassName::BATCH)).unwrap_err();
    assert!(late.is_not_applied(), "{late:?}");
}

#[test]
fn a_commit_that_fails_in_somebodys_turn_is_tried_again_by_the_thread() {
    let store = MemoryStore::new();
    let faults = store.faults().clone();
    let (owner, _seen) = start(store, stood_in_for());
    let handle = owner.handle();
    accept(&handle, 1);
    handle.settle();
    faults.plan_commits([Some(Fault::NotApplied), Some(Fault::NotApplied)]);
    accept(&handle, 2);
    handle.settle();
    faults.plan_commits([Some(Fault::Broken)]);
    let refused = ask(&handle, create(3, ClassName::BATCH)).unwrap_err();
    assert!(refused.is_not_applied(), "{refused:?}");
    drop(owner.stop());
}

/// Everybody asks, alone at times and together at others: whoever would not be woken would wait for ever.
#[test]
fn everybody_is_answered_whoever_takes_the_turns() {
    const EACH: u128 = 200;
    let (owner, _seen) = start(MemoryStore::new(), stood_in_for());
    let askers: Vec<_> = (0..4)
        .map(|asker| {
            let handle = owner.handle();
            thread::spawn(move || {
                for id in (1..=EACH).map(|nth| asker * EACH + nth) {
                    accept(&handle, id);
                    let seen = wait(handle.ask_live(move |machine, _| machine.is_live(TaskId(id))));
                    assert_eq!(seen, Ok(true));
                    assert_eq!(state(ask(&handle, cancel(id))), TaskState::Cancelled);
                }
            })
        })
        .collect();
    askers.into_iter().for_each(|asker| asker.join().unwrap());
    assert_eq!(owner.handle().view().live_tasks, 0);
    drop(owner.stop());
}
