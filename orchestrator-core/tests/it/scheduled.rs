//! Tasks that are accepted for later.

use orchestrator_core::input::Input;
use orchestrator_core::queue::FullPolicy;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::task::{FinishReason, TaskSpec, TaskState, WaitingFor};
use orchestrator_core::time::WallMs;

use crate::rig::{BEGINNING, Out, Rig, batch, batch_of, interactive_of, one_pool, spec};

const WAITS: TaskState = TaskState::Waiting(WaitingFor::Time);

/// A plain task for so many milliseconds after the beginning.
fn after(ms: u64) -> TaskSpec {
    TaskSpec {
        run_at: Some(WallMs(BEGINNING.0 + ms)),
        ..spec()
    }
}

/// Sets the wall clock.
fn set(rig: &mut Rig, wall: u64) -> Out {
    rig.now.wall = WallMs(wall);
    rig.step(Input::Tick)
}

/// The tasks that were started, in order.
fn started(out: &Out) -> Vec<u128> {
    out.starts().iter().map(|order| order.task.0).collect()
}

#[test]
fn it_waits_for_its_time_and_says_so_and_then_runs() {
    let mut rig = Rig::ready(1);
    let out = rig.create(1, after(60_000));
    assert!(out.starts().is_empty());
    let row = rig.row(1);
    assert_eq!((row.state, row.accepted_eta_ms), (WAITS, 60_000));
    let why = rig.machine.explain(rig.now, row.id).unwrap();
    assert_eq!(why.waiting_for, Some(WaitingFor::Time));
    assert_eq!(
        (why.wakes_in_ms, why.predicted_start_ms),
        (Some(60_000), Some(60_000))
    );
    assert!(why.summary.contains("60000 ms"), "{}", why.summary);
    assert!(started(&rig.advance(59_999)).is_empty());
    assert_eq!(started(&rig.advance(1)), [1]);
}

#[test]
fn a_time_that_is_past_is_at_once() {
    let mut rig = Rig::ready(1);
    assert_eq!(started(&rig.create(1, after(0))), [1]);
    assert!(rig.row(1).not_before.is_none());
}

#[test]
fn what_is_ahead_of_it_runs_while_it_waits() {
    let mut rig = Rig::ready(1);
    for task in 1..=3 {
        rig.create(task, spec());
    }
    // Three attempts of five seconds each are before it, and its time is later than that.
    rig.create(4, after(60_000));
    rig.create(5, after(2_000));
    assert_eq!(rig.row(4).accepted_eta_ms, 60_000);
    assert!(rig.row(5).accepted_eta_ms > 2_000);
}

#[test]
fn a_restart_keeps_it_waiting_and_one_that_came_too_late_queues_it_by_its_time() {
    let mut rig = Rig::new(one_pool(1));
    rig.create(1, after(60_000));
    rig.create(2, after(30_000));
    rig.pass(10_000);
    rig.restart();
    rig.advance(1);
    assert_eq!((rig.state(1), rig.state(2)), (WAITS, WAITS));
    // Nobody is there when their times come; what came between is after them.
    rig.create(3, spec());
    rig.pass(90_000);
    rig.restart();
    rig.advance(0);
    rig.create(4, spec());
    let order = |rig: &Rig, task: u128| {
        let id = rig.row(task).id;
        rig.machine.queue_position(rig.now, id).unwrap()
    };
    assert_eq!([3, 2, 1, 4].map(|task| order(&rig, task)), [0, 1, 2, 3]);
}

#[test]
fn its_place_is_that_of_one_accepted_at_its_time() {
    let mut rig = Rig::new(one_pool(1));
    rig.create(1, after(10_000));
    rig.create(2, after(5_000));
    rig.create(3, after(10_000));
    rig.advance(7_000);
    rig.create(4, spec());
    rig.advance(7_000);
    rig.create(5, spec());
    let position = |task: u128| {
        let id = rig.row(task).id;
        rig.machine.queue_position(rig.now, id).unwrap()
    };
    assert_eq!([2, 4, 1, 3, 5].map(position), [0, 1, 2, 3, 4]);
}

#[test]
fn a_clock_that_is_set_forward_is_seen_within_a_second() {
    let mut rig = Rig::ready(1);
    rig.create(1, after(3_600_000));
    rig.pass(1);
    rig.now.wall = WallMs(BEGINNING.0 + 3_600_000);
    let wake = rig.machine.next_wake().unwrap();
    assert!(wake - rig.now.mono <= 1_000, "{wake:?}");
    assert_eq!(started(&rig.advance(1_000)), [1]);
}

#[test]
fn a_clock_that_is_set_back_makes_it_wait_longer() {
    let mut rig = Rig::ready(1);
    rig.create(1, after(10_000));
    rig.advance(9_000);
    assert!(set(&mut rig, BEGINNING.0).starts().is_empty());
    assert!(started(&rig.advance(9_999)).is_empty());
    assert_eq!(started(&rig.advance(1)), [1]);
    // One whose time has come stays in the queue, whatever the clock says afterwards.
    rig.create(2, after(25_000));
    rig.advance(30_000);
    assert_eq!(rig.state(2), TaskState::Queued);
    set(&mut rig, BEGINNING.0);
    rig.restart();
    assert_eq!(rig.state(2), TaskState::Queued);
}

#[test]
fn it_may_be_cancelled_before() {
    let mut rig = Rig::ready(1);
    rig.create(1, after(10_000));
    rig.cancel(1);
    assert_eq!(rig.state(1), TaskState::Cancelled);
    assert_eq!(rig.machine.next_wake(), None);
    // To take it back into the queue changes nothing: it was not given up.
    rig.create(2, after(10_000));
    rig.requeue(2);
    assert_eq!(rig.state(2), WAITS);
}

#[test]
fn a_deadline_before_its_time_is_refused_and_one_behind_it_holds() {
    let mut rig = Rig::new(one_pool(1));
    let within = |deadline_ms| TaskSpec {
        deadline_ms: Some(deadline_ms),
        ..after(10_000)
    };
    let refusal = Refusal::DeadlineBeforeStart {
        deadline_ms: 10_000,
        start_ms: 10_000,
    };
    assert_eq!(
        rig.create(1, within(10_000)).reply().refusal(),
        Some(&refusal)
    );
    rig.create(2, within(10_001));
    rig.advance(10_000);
    assert_eq!(rig.state(2), TaskState::Queued);
    rig.advance(1);
    assert_eq!(rig.state(2), TaskState::Failed);
}

#[test]
fn only_so_many_wait_and_a_full_class_neither_counts_nor_drops_them() {
    let mut config = one_pool(1);
    batch_of(&mut config).capacity = 1;
    batch_of(&mut config).full = FullPolicy::DropLru;
    config.scheduled_max = 2;
    let mut rig = Rig::new(config);
    let later = |ms| TaskSpec {
        run_at: Some(WallMs(BEGINNING.0 + ms)),
        ..batch()
    };
    rig.create(1, later(5_000));
    rig.create(2, later(6_000));
    let full = Refusal::ScheduleFull {
        capacity: 2,
        retry_after_ms: 5_000,
    };
    assert_eq!(rig.create(3, later(7_000)).reply().refusal(), Some(&full));
    rig.create(4, batch());
    rig.advance(6_000);
    // Both are in the queue now, and the class is full with one that came in at the door.
    rig.create(5, batch());
    assert_eq!(rig.state(4), TaskState::Failed);
    for task in [1, 2, 5] {
        assert_eq!(rig.state(task), TaskState::Queued, "{task}");
    }
}

#[test]
fn a_free_slot_lets_nobody_past_a_full_class_if_one_whose_time_has_come_takes_it() {
    let mut config = one_pool(2);
    interactive_of(&mut config).capacity = 1;
    let mut rig = Rig::new(config);
    let mut narrow = crate::rig::facts("default-0", 1);
    narrow.ctx = 64;
    rig.replica_ready(narrow);
    let mut wide = crate::rig::facts("default-1", 1);
    wide.ctx = 4_096;
    rig.replica_ready(wide);
    let needs = |ctx| TaskSpec {
        ctx: Some(ctx),
        ..spec()
    };
    // The wide slot is taken and the class is full with one that needs it; the narrow slot is free.
    rig.create(1, needs(4_096));
    rig.create(2, needs(4_096));
    rig.create(3, after(10_000));
    rig.pass(10_000);
    // The time of the third comes with the step that brings the fourth, and its turn is before.
    let out = rig.create(4, spec());
    assert_eq!(started(&out), [3]);
    assert!(
        matches!(out.reply().refusal(), Some(Refusal::QueueFull { .. })),
        "{out:?}"
    );
}

#[test]
fn many_whose_time_comes_at_once_are_queued_in_bounded_steps() {
    let mut config = one_pool(1);
    config.scheduled_max = 1_000;
    let mut rig = Rig::new(config);
    for task in 0..200 {
        rig.create(task, after(1_000));
    }
    rig.advance(1_000);
    assert!((0..200).all(|task| rig.state(task) == TaskState::Queued));
}

#[test]
fn what_cannot_run_any_more_when_its_time_comes_is_told_so() {
    let mut rig = Rig::ready(1);
    rig.create(1, after(10_000));
    rig.report(orchestrator_core::input::Report::PoolUnavailable {
        pool: orchestrator_core::id::PoolName::new("default"),
        detail: "gave up".to_owned(),
    });
    rig.replica_down("default-0");
    rig.advance(10_000);
    assert_eq!(rig.state(1), TaskState::Failed);
    // And one that can, runs to its end as any other.
    let mut rig = Rig::ready(1);
    rig.create(1, after(10_000));
    let order = rig.advance(10_000).starts().remove(0);
    rig.finished(&order, FinishReason::Stop, 3);
    assert_eq!(rig.state(1), TaskState::Completed);
}
