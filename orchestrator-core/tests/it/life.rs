//! The life of a task, from acceptance to its end.

use orchestrator_core::effect::Effect;
use orchestrator_core::id::{ModelRef, ReplicaName};
use orchestrator_core::input::Report;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::placement::ReplicaConfig;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{
    FinishReason, OnDisconnect, TaskEnd, TaskFault, TaskSpec, TaskState, WaitingFor,
};

use crate::rig::{Out, Rig, facts, one_pool, spec};

#[test]
fn an_idle_machine_accepts_and_dispatches_in_one_step() {
    let mut rig = Rig::ready(1);
    let out = rig.create(1, spec());
    let [
        Mutation::TaskInsert { record, .. },
        Mutation::AttemptInsert(attempt),
    ] = out.mutations.as_slice()
    else {
        panic!("one row for the task and one for the attempt: {out:?}");
    };
    assert_eq!((record.state, record.revision), (TaskState::Dispatched, 1));
    assert_eq!(record.attempt.as_ref().unwrap().id, attempt.id);
    assert_eq!((record.accepted_position, record.accepted_eta_ms), (0, 0));
    let Reply::TaskCreated {
        record: told,
        replayed: false,
    } = out.reply()
    else {
        panic!("{out:?}");
    };
    assert_eq!(told, record);
    let [Effect::TaskStarted { .. }, Effect::AttemptStart(order)] = out.effects.as_slice() else {
        panic!("{out:?}");
    };
    assert_eq!(order.attempt, attempt.id);
}

#[test]
fn tokens_become_durable_and_the_end_is_told_once() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.pass(20);
    rig.running(&order);
    assert_eq!(rig.state(1), TaskState::Running);
    assert!(rig.row(1).replica_set.is_some());
    rig.chunk(&order, 0, 64);
    rig.chunk(&order, 64, 70);
    assert_eq!(rig.row(1).position, 70);
    let out = rig.finished(&order, FinishReason::Stop, 80);
    assert_eq!(rig.state(1), TaskState::Completed);
    assert_eq!(rig.row(1).position, 80);
    assert!(matches!(
        out.effects.as_slice(),
        [Effect::TaskEnded { position: 80, .. }]
    ));
    assert!(matches!(
        rig.row(1).end,
        Some(TaskEnd::Finished {
            finish: FinishReason::Stop,
            tokens_in: 10,
            tokens_out: 80,
            ..
        })
    ));
    assert!(!rig.machine.is_live(order.task));
}

#[test]
fn the_next_in_line_gets_the_slot_in_the_step_that_frees_it() {
    let mut rig = Rig::ready(1);
    let first = rig.create(1, spec()).starts().remove(0);
    let out = rig.create(2, spec());
    assert!(out.starts().is_empty());
    assert_eq!(rig.row(2).accepted_position, 0);
    rig.create(3, spec());
    assert_eq!(rig.row(3).accepted_position, 1);
    let out = rig.finished(&first, FinishReason::Length, 5);
    assert_eq!(out.starts()[0].task.0, 2);
    assert_eq!(rig.state(3), TaskState::Queued);
}

#[test]
fn a_misplaced_chunk_is_ignored_and_counted() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    for (from, to) in [(0, 10), (5, 15), (11, 20), (10, 10)] {
        assert!(rig.chunk(&order, from, to).mutations.is_empty());
    }
    assert_eq!(rig.machine.counters().chunks_misplaced, 4);
    assert_eq!(rig.row(1).position, 10);
}

#[test]
fn an_engine_that_fails_three_times_fails_the_task() {
    let mut rig = Rig::ready(1);
    let mut order = rig.create(1, spec()).starts().remove(0);
    for failures in 1..=2 {
        rig.failed(&order, TaskFault::WorkerReset);
        assert_eq!(rig.state(1), TaskState::Waiting(WaitingFor::Backoff));
        assert_eq!(rig.row(1).failures, failures);
        order = rig.advance(1_000).starts().remove(0);
        assert_eq!(order.number, failures + 1);
    }
    let out = rig.failed(&order, TaskFault::DecodeTimeout);
    assert!(matches!(out.effects.as_slice(), [Effect::TaskEnded { .. }]));
    assert!(matches!(
        &rig.row(1).end,
        Some(TaskEnd::Failed { fault: TaskFault::DecodeTimeout, detail }) if detail == "it broke"
    ));
}

#[test]
fn a_text_shorter_than_what_was_kept_has_diverged() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    rig.failed(&order, TaskFault::WorkerReset);
    let again = rig.advance(1_000).starts().remove(0);
    assert_eq!(again.position, 10);
    rig.finished(&again, FinishReason::Stop, 7);
    assert_eq!(rig.row(1).position, 10);
    assert!(matches!(
        &rig.row(1).end,
        Some(TaskEnd::Failed {
            fault: TaskFault::StreamDiverged,
            ..
        })
    ));
}

#[test]
fn a_restart_runs_the_task_again_under_a_new_attempt() {
    let mut rig = Rig::ready(1);
    let first = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&first, 0, 10);
    let out = rig.restart();
    assert!(
        out.starts().is_empty(),
        "an attempt whose runner is gone is not started again"
    );
    rig.advance(0);
    assert_eq!(
        (rig.state(1), rig.row(1).interruptions),
        (TaskState::Queued, 1)
    );
    let second = rig.replica_ready(facts("default-0", 1)).starts().remove(0);
    assert_ne!(second.attempt, first.attempt);
    assert_eq!((second.number, second.position), (2, 10));
    assert!(
        rig.chunk(&first, 10, 20).mutations.is_empty(),
        "the old attempt is void"
    );
    rig.chunk(&second, 10, 20);
    assert_eq!(rig.row(1).position, 20);
}

#[test]
fn a_runner_that_outlives_its_owner_is_attached_to() {
    let mut rig = attachable();
    let first = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&first, 0, 10);
    let again = rig.restart().starts().remove(0);
    assert_eq!((again.attempt, again.position), (first.attempt, 10));
    rig.finished(&again, FinishReason::Stop, 12);
    assert_eq!(
        (rig.state(1), rig.row(1).attempts),
        (TaskState::Completed, 1)
    );
}

#[test]
fn the_tenth_interruption_parks_the_task() {
    let mut rig = Rig::ready(1);
    rig.create(1, spec());
    for lost in 1..=10 {
        rig.restart();
        rig.advance(0);
        assert_eq!(rig.row(1).interruptions, lost);
        rig.advance(30_000);
        rig.replica_ready(facts("default-0", 1));
    }
    assert_eq!(rig.state(1), TaskState::Parked);
    let why = rig.machine.explain(rig.now, rig.row(1).id).unwrap();
    insta::assert_snapshot!(why.summary);
    rig.cancel(1);
    assert_eq!(rig.state(1), TaskState::Cancelled);
}

#[test]
fn a_silent_runner_loses_its_attempt_and_is_told_to_stop() {
    let mut rig = Rig::ready(1);
    let first = rig.create(1, spec()).starts().remove(0);
    rig.advance(29_000);
    rig.report(Report::AttemptRenewed {
        attempt: first.attempt,
    });
    assert!(rig.advance(29_999).effects.is_empty());
    let out = rig.advance(1);
    let [
        Effect::AttemptCancel { attempt, .. },
        Effect::AttemptStart(second),
    ] = out.effects.as_slice()
    else {
        panic!("{out:?}");
    };
    assert_eq!(*attempt, first.attempt);
    assert_eq!(second.number, 2);
}

#[test]
fn a_runner_that_never_says_a_word_loses_its_attempt_too() {
    let mut rig = Rig::ready(1);
    rig.create(1, spec());
    assert!(rig.advance(29_999).effects.is_empty());
    assert_eq!(rig.advance(1).starts().remove(0).number, 2);
}

#[test]
fn a_runner_that_is_attached_to_and_stays_silent_loses_its_attempt() {
    let mut rig = attachable();
    rig.create(1, spec());
    rig.advance(20_000);
    rig.restart();
    rig.replica_ready(facts("default-0", 1));
    assert!(rig.advance(29_999).effects.is_empty(), "a fresh lease");
    assert_eq!(rig.advance(1).starts().remove(0).number, 2);
}

#[test]
fn an_attempt_on_a_replica_that_the_configuration_no_longer_has_is_over() {
    let mut rig = attachable();
    rig.create(1, spec());
    let mut config = rig.machine.config().clone();
    config.pools[0].replicas = vec![ReplicaConfig::alone(ReplicaName::new("renamed-0"))];
    rig.restart_with(config);
    rig.advance(0);
    assert_eq!(
        (rig.state(1), rig.row(1).interruptions),
        (TaskState::Queued, 1)
    );
}

#[test]
fn what_an_attempt_says_after_it_was_given_up_changes_nothing() {
    let mut rig = Rig::ready(2);
    let lost = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&lost, 0, 5);
    let given_up = rig.advance(30_000);
    let stop = |effect: &Effect| matches!(effect, Effect::AttemptCancel { attempt, .. } if *attempt == lost.attempt);
    assert!(
        given_up.effects.iter().any(stop),
        "its lease ran out: {given_up:?}"
    );
    let again = given_up.starts().remove(0);
    assert_eq!((again.number, again.position), (2, 5));
    let hard = rig.machine.hard_state();
    let nothing = Out::default();
    assert_eq!(rig.chunk(&lost, 5, 9), nothing);
    assert_eq!(rig.failed(&lost, TaskFault::WorkerReset), nothing);
    assert_eq!(rig.finished(&lost, FinishReason::Cancelled, 9), nothing);
    assert_eq!(rig.finished(&lost, FinishReason::Stop, 9), nothing);
    assert_eq!(rig.machine.hard_state(), hard);
    rig.chunk(&again, 5, 9);
    rig.finished(&again, FinishReason::Stop, 9);
    assert_eq!(
        (rig.state(1), rig.row(1).position),
        (TaskState::Completed, 9)
    );
    assert_eq!(rig.finished(&lost, FinishReason::Stop, 12), nothing);
}

#[test]
fn the_last_chunk_before_a_failure_is_kept_and_continued() {
    let mut rig = Rig::ready(1);
    let first = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&first, 0, 5);
    rig.chunk(&first, 5, 7);
    rig.failed(&first, TaskFault::WorkerReset);
    assert_eq!(rig.state(1), TaskState::Waiting(WaitingFor::Backoff));
    let second = rig.advance(30_000).starts().remove(0);
    assert_eq!(second.position, 7);
    rig.chunk(&second, 7, 8);
    let out = rig.failed(&second, TaskFault::StreamDiverged);
    assert_eq!(rig.state(1), TaskState::Failed);
    assert!(
        matches!(
            out.effects.as_slice(),
            [Effect::TaskEnded { position: 8, .. }]
        ),
        "{out:?}"
    );
}

#[test]
fn an_attempt_that_stops_unasked_is_an_interruption_and_pins_what_it_released() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    let out = rig.finished(&order, FinishReason::Cancelled, 5);
    assert_eq!(out.starts()[0].number, 2);
    assert_eq!((rig.row(1).interruptions, rig.row(1).position), (1, 0));
    assert!(rig.row(1).replica_set.is_some());
}

#[test]
fn a_task_that_has_ended_leaves_no_alarm_behind() {
    let mut rig = Rig::ready(1);
    let leaves = TaskSpec {
        on_disconnect: OnDisconnect::Cancel,
        ..spec()
    };
    for (task, finish) in [(1, FinishReason::Stop), (2, FinishReason::Cancelled)] {
        let order = rig.create(task, leaves.clone()).starts().remove(0);
        for readers in [1, 0] {
            rig.report(Report::ReadersChanged {
                task: order.task,
                readers,
            });
        }
        if finish == FinishReason::Cancelled {
            rig.cancel(task);
        }
        assert!(rig.machine.next_wake().is_some());
        rig.finished(&order, finish, 1);
        rig.advance(0);
        assert_eq!(rig.machine.next_wake(), None);
    }
}

#[test]
fn a_task_whose_model_the_configuration_no_longer_has_ends() {
    let mut rig = Rig::new(one_pool(1));
    let model_ref = Some(ModelRef::new("haiku-tiny"));
    rig.create(
        1,
        TaskSpec {
            model_ref,
            ..spec()
        },
    );
    rig.create(2, spec());
    let mut config = rig.machine.config().clone();
    config.pools[0].model_ref = ModelRef::new("other");
    rig.restart_with(config);
    rig.advance(0);
    assert!(matches!(
        &rig.row(1).end,
        Some(TaskEnd::Failed {
            fault: TaskFault::PoolUnavailable,
            ..
        })
    ));
    assert_eq!(rig.state(2), TaskState::Queued);
}

fn attachable() -> Rig {
    let mut config = one_pool(1);
    config.attachable = true;
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    rig
}

#[test]
fn a_parked_task_that_is_requeued_goes_on_with_its_text() {
    let mut config = one_pool(1);
    config.retry.interruptions = 1;
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    let first = rig.create(1, spec()).starts().remove(0);
    rig.running(&first);
    rig.chunk(&first, 0, 3);
    rig.failed(&first, TaskFault::Interrupted);
    assert_eq!(rig.state(1), TaskState::Parked);
    let out = rig.requeue(1);
    let Reply::TaskRequeued(record) = out.reply() else {
        panic!("{out:?}");
    };
    assert_eq!((record.interruptions, &record.end), (0, &None));
    let again = out.starts().remove(0);
    assert_eq!((again.number, again.position), (2, 3));
    // Once more does no harm.
    let out = rig.requeue(1);
    assert!(matches!(out.reply(), Reply::TaskRequeued(_)), "{out:?}");
    assert!(out.mutations.is_empty() && out.effects.is_empty());
    rig.finished(&again, FinishReason::Stop, 5);
    assert_eq!(rig.state(1), TaskState::Completed);
    let out = rig.requeue(1);
    assert!(
        matches!(out.reply(), Reply::Refused(Refusal::TaskEnded { .. })),
        "{out:?}"
    );
    let out = rig.requeue(2);
    assert!(
        matches!(out.reply(), Reply::Refused(Refusal::TaskUnknown { .. })),
        "{out:?}"
    );
}
