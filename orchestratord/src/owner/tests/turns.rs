//! Who takes the owner's turns: its thread, or whoever comes alone.

use std::io::Write;
use std::os::unix::net;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use orchestrator_core::effect::Effect;
use orchestrator_core::id::{PrincipalId, SessionId, SessionKey, TaskId, TenantId};
use orchestrator_core::input::Ask;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::{ClassName, QueueSwitch};
use orchestrator_core::task::TaskState;
use store::{Commit, OwnerStore};
use store_memory::{Fault, MemoryStore};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::runtime::{self, Handle, Runtime};

use super::gate::{
    Gate, Seen, Spy, Whereabouts, ask, gate, gated, settle, start, state, stood_in_for, wait,
};
use super::things::{cancel, config, create, ready};
use crate::owner::{Dice, Notice, Outlet, Owner, OwnerHandle, OwnerLimits, SystemClock, spawn};
use crate::run::relief::relief;

fn accept(handle: &OwnerHandle, id: u128) {
    let accepted = ask(handle, create(id, ClassName::BATCH));
    assert_eq!(state(accepted), TaskState::Queued);
}

/// An owner whose thread sleeps, with where its commits were made.
fn resting<S: OwnerStore + 'static>(
    store: S,
    limits: OwnerLimits,
) -> (Owner<Whereabouts<S>>, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel();
    let (owner, _seen) = start(Whereabouts(store, tell), limits);
    let handle = owner.handle();
    accept(&handle, 1);
    assert_eq!(told.recv().as_deref(), Ok("owner"));
    settle(&handle);
    (owner, told)
}

/// The same, with a gate at which the next commit waits, and somebody on a thread `asker` who has come to it.
struct AtTheGate {
    owner: Owner<Whereabouts<Gate>>,
    told: mpsc::Receiver<String>,
    arrivals: mpsc::Receiver<u64>,
    open: mpsc::Sender<()>,
    asker: thread::JoinHandle<()>,
}

impl AtTheGate {
    fn new(limits: OwnerLimits) -> Self {
        let (store, arrivals, open) = gate();
        open.send(()).unwrap();
        let (owner, told) = resting(store, limits);
        assert_eq!(arrivals.recv(), Ok(1));
        let handle = owner.handle();
        let asker = thread::Builder::new().name("asker".to_owned());
        let asker = asker.spawn(move || accept(&handle, 2)).unwrap();
        assert_eq!(arrivals.recv(), Ok(2));
        assert_eq!(told.recv().as_deref(), Ok("asker"));
        Self {
            owner,
            told,
            arrivals,
            open,
            asker,
        }
    }
}

/// The name of this thread, which is that of the test.
fn here() -> String {
    thread::current().name().unwrap().to_owned()
}

#[test]
fn who_comes_alone_takes_the_turn_once_a_commit_was_quick() {
    let (owner, told) = resting(MemoryStore::new(), stood_in_for());
    let handle = owner.handle();
    (2..=3).for_each(|id| accept(&handle, id));
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [here(), here()]);
    // What goes first, and a batch, are the thread's.
    assert_eq!(state(ask(&handle, cancel(1))), TaskState::Cancelled);
    settle(&handle);
    let batch = vec![(create(4, ClassName::BATCH), None)];
    wait(handle.command_batch(batch)).unwrap();
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["owner", "owner"]);
    drop(owner.stop());
}

#[test]
fn nobody_takes_the_turn_where_it_is_not_allowed_or_the_last_commit_was_not_quick() {
    let never = OwnerLimits::default();
    let hardly = OwnerLimits {
        stand_in_commit_us: 1,
        ..stood_in_for()
    };
    for limits in [never, hardly] {
        let (owner, arrivals, open) = gated(limits);
        let handle = owner.handle();
        for id in 1..=3 {
            // Were it carried out here, this would wait for itself.
            let asked = handle.command(create(id, ClassName::BATCH), None);
            assert!(arrivals.recv().is_ok());
            open.send(()).unwrap();
            assert_eq!(state(wait(asked)), TaskState::Queued);
            settle(&handle);
        }
        drop(owner.stop());
    }
}

#[test]
fn nobody_takes_the_turn_when_an_attempt_could_begin() {
    let (owner, told) = resting(MemoryStore::new(), stood_in_for());
    let handle = owner.handle();
    // The task that waits gets one of its two slots.
    wait(handle.report(ready(), None));
    assert_eq!(told.recv().as_deref(), Ok("owner"));
    settle(&handle);
    let begun = ask(&handle, create(2, ClassName::BATCH));
    assert_eq!(state(begun), TaskState::Dispatched);
    settle(&handle);
    accept(&handle, 3);
    let at: Vec<String> = told.try_iter().collect();
    assert_eq!(at, ["owner".to_owned(), here()]);
    drop(owner.stop());
}

#[test]
fn a_free_slot_of_a_pool_that_is_held_begins_nothing() {
    let (owner, told) = resting(MemoryStore::new(), stood_in_for());
    let handle = owner.handle();
    let hold = Ask::QueuePause(QueueSwitch {
        pool: None,
        by: PrincipalId::SYSTEM,
    });
    ask(&handle, hold).unwrap();
    settle(&handle);
    wait(handle.report(ready(), None));
    settle(&handle);
    told.try_iter().for_each(drop);
    accept(&handle, 2);
    assert_eq!(told.recv(), Ok(here()));
    drop(owner.stop());
}

#[test]
fn nobody_takes_the_turn_when_nothing_has_come_for_a_while() {
    let limits = OwnerLimits {
        stand_in_watch_ms: 1,
        ..stood_in_for()
    };
    let (owner, told) = resting(MemoryStore::new(), limits);
    let handle = owner.handle();
    while handle.mailbox().is_watching() {
        thread::yield_now();
    }
    accept(&handle, 2);
    assert_eq!(told.recv().as_deref(), Ok("owner"));
    drop(owner.stop());
}

#[test]
fn what_comes_while_somebody_stands_in_is_the_threads_and_one_commit() {
    let gate = AtTheGate::new(stood_in_for());
    let handle = gate.owner.handle();
    let rest: Vec<_> = (3..=4)
        .map(|id| handle.command(create(id, ClassName::BATCH), None))
        .collect();
    gate.open.send(()).unwrap();
    gate.asker.join().unwrap();
    assert_eq!(gate.arrivals.recv(), Ok(3));
    assert_eq!(gate.told.recv().as_deref(), Ok("owner"));
    gate.open.send(()).unwrap();
    for reply in rest {
        assert_eq!(state(wait(reply)), TaskState::Queued);
    }
    let view = handle.view();
    assert_eq!((view.commit_seq, view.live_tasks), (3, 4));
    drop(gate.owner.stop());
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
    // Nothing is due for a minute after this.
    accept(&handle, 1);
    settle(&handle);
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
    let gate = AtTheGate::new(stood_in_for());
    let (handle, owner) = (gate.owner.handle(), gate.owner);
    let stopping = thread::spawn(move || owner.stop());
    while !handle.mailbox().is_stopping() {
        thread::yield_now();
    }
    gate.open.send(()).unwrap();
    gate.asker.join().unwrap();
    let Whereabouts(mut store, _) = stopping.join().unwrap();
    assert_eq!(store.inner.load().unwrap().tasks.len(), 2);
    assert!(ask(&handle, create(3, ClassName::BATCH)).is_err());
}

#[test]
fn a_panic_of_who_stands_in_is_the_end_of_the_owner_and_not_of_who_asked() {
    let (store, _arrivals, open) = gate();
    open.send(()).unwrap();
    let (owner, told) = resting(store, stood_in_for());
    let handle = owner.handle();
    drop(open);
    let unknown = ask(&handle, create(2, ClassName::BATCH)).unwrap_err();
    assert!(!unknown.is_not_applied(), "{unknown:?}");
    assert_eq!(told.recv(), Ok(here()));
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
    let (owner, told) = resting(store, stood_in_for());
    let handle = owner.handle();
    faults.plan_commits([Some(Fault::NotApplied), Some(Fault::NotApplied)]);
    accept(&handle, 2);
    let owner_s = || "owner".to_owned();
    let tries = [here(), owner_s(), owner_s()];
    assert_eq!(told.try_iter().collect::<Vec<_>>(), tries);
    settle(&handle);
    faults.plan_commits([Some(Fault::Broken)]);
    let refused = ask(&handle, create(3, ClassName::BATCH)).unwrap_err();
    assert!(refused.is_not_applied(), "{refused:?}");
    assert_eq!(told.recv(), Ok(here()));
    drop(owner.stop());
}

/// Everybody asks, alone at times and together at others: whoever would not be woken would wait for ever.
#[test]
fn everybody_is_answered_whoever_takes_the_turns() {
    const EACH: u128 = 200;
    for watch_ms in [0, 60_000] {
        let limits = OwnerLimits {
            stand_in_watch_ms: watch_ms,
            ..stood_in_for()
        };
        let (owner, _seen) = start(MemoryStore::new(), limits);
        let askers: Vec<_> = (0..4)
            .map(|asker| {
                let handle = owner.handle();
                thread::spawn(move || {
                    for id in (1..=EACH).map(|nth| asker * EACH + nth) {
                        accept(&handle, id);
                        let live = handle.ask_live(move |machine, _| machine.is_live(TaskId(id)));
                        assert_eq!(wait(live), Ok(true));
                        assert_eq!(state(ask(&handle, cancel(id))), TaskState::Cancelled);
                    }
                })
            })
            .collect();
        askers.into_iter().for_each(|asker| asker.join().unwrap());
        assert_eq!(owner.handle().view().live_tasks, 0);
        drop(owner.stop());
    }
}

/// An outlet whose relief is that of the daemon.
struct Relieved(Handle);

impl Outlet for Relieved {
    fn effect(&mut self, _effect: Effect) {}

    fn committed(&mut self, _commit: &Commit) {}

    fn notice(&mut self, _notice: Notice) {}

    fn relief(&self) -> Box<dyn Fn() + Send + Sync> {
        Box::new(relief(&self.0))
    }
}

/// The runtime's end of a socket, and the other one.
fn socket(runtime: &Runtime) -> (UnixStream, net::UnixStream) {
    let (near, far) = net::UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let _guard = runtime.enter();
    (UnixStream::from_std(near).unwrap(), far)
}

#[test]
fn sockets_are_attended_to_while_somebody_stands_in_for_long() {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_io()
        .build()
        .unwrap();
    let (store, arrivals, open) = gate();
    let limits = OwnerLimits {
        stand_in_watch_ms: 200,
        ..stood_in_for()
    };
    let (clock, dice) = (SystemClock::default(), Dice::from_os());
    let outlet = Relieved(runtime.handle().clone());
    let owner = spawn(store, config(), limits, clock, dice, outlet).unwrap();
    let handle = owner.handle();
    open.send(()).unwrap();
    accept(&handle, 1);
    assert_eq!(arrivals.recv(), Ok(1));

    let (mut other, mut to_other) = socket(&runtime);
    let (answer, answers) = mpsc::channel();
    runtime.spawn(async move {
        while let Ok(byte) = other.read_u8().await {
            answer.send(byte).unwrap();
        }
    });
    let (mut asking, mut to_asking) = socket(&runtime);
    let asker = handle.clone();
    let accepted = runtime.spawn(async move {
        asking.read_u8().await.unwrap();
        asker.command(create(2, ClassName::BATCH), None).await
    });
    to_other.write_all(&[1]).unwrap();
    assert_eq!(answers.recv(), Ok(1));
    settle(&handle);
    // The thread that waits for sockets is woken for this one, and held up by the gate.
    to_asking.write_all(&[1]).unwrap();
    assert_eq!(arrivals.recv(), Ok(2));
    to_other.write_all(&[2]).unwrap();
    assert_eq!(answers.recv_timeout(Duration::from_secs(20)), Ok(2));
    open.send(()).unwrap();
    assert_eq!(
        state(runtime.block_on(accepted).unwrap()),
        TaskState::Queued
    );
    drop(owner.stop());
}
