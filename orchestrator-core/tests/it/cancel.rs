//! Cancelling, at every point of a task's life.

use orchestrator_core::effect::Effect;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskEnd, TaskFault, TaskState};

use crate::rig::{Out, Rig, facts, one_pool, spec};

fn told(out: &Out) -> Vec<(TaskState, u64)> {
    let told = |reply: &Reply| match reply {
        Reply::TaskCancelled(record) => (record.state, record.position),
        other => panic!("{other:?}"),
    };
    out.replies.iter().map(|(_, reply)| told(reply)).collect()
}

#[test]
fn a_queued_task_ends_at_once() {
    let mut rig = Rig::ready(1);
    rig.create(1, spec());
    rig.create(2, spec());
    let out = rig.cancel(2);
    assert_eq!(told(&out), [(TaskState::Cancelled, 0)]);
    assert!(matches!(out.effects.as_slice(), [Effect::TaskEnded { .. }]));
}

#[test]
fn everyone_who_cancels_a_running_task_waits_for_its_final_position() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    let out = rig.cancel(1);
    assert!(out.replies.is_empty());
    assert!(matches!(
        out.effects.as_slice(),
        [Effect::AttemptCancel { .. }]
    ));
    assert_eq!(rig.state(1), TaskState::CancelRequested);
    let repeat = rig.cancel(1);
    assert_eq!(repeat, Out::default());
    let out = rig.finished(&order, FinishReason::Cancelled, 13);
    assert_eq!(
        told(&out),
        [(TaskState::Cancelled, 13), (TaskState::Cancelled, 13)]
    );
    let cold = rig.cancel(1);
    assert_eq!(told(&cold), [(TaskState::Cancelled, 13)]);
    assert!(cold.mutations.is_empty());
}

#[test]
fn an_attempt_that_was_done_already_leaves_the_task_completed() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.cancel(1);
    let out = rig.finished(&order, FinishReason::Stop, 20);
    assert_eq!(told(&out), [(TaskState::Completed, 20)]);
}

#[test]
fn an_attempt_that_breaks_while_it_is_cancelled_is_not_tried_again() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    rig.cancel(1);
    let out = rig.failed(&order, TaskFault::WorkerReset);
    assert_eq!(told(&out), [(TaskState::Cancelled, 10)]);
}

#[test]
fn a_cancel_that_nobody_confirms_ends_the_task_at_its_durable_position() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    rig.cancel(1);
    assert_eq!(rig.advance(4_999), Out::default());
    let out = rig.advance(1);
    assert_eq!(told(&out), [(TaskState::Cancelled, 10)]);
    let late = rig.finished(&order, FinishReason::Cancelled, 12);
    assert_eq!(late, Out::default());
}

#[test]
fn a_cancel_that_meets_a_restart_is_carried_out() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    rig.cancel(1);
    rig.restart();
    rig.advance(0);
    assert_eq!(
        (rig.state(1), rig.row(1).position),
        (TaskState::Cancelled, 10)
    );
}

#[test]
fn stopped_in_the_middle_of_a_replay_the_kept_text_stays() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    rig.failed(&order, TaskFault::WorkerReset);
    let again = rig.advance(1_000).starts().remove(0);
    rig.cancel(1);
    let out = rig.finished(&again, FinishReason::Cancelled, 4);
    assert_eq!(told(&out), [(TaskState::Cancelled, 10)]);
    assert!(!rig.store.texts.contains_key(&again.task));
    assert!(matches!(
        rig.row(1).end,
        Some(TaskEnd::Finished { tokens_out: 10, .. })
    ));
}

#[test]
fn a_cancel_that_meets_a_take_over_is_ordered_again_and_has_its_deadline() {
    let mut config = one_pool(1);
    config.attachable = true;
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    rig.cancel(1);
    let out = rig.restart();
    assert!(
        out.effects
            .iter()
            .any(|effect| matches!(effect, Effect::AttemptCancel { .. }))
    );
    assert!(out.starts().is_empty());
    rig.advance(5_000);
    assert_eq!(
        (rig.state(1), rig.row(1).position),
        (TaskState::Cancelled, 10)
    );
}
