//! Bounds on what a step costs and a task weighs.

use orchestrator_core::machine::MUTATIONS_PER_STEP_MAX;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::TaskRecord;

use crate::rig::{Rig, batch, facts, one_pool, spec};

#[test]
fn a_lost_replica_with_many_slots_is_worked_off_in_bounded_steps() {
    let mut rig = Rig::ready(200);
    for task in 0..200 {
        rig.create(task, spec());
    }
    let first = rig.replica_down("default-0");
    assert!(first.mutations.len() <= MUTATIONS_PER_STEP_MAX);
    assert!(rig.machine.next_wake() <= Some(rig.now.mono));
    rig.advance(0);
    assert!((0..200).all(|task| rig.row(task).failures == 1));
    // They come back together, and are dispatched in bounded steps too.
    rig.advance(500);
    rig.replica_ready(facts("default-0", 200));
    rig.advance(0);
    assert!((0..200).all(|task| rig.row(task).attempts == 2));
}

#[test]
fn a_restart_with_many_attempts_is_worked_off_in_bounded_steps() {
    let mut rig = Rig::ready(200);
    for task in 0..200 {
        rig.create(task, spec());
    }
    rig.restart();
    rig.advance(0);
    assert!((0..200).all(|task| rig.row(task).interruptions == 1));
    assert_eq!(rig.machine.queue_depth(ClassName::INTERACTIVE), Some(200));
}

#[test]
fn positions_and_estimates_follow_the_queue() {
    let mut rig = Rig::new(one_pool(1));
    for task in 0..50 {
        rig.create(task, batch());
    }
    for task in 0..50_u32 {
        let row = rig.row(u128::from(task));
        assert_eq!(row.accepted_position, u64::from(task));
        assert_eq!(row.accepted_eta_ms, (u64::from(task) + 1) * 5_000);
    }
}

/// What a queued task holds: its record in a box with the map's entry, its node in the queue's tree (whose
/// arena may be half empty), its entry at the front door, and a model name of its own.
#[test]
fn a_queued_task_weighs_less_than_a_kibibyte() {
    let map_entry = (16 + 8) * 2;
    let tree_node = 80 * 2;
    let front_entry = (8 + 16) * 2;
    let name = 16 + 32;
    let total = size_of::<TaskRecord>() + 16 + map_entry + tree_node + front_entry + name;
    assert!(
        total <= 1024,
        "{total} bytes, {} of them the record",
        size_of::<TaskRecord>()
    );
}

/// The owner drives it on a thread of its own.
#[test]
fn a_machine_may_move_to_another_thread() {
    fn send<T: Send>(_: &T) {}
    send(&Rig::ready(1).machine);
}
