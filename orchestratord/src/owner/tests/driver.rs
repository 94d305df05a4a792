//! The owner on its threads.

use std::pin::Pin;
use std::sync::mpsc;
use std::thread;

use futures_util::FutureExt;
use orchestrator_core::effect::Effect;
use orchestrator_core::id::{PayloadRef, PrincipalId, SessionId, SessionKey, TaskId, TenantId};
use orchestrator_core::input::{Ask, AttemptEnd, Report};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use orchestrator_core::reply::Reply;
use orchestrator_core::session::{SessionBudget, SessionPut};
use orchestrator_core::task::{FinishReason, TaskState};
use store::{OwnerStore, ReadStore, TaskBody};
use store_memory::MemoryStore;
use store_sqlite::SqliteStore;

use super::gate::{
    Command, Seen, Spy, Whereabouts, ask, beside, both_ways, gated, start, state, wait,
};
use super::rig::text;
use super::things::{cancel, config, create, ready};
use crate::owner::{Dice, OwnerHandle, OwnerLimits, OwnerUnavailable, SystemClock, spawn};

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
    let limits = beside();
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
fn only_a_large_commit_is_made_beside() {
    for (limits, thread) in [
        (OwnerLimits::default(), "owner"),
        (beside(), "owner-commit"),
    ] {
        let (tell, told) = mpsc::channel();
        let (owner, _seen) = start(Whereabouts(MemoryStore::new(), tell), limits);
        let accepted = ask(&owner.handle(), create(1, ClassName::BATCH));
        assert_eq!(state(accepted), TaskState::Queued);
        assert_eq!(told.recv().as_deref(), Ok(thread));
        drop(owner.stop());
    }
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
