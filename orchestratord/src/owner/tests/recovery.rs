//! A new owner goes on where the old one was cut off.

use orchestrator_core::id::TaskId;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{FinishReason, TaskState};
use store::{Event, FeedStore};
use store_memory::{Fault, MemoryStore};

use futures_util::FutureExt;

use super::rig::{Rig, text};
use super::things::{cancel, create, down, gave_up, ready};
use crate::owner::{OwnerLimits, StoreCall};

#[test]
fn a_task_cut_off_in_mid_text_goes_on_from_what_is_durable() {
    let mut rig = Rig::new();
    rig.report(ready(), None);
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    let attempt = *rig.running.keys().next().unwrap();
    rig.chunk(attempt, 4);
    rig.settle();
    rig.chunk(attempt, 9);
    // The crash comes before this chunk is durable.
    let mut after = Rig::over(rig.store.snapshot(), OwnerLimits::default());
    after.report(ready(), None);
    after.settle_for(1_000);
    assert_eq!(after.running.len(), 1);
    let (attempt, running) = after
        .running
        .iter()
        .map(|(id, running)| (*id, *running))
        .next()
        .unwrap();
    assert_eq!((running.task, running.told), (TaskId(1), 4));
    after.chunk(attempt, 3);
    after.finish(attempt, FinishReason::Stop);
    after.settle();
    let kept = after.kept(TaskId(1)).unwrap();
    assert_eq!(
        (kept.state, kept.attempts, kept.interruptions),
        (TaskState::Completed, 2, 1)
    );
    assert_eq!(after.kept_text(TaskId(1)), text(0, 7));
}

#[test]
fn a_cancel_cut_off_is_carried_through() {
    let mut rig = Rig::new();
    rig.report(ready(), None);
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    rig.ask(cancel(1));
    rig.settle();
    let mut after = Rig::over(rig.store.snapshot(), OwnerLimits::default());
    let again = after.ask(cancel(1));
    after.settle_for(60_000);
    assert!(after.reply(again).is_ok());
    assert_eq!(after.kept(TaskId(1)).unwrap().state, TaskState::Cancelled);
}

#[test]
fn the_log_tells_each_move_once() {
    let mut rig = Rig::new();
    rig.report(ready(), None);
    for id in 1..=3 {
        rig.ask(create(id, ClassName::INTERACTIVE));
    }
    rig.settle();
    let attempt = *rig
        .running
        .iter()
        .find(|(_, running)| running.task == TaskId(1))
        .unwrap()
        .0;
    for _ in 0..3 {
        rig.chunk(attempt, 2);
        rig.settle();
    }
    rig.finish(attempt, FinishReason::Stop);
    rig.settle();
    let log = rig
        .store
        .commit_list(0, 100)
        .now_or_never()
        .unwrap()
        .unwrap();
    let events: Vec<_> = log.into_iter().flat_map(|row| row.events).collect();
    let of = |id: u128| {
        let task = TaskId(id);
        let about = |event: &&Event| match event {
            Event::TaskAccepted(at) | Event::TaskMoved(at, _) => *at == task,
        };
        events.iter().filter(about).copied().collect::<Vec<_>>()
    };
    let moved = |id, state| Event::TaskMoved(TaskId(id), state);
    assert_eq!(
        of(1),
        [
            Event::TaskAccepted(TaskId(1)),
            moved(1, TaskState::Dispatched),
            moved(1, TaskState::Running),
            moved(1, TaskState::Completed),
        ]
    );
    assert_eq!(
        of(3),
        [
            Event::TaskAccepted(TaskId(3)),
            moved(3, TaskState::Dispatched)
        ]
    );
}

#[test]
fn a_task_that_another_owner_ended_in_between_is_told_of_after_the_next_recovery() {
    let mut rig = Rig::new();
    rig.report(ready(), None);
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    // Another owner takes over, and ends the task.
    let mut other = Rig::over(rig.store.clone(), OwnerLimits::default());
    other.report(ready(), None);
    other.settle_for(1_000);
    let attempt = *other.running.keys().next().unwrap();
    other.finish(attempt, FinishReason::Stop);
    other.settle();
    assert_eq!(other.kept(TaskId(1)).unwrap().state, TaskState::Completed);
    // The first one learns of it by the fence, and has the store again after that.
    rig.was_overtaken();
    rig.ask(create(2, ClassName::INTERACTIVE));
    rig.settle();
    assert!(!rig.state.view().serving);
    rig.pass(1_000);
    rig.settle_for(1_000);
    assert!(rig.state.view().serving);
    rig.judge_ends();
    assert!(
        rig.journal.contains(&"ended 1".to_owned()),
        "{:?}",
        rig.journal
    );
}

#[test]
fn a_task_that_this_owner_never_held_is_looked_up_when_its_reader_asks_for_it() {
    let mut other = Rig::new();
    other.report(ready(), None);
    other.ask(create(1, ClassName::INTERACTIVE));
    other.settle();
    let attempt = *other.running.keys().next().unwrap();
    other.finish(attempt, FinishReason::Stop);
    other.settle();
    let mut rig = Rig::over(other.store.clone(), OwnerLimits::default());
    rig.settle();
    assert!(rig.state.machine().is_some_and(|it| it.live_count() == 0));
    let ended = "ended 1".to_owned();
    assert!(!rig.journal.contains(&ended), "nobody has asked for it");
    rig.ask_live(Some(TaskId(1)), Box::new(|_, _| Box::new(|| ())));
    rig.settle();
    assert!(rig.journal.contains(&ended), "{:?}", rig.journal);
}

#[test]
fn what_the_fleet_reported_is_told_again_as_far_as_a_batch_has_room() {
    let limits = OwnerLimits {
        batch_mutations: 1,
        ..OwnerLimits::default()
    };
    let mut rig = Rig::over(MemoryStore::new(), limits);
    rig.report(ready(), None);
    for id in 1..=4 {
        rig.ask(create(id, ClassName::INTERACTIVE));
        rig.settle();
    }
    assert_eq!(rig.running.len(), 2);
    // Another owner has had the store when the fleet is lost, one report after the other.
    rig.faults().plan_commits([Some(Fault::Fenced)]);
    rig.report(down(), None);
    rig.report(gave_up(), None);
    rig.settle();
    assert!(!rig.state.view().serving);
    rig.pass(1_000);
    rig.advance();
    rig.carry_out();
    rig.hear();
    // The first report ends what was lost with the old owner, which is more than the batch takes.
    let Some(StoreCall::Commit(first)) = rig.call.clone() else {
        panic!("no commit is under way: {:?}", rig.call);
    };
    assert_eq!(
        rig.state.room(),
        0,
        "nothing is taken in before all is told"
    );
    let is_ended =
        |mutation: &Mutation| matches!(mutation, Mutation::TaskUpdate(row) if row.state.is_final());
    assert!(!first.mutations.iter().any(is_ended), "{first:?}");
    rig.settle();
    assert!(rig.state.room() > 0);
    // The others wait out their pause.
    for id in 3..=4 {
        let row = rig.kept(TaskId(id)).unwrap();
        assert_eq!(row.state, TaskState::Failed, "{row:?}");
    }
}
