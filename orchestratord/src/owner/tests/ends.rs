//! How an owner on its threads ends: told to, dropped, by a panic, or to begin anew.

use std::sync::mpsc;
use std::thread;

use futures_util::FutureExt;
use orchestrator_core::effect::Effect;
use orchestrator_core::id::TaskId;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{FinishReason, TaskEnd, TaskState};
use store::{Commit, OwnerStore};
use store_memory::{Fault, MemoryStore};

use super::gate::{Seen, ask, both_ways, gated, start, state, stood_in_for, wait};
use super::things::{cancel, config, create, ready};
use crate::owner::{Dice, Notice, Outlet, OwnerLimits, SystemClock, spawn};

#[test]
fn stopping_brings_commits_to_their_end_and_gives_the_store_back() {
    for limits in both_ways() {
        let (owner, arrivals, open) = gated(limits);
        let handle = owner.handle();
        let flying = handle.command(create(1, ClassName::BATCH), None);
        assert_eq!(arrivals.recv(), Ok(1));
        let stopping = thread::spawn(move || owner.stop());
        open.send(()).unwrap();
        assert_eq!(state(wait(flying)), TaskState::Queued);
        // Anything stepped before the stop is committed too.
        drop(open);
        let mut store = stopping.join().unwrap();
        assert_eq!(store.inner.load().unwrap().tasks.len(), 1);
        let late = ask(&handle, create(3, ClassName::BATCH)).unwrap_err();
        assert!(late.is_not_applied(), "{late:?}");
        assert!(wait(handle.explain(TaskId(1))).is_err());
        assert!(!handle.view().serving);
        wait(handle.report(ready(), None));
    }
}

#[test]
fn an_owner_that_is_dropped_stops() {
    let (owner, seen) = start(MemoryStore::new(), OwnerLimits::default());
    let handle = owner.handle();
    assert_eq!(
        state(ask(&handle, create(1, ClassName::BATCH))),
        TaskState::Queued
    );
    drop(owner);
    // The spy is dropped with the owner.
    while seen.recv().is_ok() {}
    wait(handle.ended());
    assert!(ask(&handle, create(2, ClassName::BATCH)).is_err());
}

#[test]
fn whoever_asks_while_the_owner_stops_gets_an_answer() {
    for limits in both_ways().into_iter().chain([stood_in_for()]) {
        for _ in 0..25 {
            let (owner, _seen) = start(MemoryStore::new(), limits);
            let (begun, beginnings) = mpsc::channel();
            let askers: Vec<_> = (0..3)
                .map(|asker| {
                    let (handle, begun) = (owner.handle(), begun.clone());
                    thread::spawn(move || match asker {
                        0 => while ask(&handle, cancel(1)).is_ok() && begun.send(()).is_ok() {},
                        1 => {
                            while wait(handle.explain(TaskId(1))).is_ok() && begun.send(()).is_ok()
                            {
                            }
                        }
                        _ => {
                            while ask(&handle, create(1, ClassName::BATCH)).is_ok()
                                && begun.send(()).is_ok()
                            {}
                        }
                    })
                })
                .collect();
            (0..10).for_each(|_| beginnings.recv().unwrap());
            drop(owner.stop());
            askers.into_iter().for_each(|asker| asker.join().unwrap());
        }
    }
}

#[test]
fn a_panic_of_the_store_is_no_answer_but_an_end() {
    for limits in both_ways() {
        let (owner, arrivals, open) = gated(limits);
        let handle = owner.handle();
        let flying = handle.command(create(1, ClassName::BATCH), None);
        assert_eq!(arrivals.recv(), Ok(1));
        drop(open);
        let unknown = wait(flying).unwrap_err();
        assert!(!unknown.is_not_applied(), "{unknown:?}");
        wait(handle.ended());
        let panic = thread::spawn(move || drop(owner.stop())).join();
        assert!(panic.is_err(), "whoever stops it learns of the panic");
        let view = handle.view();
        assert!(!view.serving && view.store_trouble.is_some());
        assert!(ask(&handle, create(2, ClassName::BATCH)).is_err());
    }
}

/// An outlet that panics at the first effect, once it may.
struct Bomb {
    /// Says that the owner's thread has come to the effect.
    arrived: mpsc::Sender<()>,
    go: mpsc::Receiver<()>,
}

impl Outlet for Bomb {
    fn effect(&mut self, _effect: Effect) {
        self.arrived.send(()).unwrap();
        let _ = self.go.recv();
        panic!("as planned");
    }

    fn committed(&mut self, _commit: &Commit) {}

    fn notice(&mut self, _notice: Notice) {}
}

#[test]
fn a_panic_of_the_owner_answers_all_who_wait() {
    let (arrived, arrivals) = mpsc::channel();
    let (go, go_in) = mpsc::channel();
    let bomb = Bomb { arrived, go: go_in };
    let limits = OwnerLimits {
        report_lane: 1,
        ..OwnerLimits::default()
    };
    let clock = SystemClock::default();
    let dice = Dice::from_os();
    let owner = spawn(MemoryStore::new(), config(), limits, clock, dice, bomb).unwrap();
    let handle = owner.handle();
    wait(handle.report(ready(), None));
    let taken = handle.command(create(1, ClassName::INTERACTIVE), None);
    arrivals.recv().unwrap();
    // The owner's thread is busy: these wait in each of the lanes, and one for a place.
    let created = handle.command(create(2, ClassName::INTERACTIVE), None);
    let cancelled = handle.command(cancel(1), None);
    let looked = handle.ask_live(|machine, _| machine.live_count());
    wait(handle.report(ready(), None));
    let mut reporter = Box::pin(handle.report(ready(), None));
    assert_eq!((&mut reporter).now_or_never(), None);
    let mut ended = Box::pin(handle.ended());
    assert_eq!((&mut ended).now_or_never(), None);

    drop(go);
    wait(ended);
    assert!(!handle.view().serving);
    for command in [taken, created, cancelled] {
        let unknown = wait(command).unwrap_err();
        assert!(!unknown.is_not_applied(), "{unknown:?}");
    }
    assert!(wait(looked).is_err());
    wait(reporter);
    let late = ask(&handle, create(3, ClassName::INTERACTIVE)).unwrap_err();
    assert!(late.is_not_applied(), "{late:?}");
    wait(handle.ended());
    let panic = thread::spawn(move || drop(owner.stop())).join();
    assert!(panic.is_err(), "whoever stops it learns of the panic");
}

#[test]
fn it_recovers_by_itself_after_stepping_down() {
    let store = MemoryStore::new();
    let faults = store.faults().clone();
    let limits = OwnerLimits {
        recovery_pause_ms: 1,
        ..OwnerLimits::default()
    };
    let (owner, seen) = start(store, limits);
    let handle = owner.handle();
    faults.plan_commits([Some(Fault::Broken)]);
    let refused = ask(&handle, create(1, ClassName::INTERACTIVE)).unwrap_err();
    assert!(refused.is_not_applied(), "{refused:?}");
    let recovered =
        |seen: &Seen| matches!(seen, Seen::Notice(Notice::Recovered { epoch, .. }) if epoch.0 == 2);
    assert!(seen.iter().any(|seen| recovered(&seen)));
    assert_eq!(
        state(ask(&handle, create(1, ClassName::INTERACTIVE))),
        TaskState::Queued
    );
    drop(owner.stop());
}

#[test]
fn it_tells_an_end_that_was_in_doubt_once_it_has_recovered() {
    let store = MemoryStore::new();
    let faults = store.faults().clone();
    let limits = OwnerLimits {
        store_tries: 1,
        recovery_pause_ms: 1,
        ..OwnerLimits::default()
    };
    let (owner, seen) = start(store, limits);
    let handle = owner.handle();
    assert_eq!(
        state(ask(&handle, create(1, ClassName::BATCH))),
        TaskState::Queued
    );
    faults.plan_commits([Some(Fault::Unknown { applied: true })]);
    faults.fail_probes(1);
    let unknown = ask(&handle, cancel(1)).unwrap_err();
    assert!(!unknown.is_not_applied(), "{unknown:?}");
    let ended = |seen: Seen| match seen {
        Seen::Effect(Effect::TaskEnded { task, end, .. }) => Some((task, end)),
        _ => None,
    };
    let (task, end) = seen.iter().find_map(ended).unwrap();
    assert_eq!(task, TaskId(1));
    let cancelled = matches!(
        end,
        TaskEnd::Finished {
            finish: FinishReason::Cancelled,
            ..
        }
    );
    assert!(cancelled, "{end:?}");
    drop(owner.stop());
}
