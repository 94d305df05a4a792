//! What people read when they ask why.

use orchestrator_core::id::ModelRef;
use orchestrator_core::obstacle::Obstacle;
use orchestrator_core::task::{Engine, TaskFault, TaskSpec};

use crate::pools::two_pools;
use crate::rig::{Rig, facts, spec};

fn why(rig: &Rig, task: u128) -> String {
    let why = rig.machine.explain(rig.now, rig.row(task).id).unwrap();
    let mut text = format!(
        "{:?}: {}\nblocked by {}, position {:?}, start in {:?} ms, wakes in {:?} ms\n",
        why.state,
        why.summary,
        why.blocked_by.map_or("nothing", Obstacle::name),
        why.queue_position,
        why.predicted_start_ms,
        why.wakes_in_ms
    );
    for one in why.candidates {
        text += &format!(
            "  {:<10} {:<17} {}\n",
            one.replica,
            format!("{:?}", one.verdict),
            one.detail
        );
    }
    text
}

#[test]
fn every_state_of_a_task() {
    let mut rig = Rig::new(two_pools());
    let tiny = TaskSpec {
        model_ref: Some(ModelRef::new("haiku-tiny")),
        ..spec()
    };
    rig.create(1, tiny.clone());
    rig.create(2, tiny.clone());
    rig.create(
        3,
        TaskSpec {
            engine: Some(Engine::Llamacpp),
            ..spec()
        },
    );
    let mut text = format!(
        "nothing is ready\n{}{}{}",
        why(&rig, 1),
        why(&rig, 2),
        why(&rig, 3)
    );

    rig.replica_down("default-1");
    let order = rig.replica_ready(facts("default-0", 1)).starts().remove(0);
    text += &format!("\none replica is ready\n{}{}", why(&rig, 1), why(&rig, 2));

    rig.create(4, tiny);
    rig.chunk(&order, 0, 5);
    text += &format!("\ntokens flow\n{}{}", why(&rig, 1), why(&rig, 4));

    rig.failed(&order, TaskFault::DecodeTimeout);
    text += &format!("\nthe engine fell silent\n{}", why(&rig, 1));

    rig.cancel(2);
    rig.pass(1_000);
    text += &format!("\na cancel is under way\n{}", why(&rig, 2));
    insta::assert_snapshot!(text);
}

#[test]
fn a_task_that_has_ended_has_no_live_explanation() {
    let mut rig = Rig::ready(1);
    rig.create(1, spec());
    rig.create(2, spec());
    rig.cancel(2);
    assert!(rig.machine.explain(rig.now, rig.row(2).id).is_none());
}
