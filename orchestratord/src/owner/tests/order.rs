//! What is let out, and when.

use std::sync::{Arc, Mutex};

use orchestrator_core::id::{Digest, TaskId};
use orchestrator_core::input::Ask;
use orchestrator_core::queue::ClassName;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskState};
use store_memory::MemoryStore;

use super::rig::{Rig, text};
use super::things::{cancel, create, ready};
use crate::owner::OwnerLimits;

fn ready_rig() -> Rig {
    let mut rig = Rig::new();
    rig.report(ready(), None);
    rig.settle();
    rig
}

#[test]
fn from_idle_to_dispatch_is_exactly_one_commit() {
    let mut rig = ready_rig();
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    assert_eq!(rig.commits, [1]);
    assert_eq!(
        rig.journal,
        ["commit 1", "started 1", "start 1", "created 1"]
    );
    assert_eq!(rig.kept(TaskId(1)).unwrap().state, TaskState::Dispatched);
}

#[test]
fn nothing_leaves_before_the_store_has_answered() {
    let mut rig = ready_rig();
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.advance();
    assert!(rig.journal.is_empty());
    rig.carry_out();
    rig.advance();
    assert!(
        rig.journal.is_empty(),
        "durable, but the owner does not know it yet"
    );
    rig.hear();
    assert_eq!(rig.journal.len(), 4);
}

#[test]
fn what_waits_is_one_commit() {
    let mut rig = ready_rig();
    for id in 1..=5 {
        rig.ask(create(id, ClassName::INTERACTIVE));
    }
    rig.settle();
    assert_eq!(rig.commits, [1]);
    let last = [
        "created 1",
        "created 2",
        "created 3",
        "created 4",
        "created 5",
    ];
    assert_eq!(
        rig.journal[rig.journal.len() - 5..],
        last,
        "effects come before replies"
    );
}

#[test]
fn the_next_batch_is_stepped_while_a_commit_runs_and_waits_for_it() {
    let mut rig = ready_rig();
    rig.ask(create(1, ClassName::BATCH));
    rig.advance();
    rig.ask(create(2, ClassName::BATCH));
    rig.ask(create(3, ClassName::BATCH));
    rig.advance();
    assert_eq!(
        rig.state.machine().unwrap().live_count(),
        3,
        "all are stepped"
    );
    rig.carry_out();
    rig.hear();
    assert_eq!(
        rig.journal,
        ["commit 1", "started 1", "start 1", "created 1"]
    );
    rig.settle();
    assert_eq!(rig.commits, [1, 2], "what came meanwhile is one commit");
}

#[test]
fn an_answer_that_changes_nothing_keeps_its_place() {
    let mut rig = ready_rig();
    let first = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.advance();
    let unknown = rig.ask(cancel(77));
    rig.advance();
    assert!(
        rig.replies[&unknown].is_none(),
        "it waits for the commit before it"
    );
    rig.settle();
    assert_eq!(
        rig.journal,
        ["commit 1", "started 1", "start 1", "created 1", "refused"]
    );
    assert!(rig.reply(first).is_ok());

    rig.journal.clear();
    rig.ask(cancel(77));
    rig.advance();
    assert_eq!(
        rig.journal,
        ["refused"],
        "with nothing before it, it goes at once"
    );
    assert_eq!(rig.commits, [1]);
}

#[test]
fn a_live_read_shows_nothing_that_is_not_durable() {
    let mut rig = ready_rig();
    rig.ask(create(1, ClassName::INTERACTIVE));
    let seen = Arc::new(Mutex::new(None));
    let place = Arc::clone(&seen);
    rig.ask_live(
        None,
        Box::new(move |machine, now| {
            let found = machine
                .explain(now, TaskId(1))
                .map(|explanation| explanation.state);
            Box::new(move || *place.lock().unwrap() = found)
        }),
    );
    rig.advance();
    rig.carry_out();
    assert_eq!(*seen.lock().unwrap(), None);
    rig.hear();
    assert_eq!(*seen.lock().unwrap(), Some(TaskState::Dispatched));
}

#[test]
fn a_view_is_shown_once_it_is_durable() {
    let mut rig = ready_rig();
    for id in 1..=4 {
        rig.ask(create(id, ClassName::BATCH));
    }
    rig.advance();
    assert_eq!(
        (rig.state.view().commit_seq, rig.state.view().live_tasks),
        (0, 0)
    );
    rig.settle();
    let view = rig.state.view();
    assert_eq!((view.commit_seq, view.live_tasks), (1, 4));
    assert_eq!(
        (
            view.queue_depth(ClassName::BATCH),
            view.queue_depth(ClassName::INTERACTIVE)
        ),
        (2, 0)
    );
    assert_eq!(view.replica_sets[0].slots_free, 0);
    assert!(view.serving && view.store_trouble.is_none());
}

#[test]
fn a_task_that_ends_is_found_again_before_and_after_its_end_is_durable() {
    let mut rig = ready_rig();
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    let attempt = *rig.running.keys().next().unwrap();
    rig.chunk(attempt, 3);
    rig.settle();
    assert_eq!(rig.kept_text(TaskId(1)), text(0, 3));
    rig.chunk(attempt, 2);
    rig.finish(attempt, FinishReason::Stop);
    // The machine has forgotten it, the store has not heard of its end.
    let again = rig.ask(create(1, ClassName::INTERACTIVE));
    let other = rig.ask(cancel(1));
    rig.advance();
    let during = rig.ask(create(1, ClassName::INTERACTIVE));
    let stopped = rig.ask(cancel(1));
    let mut other_body = create(1, ClassName::INTERACTIVE);
    if let Ask::TaskCreate { create, .. } = &mut other_body {
        create.fingerprint = Digest([9; 32]);
    }
    let conflict = rig.ask(other_body);
    rig.settle();
    let after = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    for token in [again, during, after] {
        let reply = rig.reply(token);
        let Ok(Reply::TaskCreated {
            record,
            replayed: true,
        }) = reply
        else {
            panic!("{reply:?}");
        };
        assert_eq!(record.state, TaskState::Completed);
    }
    for token in [other, stopped] {
        let reply = rig.reply(token);
        let Ok(Reply::TaskCancelled(record)) = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(record.state, TaskState::Completed, "it had ended already");
    }
    let refused = rig.reply(conflict);
    assert!(
        matches!(refused, Ok(Reply::Refused(Refusal::TaskIdConflict { .. }))),
        "{refused:?}"
    );
    let replays = rig
        .journal
        .iter()
        .filter(|line| *line == "created 1")
        .count();
    assert_eq!(replays, 4, "{:?}", rig.journal);
    let ends = rig.journal.iter().filter(|line| *line == "ended 1");
    assert_eq!(ends.count(), 1, "{:?}", rig.journal);
    assert_eq!(rig.kept_text(TaskId(1)), text(0, 5));
    rig.judge_recovery();
}

#[test]
fn a_full_batch_takes_no_more_until_it_is_on_its_way() {
    let limits = OwnerLimits {
        batch_inputs: 3,
        ..OwnerLimits::default()
    };
    let mut rig = Rig::over(MemoryStore::new(), limits);
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.advance();
    assert_eq!(rig.state.room(), 3);
    for id in 2..=4 {
        rig.ask(create(id, ClassName::INTERACTIVE));
    }
    rig.advance();
    assert_eq!(rig.state.room(), 0);
    rig.carry_out();
    rig.hear();
    assert_eq!(rig.state.room(), 3);

    let small = OwnerLimits {
        batch_bytes: 10,
        ..OwnerLimits::default()
    };
    let mut rig = Rig::over(MemoryStore::new(), small);
    rig.ask(create(1, ClassName::INTERACTIVE));
    assert!(rig.state.room() > 0, "six bytes of ten");
    rig.ask(create(2, ClassName::INTERACTIVE));
    assert_eq!(rig.state.room(), 0, "twelve bytes of ten");

    let few = OwnerLimits {
        batch_mutations: 2,
        ..OwnerLimits::default()
    };
    let mut rig = Rig::over(MemoryStore::new(), few);
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.ask(create(2, ClassName::INTERACTIVE));
    assert_eq!(rig.state.room(), 0);
}
