//! What the owner does when the store fails.

use orchestrator_core::id::TaskId;
use orchestrator_core::input::Ask;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{FinishReason, TaskState};
use store_memory::{Fault, MemoryStore};

use super::rig::Rig;
use super::things::{cancel, create, ready};
use crate::owner::outlet::Notice;
use crate::owner::{OwnerLimits, OwnerUnavailable};

fn ready_rig() -> Rig {
    let mut rig = Rig::new();
    rig.report(ready(), None);
    rig.settle();
    rig.notices.clear();
    rig
}

#[test]
fn what_was_not_applied_is_tried_again_after_a_pause() {
    let mut rig = ready_rig();
    rig.faults()
        .plan_commits([Some(Fault::NotApplied), Some(Fault::NotApplied)]);
    let token = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    assert!(rig.replies[&token].is_none());
    assert_eq!(
        rig.state.view().store_trouble.as_deref(),
        Some("it is busy as planned")
    );
    assert!(rig.state.view().serving);
    rig.settle_for(9);
    assert!(rig.replies[&token].is_none(), "the first pause is 10 ms");
    rig.settle_for(1);
    rig.settle_for(19);
    assert!(rig.replies[&token].is_none(), "the second is 20 ms");
    rig.settle_for(1);
    assert!(rig.reply(token).is_ok());
    assert_eq!(rig.state.view().store_trouble, None);
    assert_eq!(rig.commits, [1]);
}

#[test]
fn a_store_that_never_takes_it_ends_the_term_and_nothing_was_done() {
    let mut rig = ready_rig();
    rig.faults().plan_commits([Some(Fault::NotApplied); 8]);
    let first = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.advance();
    let second = rig.ask(create(2, ClassName::INTERACTIVE));
    rig.settle_for(10_000);
    for token in [first, second] {
        assert!(matches!(
            rig.reply(token),
            Err(OwnerUnavailable::NotApplied(_))
        ));
    }
    let down = rig
        .notices
        .iter()
        .any(|notice| matches!(notice, Notice::SteppedDown { alarm: false, .. }));
    assert!(down, "{:?}", rig.notices);
    assert_eq!((rig.kept(TaskId(1)), rig.kept(TaskId(2))), (None, None));

    let after = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    assert!(rig.reply(after).is_ok(), "it has recovered");
    assert_eq!(
        rig.kept(TaskId(1)).unwrap().state,
        TaskState::Dispatched,
        "and remembers its replicas"
    );
    rig.judge_recovery();
}

#[test]
fn an_unknown_outcome_is_found_out() {
    for applied in [false, true] {
        let mut rig = ready_rig();
        rig.faults()
            .plan_commits([Some(Fault::Unknown { applied })]);
        let token = rig.ask(create(1, ClassName::INTERACTIVE));
        rig.settle_for(100);
        assert!(rig.reply(token).is_ok(), "applied: {applied}");
        assert_eq!(
            rig.journal,
            ["commit 1", "started 1", "start 1", "created 1"]
        );
        let resolved = rig.notices.iter().find_map(|notice| match notice {
            Notice::CommitResolved {
                commit_seq,
                applied,
                epoch,
            } => Some((*commit_seq, *applied, epoch.0)),
            _ => None,
        });
        assert_eq!(resolved, Some((1, applied, 2)));
        rig.ask(create(2, ClassName::INTERACTIVE));
        rig.settle();
        assert_eq!(
            rig.commits,
            [1, 2],
            "the new term goes on where the old one stood"
        );
        rig.judge_recovery();
    }
}

#[test]
fn a_probe_that_cannot_tell_is_repeated() {
    let mut rig = ready_rig();
    rig.faults()
        .plan_commits([Some(Fault::Unknown { applied: true })]);
    rig.faults().fail_probes(3);
    let token = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle_for(1_000);
    assert!(rig.reply(token).is_ok());
    assert_eq!(rig.commits, [1]);
}

#[test]
fn an_outcome_that_stays_unknown_is_said_to_be_so() {
    for applied in [false, true] {
        let mut rig = ready_rig();
        rig.faults()
            .plan_commits([Some(Fault::Unknown { applied })]);
        rig.faults().fail_probes(8);
        let flying = rig.ask(create(1, ClassName::INTERACTIVE));
        rig.advance();
        let open = rig.ask(create(2, ClassName::INTERACTIVE));
        rig.settle_for(10_000);
        assert!(matches!(
            rig.reply(flying),
            Err(OwnerUnavailable::Unknown(_))
        ));
        assert!(matches!(
            rig.reply(open),
            Err(OwnerUnavailable::NotApplied(_))
        ));
        assert_eq!(rig.kept(TaskId(1)).is_some(), applied);
        assert_eq!(rig.kept(TaskId(2)), None);
        assert!(rig.state.view().serving, "it has recovered");
        rig.judge_recovery();
    }
}

/// A task with three durable tokens whose end is in a commit that nobody hears of.
fn ending_in_doubt(applied: bool) -> Rig {
    let mut rig = ready_rig();
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    let attempt = *rig.running.keys().next().unwrap();
    rig.chunk(attempt, 3);
    rig.settle();
    rig.faults()
        .plan_commits([Some(Fault::Unknown { applied })]);
    rig.faults().fail_probes(8);
    rig.chunk(attempt, 2);
    rig.finish(attempt, FinishReason::Stop);
    rig.journal.clear();
    rig
}

#[test]
fn an_end_that_turns_out_durable_after_a_recovery_is_told_then() {
    let mut rig = ending_in_doubt(true);
    rig.faults().fail_loads(1);
    rig.faults().fail_prefetches(2);
    rig.settle_for(10_000);
    assert!(rig.state.view().serving, "it has recovered");
    let told: Vec<_> = rig
        .journal
        .iter()
        .filter(|line| *line == "ended 1")
        .collect();
    assert_eq!(told.len(), 1, "{:?}", rig.journal);
    let unknown = |notice: &&Notice| matches!(notice, Notice::PrefetchFailed { .. });
    assert_eq!(rig.notices.iter().filter(unknown).count(), 2);
    let kept = rig.kept(TaskId(1)).unwrap();
    assert_eq!((kept.state, kept.position), (TaskState::Completed, 5));
    rig.judge_ends();
}

#[test]
fn an_end_that_was_not_applied_is_told_when_it_comes_again() {
    let mut rig = ending_in_doubt(false);
    rig.settle_for(10_000);
    assert!(rig.state.view().serving, "it has recovered");
    assert!(!rig.journal.contains(&"ended 1".to_owned()), "it is live");
    let (attempt, running) = rig
        .running
        .iter()
        .next()
        .map(|(id, at)| (*id, *at))
        .unwrap();
    assert_eq!(running.told, 3, "it goes on from what is durable");
    rig.chunk(attempt, 4);
    rig.finish(attempt, FinishReason::Stop);
    rig.settle();
    assert!(rig.journal.contains(&"ended 1".to_owned()));
    assert_eq!(rig.kept(TaskId(1)).unwrap().position, 7);
    rig.judge_ends();
}

#[test]
fn a_fenced_owner_steps_down_at_once_and_recovers() {
    let mut rig = ready_rig();
    rig.faults().plan_commits([Some(Fault::Fenced)]);
    let flying = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    assert!(matches!(
        rig.reply(flying),
        Err(OwnerUnavailable::NotApplied(_))
    ));
    assert!(!rig.state.view().serving);
    let meanwhile = rig.ask(create(2, ClassName::INTERACTIVE));
    rig.settle();
    assert!(matches!(
        rig.reply(meanwhile),
        Err(OwnerUnavailable::NotApplied(_))
    ));
    rig.settle_for(100);
    assert!(rig.state.view().serving);
    let after = rig.ask(create(2, ClassName::INTERACTIVE));
    rig.settle();
    assert!(rig.reply(after).is_ok());
}

#[test]
fn a_broken_guard_raises_an_alarm_and_pauses_grow_while_nothing_succeeds() {
    let mut rig = ready_rig();
    rig.faults().plan_commits([Some(Fault::Broken); 3]);
    let mut waits = Vec::new();
    for id in 1..=4 {
        let token = rig.ask(create(id, ClassName::INTERACTIVE));
        rig.settle();
        if rig.state.view().serving {
            assert!(rig.reply(token).is_ok());
            continue;
        }
        assert!(matches!(
            rig.reply(token),
            Err(OwnerUnavailable::NotApplied(_))
        ));
        let down_at = rig.now.mono;
        while !rig.state.view().serving {
            rig.pass(1);
            rig.settle();
        }
        waits.push(rig.now.mono - down_at);
    }
    assert_eq!(waits, [100, 200, 400]);
    let alarms = rig
        .notices
        .iter()
        .filter(|notice| matches!(notice, Notice::SteppedDown { alarm: true, .. }));
    assert_eq!(alarms.count(), 3);
    assert_eq!(rig.commits, [1]);
}

#[test]
fn a_recovery_that_fails_is_tried_again() {
    let mut rig = ready_rig();
    rig.faults().plan_commits([Some(Fault::Fenced)]);
    rig.faults().fail_loads(3);
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle_for(10_000);
    let failed = rig
        .notices
        .iter()
        .filter(|notice| matches!(notice, Notice::RecoveryFailed { .. }));
    assert_eq!(failed.count(), 3);
    assert!(rig.state.view().serving && rig.state.view().store_trouble.is_none());
}

#[test]
fn a_command_that_cannot_be_looked_up_is_turned_away_alone() {
    let mut rig = ready_rig();
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    rig.faults().fail_prefetches(1);
    let blind = rig.ask(create(2, ClassName::INTERACTIVE));
    let live = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    assert!(matches!(
        rig.reply(blind),
        Err(OwnerUnavailable::NotApplied(_))
    ));
    assert!(rig.reply(live).is_ok(), "the machine holds it");
}

#[test]
fn a_task_under_a_fresh_id_needs_no_look_up() {
    let mut rig = ready_rig();
    rig.faults().fail_prefetches(1);
    let mut fresh = create(1, ClassName::INTERACTIVE);
    if let Ask::TaskCreate { create, .. } = &mut fresh {
        create.fresh = true;
    }
    let fresh = rig.ask(fresh);
    rig.settle();
    assert!(rig.reply(fresh).is_ok(), "nobody had to look");
    // Who comes with an id of their own may have come before.
    let named = rig.ask(create(2, ClassName::INTERACTIVE));
    rig.settle();
    assert!(rig.reply(named).is_err());
}

#[test]
fn a_held_cancel_is_told_that_nobody_knows_when_the_term_ends() {
    let mut rig = ready_rig();
    rig.ask(create(1, ClassName::INTERACTIVE));
    rig.settle();
    let held = rig.ask(cancel(1));
    rig.settle();
    assert_eq!(
        rig.kept(TaskId(1)).unwrap().state,
        TaskState::CancelRequested
    );
    assert!(
        rig.replies[&held].is_none(),
        "it waits for the attempt's end"
    );
    rig.faults().plan_commits([Some(Fault::Fenced)]);
    rig.ask(create(2, ClassName::INTERACTIVE));
    rig.settle();
    assert!(matches!(rig.reply(held), Err(OwnerUnavailable::Unknown(_))));
}

#[test]
fn stopping_answers_everyone() {
    let mut rig = Rig::over(MemoryStore::new(), OwnerLimits::default());
    let flying = rig.ask(create(1, ClassName::INTERACTIVE));
    rig.advance();
    let open = rig.ask(create(2, ClassName::INTERACTIVE));
    rig.state.stop();
    rig.advance();
    assert!(matches!(
        rig.reply(flying),
        Err(OwnerUnavailable::Unknown(_))
    ));
    assert!(matches!(
        rig.reply(open),
        Err(OwnerUnavailable::NotApplied(_))
    ));
    let late = rig.ask(create(3, ClassName::INTERACTIVE));
    rig.advance();
    assert!(matches!(
        rig.reply(late),
        Err(OwnerUnavailable::NotApplied(_))
    ));
    assert!(!rig.state.view().serving);
}
