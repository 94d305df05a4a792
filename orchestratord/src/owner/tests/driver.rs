//! The owner on its threads.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread;

use futures_util::FutureExt;
use orchestrator_core::effect::Effect;
use orchestrator_core::id::{
    Epoch, PayloadRef, PrincipalId, SessionId, SessionKey, TaskId, TenantId,
};
use orchestrator_core::input::{Ask, AttemptEnd, Report};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use orchestrator_core::reply::Reply;
use orchestrator_core::session::{SessionBudget, SessionPut};
use orchestrator_core::task::{FinishReason, TaskEnd, TaskState};
use store::{
    ColdStore, Commit, CommitError, Loaded, OwnerStore, Probe, ReadError, ReadStore, TaskBody,
};
use store_memory::{Fault, MemoryStore};
use store_sqlite::SqliteStore;

use super::rig::text;
use super::things::{cancel, config, create, ready};
use crate::owner::{
    Dice, Notice, Outlet, Owner, OwnerHandle, OwnerLimits, OwnerUnavailable, SystemClock, spawn,
};

/// What an outlet saw.
#[derive(Debug)]
enum Seen {
    Commit(Vec<Mutation>),
    Effect(Effect),
    Notice(Notice),
}

struct Spy(mpsc::Sender<Seen>);

impl Outlet for Spy {
    fn effect(&mut self, effect: Effect) {
        let _ = self.0.send(Seen::Effect(effect));
    }

    fn committed(&mut self, commit: &Commit) {
        let _ = self.0.send(Seen::Commit(commit.mutations.clone()));
    }

    fn notice(&mut self, notice: Notice) {
        let _ = self.0.send(Seen::Notice(notice));
    }
}

/// A store whose commits wait for a go.
struct Gate {
    inner: MemoryStore,
    /// Says that a commit has come to the gate.
    arrived: mpsc::Sender<u64>,
    go: mpsc::Receiver<()>,
}

impl OwnerStore for Gate {
    fn load(&mut self) -> Result<Loaded, ReadError> {
        self.inner.load()
    }

    fn cold(&self) -> Result<Box<dyn ColdStore>, ReadError> {
        self.inner.cold()
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        self.arrived.send(commit.commit_seq).unwrap();
        self.go
            .recv()
            .expect("a test opens the gate, or has failed");
        self.inner.commit(commit)
    }

    fn probe(&mut self, epoch: Epoch) -> Result<Probe, CommitError> {
        self.inner.probe(epoch)
    }
}

fn start<S: OwnerStore + 'static>(
    store: S,
    limits: OwnerLimits,
) -> (Owner<S>, mpsc::Receiver<Seen>) {
    let (spy, seen) = mpsc::channel();
    let clock = SystemClock::default();
    let owner = spawn(store, config(), limits, clock, Dice::from_os(), Spy(spy)).unwrap();
    (owner, seen)
}

fn gated(limits: OwnerLimits) -> (Owner<Gate>, mpsc::Receiver<u64>, mpsc::Sender<()>) {
    let (arrived, arrivals) = mpsc::channel();
    let (open, go) = mpsc::channel();
    let store = Gate {
        inner: MemoryStore::new(),
        arrived,
        go,
    };
    (start(store, limits).0, arrivals, open)
}

/// Commits made by the owner's own thread, and all of them beside it.
fn both_ways() -> [OwnerLimits; 2] {
    let beside = OwnerLimits {
        commit_beside_mutations: 1,
        ..OwnerLimits::default()
    };
    [OwnerLimits::default(), beside]
}

type Command = dyn Future<Output = Result<Reply, OwnerUnavailable>>;

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn ask(handle: &OwnerHandle, ask: Ask) -> Result<Reply, OwnerUnavailable> {
    wait(handle.command(ask, None))
}

#[track_caller]
fn state(reply: Result<Reply, OwnerUnavailable>) -> TaskState {
    match reply {
        Ok(Reply::TaskCreated { record, .. } | Reply::TaskCancelled(record)) => record.state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_task_lives_over_sqlite_in_the_fewest_commits() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), "a test").unwrap();
    let reads = store.reader();
    let (owner, seen) = start(store, OwnerLimits::default());
    let handle = owner.handle();
    wait(handle.report(ready(), None));
    let reply = ask(&handle, create(1, ClassName::INTERACTIVE));
    assert_eq!(
        state(reply),
        TaskState::Dispatched,
        "accepted and dispatched in one step"
    );
    let order = seen.iter().find_map(|seen| match seen {
        Seen::Effect(Effect::AttemptStart(order)) => Some(order),
        _ => None,
    });
    let attempt = order.unwrap().attempt;
    assert_eq!(
        handle.view().commit_seq,
        1,
        "idle accept to dispatch is one commit"
    );

    wait(handle.report(Report::AttemptRunning { attempt }, None));
    let chunk = Report::AttemptChunk {
        attempt,
        from: 0,
        to: 3,
        chunk: PayloadRef(0),
    };
    wait(handle.report(chunk, Some(text(0, 3))));
    let end = AttemptEnd::Finished {
        finish: FinishReason::Stop,
        tokens_in: 2,
        tokens_out: 5,
        decode_ms: 1,
        first_token_ms: Some(1),
        text: PayloadRef(0),
    };
    wait(handle.report(Report::AttemptEnded { attempt, end }, Some(text(0, 5))));
    let ended = seen
        .iter()
        .any(|seen| matches!(seen, Seen::Effect(Effect::TaskEnded { .. })));
    assert!(ended);
    assert_eq!(
        wait(handle.explain(TaskId(1))),
        Ok(None),
        "it is not live any more"
    );
    let row = wait(reads.task_get(TenantId::DEFAULT, TaskId(1)))
        .unwrap()
        .unwrap();
    assert_eq!(row.record.state, TaskState::Completed);
    assert_eq!(wait(reads.task_text(TaskId(1))).unwrap(), Some(text(0, 5)));

    let again = ask(&handle, create(1, ClassName::INTERACTIVE));
    assert!(
        matches!(again, Ok(Reply::TaskCreated { replayed: true, .. })),
        "{again:?}"
    );
    drop(owner.stop());
    let reopened = SqliteStore::open(dir.path(), "the next")
        .unwrap()
        .load()
        .unwrap();
    assert_eq!(reopened.tasks, []);
}

#[test]
fn what_comes_during_a_commit_is_one_more() {
    for limits in both_ways() {
        let (owner, arrivals, open) = gated(limits);
        let handle = owner.handle();
        let first = handle.command(create(1, ClassName::INTERACTIVE), None);
        assert_eq!(arrivals.recv(), Ok(1));
        let rest: Vec<_> = (2..=5)
            .map(|id| handle.command(create(id, ClassName::INTERACTIVE), None))
            .collect();
        // All are stepped, and so shown as soon as the first commit is through.
        open.send(()).unwrap();
        assert_eq!(state(wait(first)), TaskState::Queued);
        assert_eq!(arrivals.recv(), Ok(2));
        open.send(()).unwrap();
        for reply in rest {
            assert_eq!(state(wait(reply)), TaskState::Queued);
        }
        let view = handle.view();
        assert_eq!((view.commit_seq, view.live_tasks), (2, 5));
        drop(owner.stop());
    }
}

#[test]
fn the_next_batch_is_stepped_beside_a_large_commit() {
    let [_, limits] = both_ways();
    let (owner, arrivals, open) = gated(limits);
    let handle = owner.handle();
    let first = handle.command(create(1, ClassName::INTERACTIVE), None);
    assert_eq!(arrivals.recv(), Ok(1));
    let second = handle.command(create(2, ClassName::INTERACTIVE), None);
    let (seen, sight) = mpsc::channel();
    let look = handle.ask_live(move |machine, _now| {
        seen.send(machine.is_live(TaskId(2))).unwrap();
    });
    let look = thread::spawn(move || wait(look));
    // The store has not let the first commit pass, and the second task is in the machine.
    assert_eq!(sight.recv(), Ok(true));
    open.send(()).unwrap();
    assert_eq!(state(wait(first)), TaskState::Queued);
    assert_eq!(arrivals.recv(), Ok(2));
    open.send(()).unwrap();
    assert_eq!(state(wait(second)), TaskState::Queued);
    look.join().unwrap().unwrap();
    drop(owner.stop());
}

#[test]
fn a_batch_that_is_full_takes_no_further_input() {
    let by_mutations = OwnerLimits {
        batch_mutations: 1,
        ..OwnerLimits::default()
    };
    let by_bytes = OwnerLimits {
        batch_bytes: 6,
        ..OwnerLimits::default()
    };
    for limits in [by_mutations, by_bytes] {
        let (owner, arrivals, open) = gated(limits);
        let handle = owner.handle();
        let ask = |id| {
            let prompt = "prompt".to_owned();
            let body = TaskBody {
                prompt,
                metadata: vec![],
            };
            handle.command(create(id, ClassName::INTERACTIVE), Some(body))
        };
        let first = ask(1);
        assert_eq!(arrivals.recv(), Ok(1));
        let rest: Vec<_> = (2..=5).map(ask).collect();
        let porter = thread::spawn(
            move || {
                while open.send(()).is_ok() && arrivals.recv().is_ok() {}
            },
        );
        assert_eq!(state(wait(first)), TaskState::Queued);
        for (reply, commits) in rest.into_iter().zip(2..) {
            assert_eq!(state(wait(reply)), TaskState::Queued);
            assert!(handle.view().commit_seq >= commits, "{limits:?}");
        }
        assert_eq!(handle.view().commit_seq, 5, "one task each: {limits:?}");
        drop(owner.stop());
        porter.join().unwrap();
    }
}

fn session_put(id: u128) -> Ask {
    Ask::SessionPut(Box::new(SessionPut {
        session: SessionKey::new(TenantId::DEFAULT, SessionId(id)),
        budget: SessionBudget::default(),
        ttl_ms: None,
        put_by: PrincipalId::SYSTEM,
    }))
}

/// Sends commands until one finds no place; the others.
fn fill(handle: &OwnerHandle, ask: impl Fn(u128) -> Ask) -> Vec<Pin<Box<Command>>> {
    let mut waiting = Vec::new();
    for id in 2..50 {
        let mut reply: Pin<Box<Command>> = Box::pin(handle.command(ask(id), None));
        match (&mut reply).now_or_never() {
            None => waiting.push(reply),
            Some(answer) => {
                let retry_after_ms = OwnerLimits::default().retry_after_ms;
                assert_eq!(answer, Err(OwnerUnavailable::Busy { retry_after_ms }));
                return waiting;
            }
        }
    }
    panic!("the lane has no bound");
}

#[test]
fn a_full_lane_turns_commands_away_and_cancels_still_pass() {
    let limits = OwnerLimits {
        batch_inputs: 2,
        command_lane: 2,
        cancel_lane: 2,
        ..OwnerLimits::default()
    };
    let (owner, arrivals, open) = gated(limits);
    let handle = owner.handle();
    let first = handle.command(create(1, ClassName::BATCH), None);
    assert_eq!(arrivals.recv(), Ok(1));
    // Two are stepped while the commit waits, two are in the lane.
    let creates = fill(&handle, |id| create(id, ClassName::INTERACTIVE));
    assert!((2..=4).contains(&creates.len()), "{}", creates.len());
    let cancels = fill(&handle, |_| cancel(1));
    assert!(cancels.len() >= 2, "{}", cancels.len());
    let porter = thread::spawn(move || while open.send(()).is_ok() && arrivals.recv().is_ok() {});
    assert_eq!(state(wait(first)), TaskState::Queued);
    for reply in creates {
        assert_eq!(state(wait(reply)), TaskState::Queued);
    }
    for reply in cancels {
        assert_eq!(state(wait(reply)), TaskState::Cancelled);
    }
    drop(owner.stop());
    porter.join().unwrap();
}

#[test]
fn what_users_make_takes_no_place_of_the_cancels() {
    let limits = OwnerLimits {
        batch_inputs: 1,
        command_lane: 2,
        cancel_lane: 1,
        ..OwnerLimits::default()
    };
    let (owner, arrivals, open) = gated(limits);
    let handle = owner.handle();
    let first = handle.command(create(1, ClassName::BATCH), None);
    assert_eq!(arrivals.recv(), Ok(1));
    let puts = fill(&handle, session_put);
    assert!(puts.len() >= 2, "{}", puts.len());
    let mut cancelled = Box::pin(handle.command(cancel(1), None));
    assert_eq!((&mut cancelled).now_or_never(), None, "it has a place");
    let porter = thread::spawn(move || while open.send(()).is_ok() && arrivals.recv().is_ok() {});
    assert_eq!(state(wait(first)), TaskState::Queued);
    assert_eq!(state(wait(cancelled)), TaskState::Cancelled);
    for reply in puts {
        assert!(matches!(wait(reply), Ok(Reply::SessionPut(_))));
    }
    drop(owner.stop());
    porter.join().unwrap();
}

#[test]
fn reporters_wait_for_a_place_and_none_is_lost() {
    let limits = OwnerLimits {
        batch_inputs: 1,
        report_lane: 1,
        ..OwnerLimits::default()
    };
    let (owner, arrivals, open) = gated(limits);
    let handle = owner.handle();
    let created = handle.command(create(1, ClassName::BATCH), None);
    assert_eq!(arrivals.recv(), Ok(1));
    let reporters: Vec<_> = (0..20)
        .map(|_| {
            let handle = handle.clone();
            let foreign = Report::ReplicaDown {
                replica: orchestrator_core::id::ReplicaName::new("nobody"),
                detail: String::new(),
            };
            thread::spawn(move || wait(handle.report(foreign, None)))
        })
        .collect();
    open.send(()).unwrap();
    assert_eq!(state(wait(created)), TaskState::Queued);
    reporters
        .into_iter()
        .for_each(|reporter| reporter.join().unwrap());
    // A live read comes after everything that was taken before it.
    let seen = wait(handle.ask_live(|machine, _| machine.counters().reports_foreign)).unwrap();
    assert!(
        seen >= 19,
        "{seen} of 20 have arrived, and one place is left in the lane"
    );
    let _gate = owner.stop();
}

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
    for limits in both_ways() {
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

#[test]
fn time_alone_moves_it() {
    let (spy, seen) = mpsc::channel();
    let mut short = config();
    short.session_ttl_ms = 20;
    let session = SessionKey::new(TenantId::DEFAULT, SessionId(5));
    let clock = SystemClock::default();
    let owner = spawn(
        MemoryStore::new(),
        short,
        OwnerLimits::default(),
        clock,
        Dice::from_os(),
        Spy(spy),
    )
    .unwrap();
    let handle = owner.handle();
    let mut first = create(1, ClassName::INTERACTIVE);
    if let Ask::TaskCreate { create, .. } = &mut first {
        create.spec.session = Some(session.session);
    }
    assert_eq!(state(ask(&handle, first)), TaskState::Queued);
    let gone = seen.iter().any(|seen| match seen {
        Seen::Commit(mutations) => mutations.contains(&Mutation::SessionDelete(session)),
        _ => false,
    });
    assert!(gone);
    assert_eq!(wait(handle.session(session)), Ok(None));
    drop(owner.stop());
}
