//! Order and bounds of the queue.

use orchestrator_core::effect::Effect;
use orchestrator_core::id::AcceptSeq;
use orchestrator_core::queue::{Band, ClassName, Turn, VirtualTime, order};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskEnd, TaskFault, TaskState};
use orchestrator_core::time::{AgeMs, MonoMs};
use proptest::prelude::*;

use crate::rig::{Rig, batch, batch_of, facts, interactive_of, one_pool, spec};

/// A rig whose only slot is taken by task 0.
fn busy() -> (Rig, orchestrator_core::effect::AttemptOrder) {
    let mut config = one_pool(1);
    interactive_of(&mut config).capacity = 3;
    batch_of(&mut config).capacity = 3;
    config.lease_ttl_ms = 3_600_000;
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    let order = rig.create(0, spec()).starts().remove(0);
    (rig, order)
}

/// Runs one task after the other to its end; the order in which they ran.
fn run_all(rig: &mut Rig, mut order: orchestrator_core::effect::AttemptOrder) -> Vec<u128> {
    let mut ran = vec![order.task.0];
    loop {
        let Some(next) = rig.finished(&order, FinishReason::Stop, 1).starts().pop() else {
            return ran;
        };
        order = next;
        ran.push(order.task.0);
    }
}

#[test]
fn interactive_goes_before_batch() {
    let (mut rig, first) = busy();
    rig.create(1, batch());
    rig.create(2, spec());
    rig.create(3, batch());
    rig.create(4, spec());
    let position = |task| rig.machine.queue_position(rig.now, rig.row(task).id);
    assert_eq!(
        [2, 4, 1, 3].map(position),
        [Some(0), Some(1), Some(2), Some(3)]
    );
    assert_eq!(run_all(&mut rig, first), [0, 2, 4, 1, 3]);
}

#[test]
fn a_batch_task_that_has_waited_for_the_bound_gets_its_share_of_the_first_band() {
    let (mut rig, first) = busy();
    rig.create(1, spec());
    rig.create(2, batch());
    rig.pass(4 * 60_000);
    rig.create(3, batch());
    rig.create(4, spec());
    rig.report(orchestrator_core::input::Report::AttemptRenewed {
        attempt: first.attempt,
    });
    rig.pass(60_000);
    let position = |task| rig.machine.queue_position(rig.now, rig.row(task).id);
    // Interactive work has had a task already, the old batch task nothing yet.
    assert_eq!(
        [2, 1, 4, 3].map(position),
        [Some(0), Some(1), Some(2), Some(3)]
    );
    // The renewal is older than the lease, so the first attempt is brought back to life first.
    rig.report(orchestrator_core::input::Report::AttemptRenewed {
        attempt: first.attempt,
    });
    assert_eq!(run_all(&mut rig, first), [0, 2, 1, 4, 3]);
}

#[test]
fn a_backlog_of_old_batch_tasks_leaves_interactive_ones_their_share() {
    let (mut rig, first) = busy();
    let mut config = rig.machine.config().clone();
    batch_of(&mut config).capacity = 100;
    interactive_of(&mut config).capacity = 100;
    config.lease_ttl_ms = 3_600_000;
    rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    let first = {
        drop(first);
        rig.create(0, spec()).starts().remove(0)
    };
    for task in 100..120 {
        rig.create(task, batch());
    }
    rig.pass(5 * 60_000);
    for task in 1..=20 {
        rig.create(task, spec());
    }
    let ran = run_all(&mut rig, first);
    let before = |count: usize| ran[..count].iter().filter(|task| **task < 100).count();
    // Weights of 8 and 1: of the first eighteen tasks two are old batch tasks.
    assert_eq!(before(18), 16, "{ran:?}");
}

#[test]
fn batch_is_not_starved_beyond_the_bound_by_a_stream_of_interactive_tasks() {
    let (mut rig, mut running) = busy();
    rig.create(1, batch());
    let (mut task, mut waited) = (100, 0);
    // Interactive tasks come as fast as they are served, one second each.
    loop {
        rig.create(task, spec());
        task += 1;
        rig.pass(1_000);
        waited += 1_000;
        running = rig
            .finished(&running, FinishReason::Stop, 1)
            .starts()
            .remove(0);
        if running.task.0 == 1 || waited > 3_600_000 {
            break;
        }
    }
    assert_eq!(
        waited,
        5 * 60_000,
        "it runs with the first slot after the bound"
    );
}

#[test]
fn the_oldest_queued_batch_task_goes_when_its_class_is_full() {
    let (mut rig, _) = busy();
    for task in 1..=3 {
        rig.create(task, batch());
    }
    let out = rig.create(4, batch());
    assert!(matches!(out.reply(), Reply::TaskCreated { .. }));
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (TaskState::Failed, TaskState::Queued)
    );
    assert!(matches!(
        &rig.row(1).end,
        Some(TaskEnd::Failed {
            fault: TaskFault::QueueFullDropLru,
            ..
        })
    ));
    assert!(matches!(out.effects.as_slice(), [Effect::TaskEnded { task, .. }] if task.0 == 1));
    assert_eq!(rig.row(4).accepted_position, 2);
}

#[test]
fn a_full_interactive_class_refuses_and_says_when_to_come_back() {
    let (mut rig, _) = busy();
    for task in 1..=3 {
        rig.create(task, spec());
    }
    let out = rig.create(4, spec());
    let Some(Refusal::QueueFull {
        capacity: 3,
        retry_after_ms,
        ..
    }) = out.reply().refusal()
    else {
        panic!("{out:?}");
    };
    assert_eq!(*retry_after_ms, 5_000, "one service time, as guessed");
    assert!(out.mutations.is_empty() && out.effects.is_empty());
}

#[test]
fn work_that_ran_once_is_neither_counted_nor_dropped() {
    let (mut rig, order) = busy();
    rig.cancel(0);
    rig.finished(&order, FinishReason::Cancelled, 0);
    let retried = rig.create(10, batch()).starts().remove(0);
    rig.create(1, batch());
    rig.failed(&retried, TaskFault::WorkerReset);
    assert_eq!(rig.state(1), TaskState::Dispatched);
    rig.advance(1_000);
    assert_eq!(
        (rig.state(10), rig.row(10).attempts),
        (TaskState::Queued, 1)
    );
    for task in 2..=4 {
        rig.create(task, batch());
    }
    assert_eq!(rig.machine.queue_depth(ClassName::BATCH), Some(4));
    rig.create(5, batch());
    assert_eq!(
        (rig.state(10), rig.state(2)),
        (TaskState::Queued, TaskState::Failed)
    );
}

#[test]
fn a_full_class_does_not_refuse_what_can_run_at_once() {
    let mut config = one_pool(2);
    interactive_of(&mut config).capacity = 1;
    let mut rig = Rig::new(config);
    let mut wide = facts("default-1", 1);
    rig.replica_ready(facts("default-0", 1));
    rig.create(0, spec());
    // Waits for a context that only the other replica may have.
    let demanding = orchestrator_core::task::TaskSpec {
        ctx: Some(512),
        ..spec()
    };
    rig.create(1, demanding);
    assert_eq!(rig.state(1), TaskState::Queued);
    assert!(rig.create(2, spec()).reply().refusal().is_some());
    wide.slots = 2;
    rig.replica_ready(wide);
    assert_eq!(rig.state(1), TaskState::Dispatched);
    rig.create(3, spec());
    assert_eq!(rig.state(3), TaskState::Dispatched);
}

#[test]
fn a_task_that_fits_is_not_held_up_by_one_that_does_not() {
    let mut config = one_pool(2);
    interactive_of(&mut config).capacity = 10;
    let mut rig = Rig::new(config);
    let mut wide = facts("default-1", 1);
    wide.ctx = 4096;
    rig.replica_ready(wide);
    let demanding = orchestrator_core::task::TaskSpec {
        ctx: Some(4096),
        ..spec()
    };
    rig.create(0, demanding.clone());
    rig.create(1, demanding);
    rig.create(2, spec());
    let out = rig.replica_ready(facts("default-0", 1));
    assert_eq!(out.starts()[0].task.0, 2);
    assert_eq!(rig.state(1), TaskState::Queued);
}

proptest! {
    #[test]
    fn the_order_is_band_then_share_then_turn(
        one in (any::<bool>(), 0u64..3, 0i64..5, 0u64..5),
        other in (any::<bool>(), 0u64..3, 0i64..5, 0u64..5),
    ) {
        let now = MonoMs(2);
        let key = |(urgent, had, due, seq): (bool, u64, i64, u64)| {
            let class = if urgent { Band::FIRST } else { Band(1) };
            let turn = Turn { due: AgeMs(due), seq: AcceptSeq(seq) };
            order(now, class, VirtualTime(had.into()), turn)
        };
        let by_hand = |(urgent, had, due, seq): (bool, u64, i64, u64)| {
            (!urgent && due > 2, had, due, seq)
        };
        prop_assert_eq!(key(one).cmp(&key(other)), by_hand(one).cmp(&by_hand(other)));
    }

    #[test]
    fn fifo_among_equals(count in 1usize..20, slots in 1u32..4, class in any::<bool>()) {
        let mut rig = Rig::new(one_pool(1));
        let spec = if class { spec() } else { batch() };
        for task in 0..count {
            rig.create(task as u128, spec.clone());
        }
        let mut ran = Vec::new();
        let mut running = rig.replica_ready(facts("default-0", slots)).starts();
        while !running.is_empty() {
            let order = running.remove(0);
            ran.push(order.task.0);
            running.extend(rig.finished(&order, FinishReason::Stop, 1).starts());
            running.extend(rig.advance(0).starts());
        }
        prop_assert_eq!(ran, (0..count as u128).collect::<Vec<_>>());
    }

    #[test]
    fn the_victim_is_always_the_oldest_that_never_ran(extra in 1u128..12) {
        let (mut rig, _) = busy();
        for task in 1..=3 + extra {
            rig.create(task, batch());
        }
        for task in 1..=3 + extra {
            let dropped = rig.state(task) == TaskState::Failed;
            prop_assert_eq!(dropped, task <= extra);
        }
    }
}
