//! Tasks that end with their readers.

use orchestrator_core::input::Report;
use orchestrator_core::task::{OnDisconnect, TaskSpec, TaskState};

use crate::rig::{Out, Rig, one_pool, spec};

fn with_reader(on_disconnect: OnDisconnect) -> (Rig, orchestrator_core::effect::AttemptOrder) {
    let mut rig = Rig::ready(1);
    let order = rig
        .create(
            1,
            TaskSpec {
                on_disconnect,
                ..spec()
            },
        )
        .starts()
        .remove(0);
    readers(&mut rig, 1);
    (rig, order)
}

fn readers(rig: &mut Rig, readers: u32) -> Out {
    let task = rig.row(1).id;
    let out = rig.report(Report::ReadersChanged { task, readers });
    assert_eq!(out, Out::default(), "readers are soft");
    out
}

#[test]
fn the_task_is_cancelled_when_the_last_reader_stays_away() {
    let (mut rig, _) = with_reader(OnDisconnect::Cancel);
    readers(&mut rig, 0);
    rig.advance(4_999);
    assert_eq!(rig.state(1), TaskState::Dispatched);
    rig.advance(1);
    assert_eq!(rig.state(1), TaskState::CancelRequested);
    rig.advance(5_000);
    assert_eq!(rig.state(1), TaskState::Cancelled);
}

#[test]
fn a_reader_who_comes_back_in_time_keeps_it_alive() {
    let (mut rig, order) = with_reader(OnDisconnect::Cancel);
    readers(&mut rig, 0);
    rig.advance(4_000);
    readers(&mut rig, 1);
    rig.advance(20_000);
    assert_eq!(rig.state(1), TaskState::Dispatched);
    rig.running(&order);
    readers(&mut rig, 0);
    rig.advance(5_000);
    assert_eq!(rig.state(1), TaskState::CancelRequested);
}

#[test]
fn a_task_that_continues_does_not_care() {
    let (mut rig, _) = with_reader(OnDisconnect::Continue);
    readers(&mut rig, 0);
    rig.advance(20_000);
    assert_eq!(rig.state(1), TaskState::Dispatched);
}

#[test]
fn readers_who_came_before_a_recovery_count_when_they_leave() {
    let mut attachable = one_pool(1);
    attachable.attachable = true;
    let (mut rig, _) = with_reader(OnDisconnect::Cancel);
    rig.restart_with(attachable);
    readers(&mut rig, 0);
    rig.advance(4_999);
    assert_eq!(rig.state(1), TaskState::Dispatched);
    rig.advance(1);
    assert_eq!(rig.state(1), TaskState::CancelRequested);
}

#[test]
fn to_be_told_again_does_not_prolong_the_grace() {
    let (mut rig, _) = with_reader(OnDisconnect::Cancel);
    readers(&mut rig, 0);
    rig.advance(4_000);
    readers(&mut rig, 0);
    rig.advance(1_000);
    assert_eq!(rig.state(1), TaskState::CancelRequested);
}

#[test]
fn a_task_that_nobody_ever_read_runs_on() {
    let mut rig = Rig::ready(1);
    rig.create(
        1,
        TaskSpec {
            on_disconnect: OnDisconnect::Cancel,
            ..spec()
        },
    );
    rig.advance(20_000);
    assert_eq!(rig.state(1), TaskState::Dispatched);
}
