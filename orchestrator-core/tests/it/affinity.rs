//! Models that take turns in one process: who waits for whom, and for how long.

use orchestrator_core::id::{ReplicaName, TaskId};
use orchestrator_core::machine::{Explanation, MachineConfig};
use orchestrator_core::obstacle::Obstacle;
use orchestrator_core::placement::Verdict;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{FinishReason, TaskSpec};

use crate::rig::Rig;
use crate::stage::{Shared, Stage, TOKENS_IN, model, wanting};

/// What each task here is expected to cost.
const COST: u32 = 100;

fn asks(number: usize) -> TaskSpec {
    asks_in(ClassName::INTERACTIVE, number)
}

fn asks_in(class: ClassName, number: usize) -> TaskSpec {
    let tokens_in = u32::try_from(TOKENS_IN).unwrap();
    TaskSpec {
        model_ref: Some(model(number)),
        ..wanting(class, COST - tokens_in, None)
    }
}

/// Two models in processes with so many slots, with room for so many tasks out of order.
fn two_models(slots: &[usize], tasks_out_of_order: u32) -> Shared {
    Shared {
        models: 2,
        slots: slots.to_vec(),
        passed_max: tasks_out_of_order * COST,
    }
}

fn stage(slots: &[usize], tasks_out_of_order: u32) -> Stage {
    let shared = two_models(slots, tasks_out_of_order);
    shared.stage(shared.config())
}

fn why(stage: &Stage, task: u128) -> Explanation {
    stage.machine.explain(stage.now, TaskId(task)).unwrap()
}

fn verdict(stage: &Stage, task: u128, number: usize, process: usize) -> (Verdict, String) {
    let name = ReplicaName::new(Shared::replica(number, process));
    let mut candidates = why(stage, task).candidates.into_iter();
    let found = candidates.find(|one| one.replica == name).unwrap();
    (found.verdict, found.detail)
}

/// Lets each task end as soon as it runs; all that were started, in order.
fn run_down(stage: &mut Stage) -> Vec<u128> {
    let mut order: Vec<u128> = stage.running.keys().copied().collect();
    for at in 0.. {
        let Some(task) = order.get(at).copied() else {
            break;
        };
        order.extend(stage.finish(task, 90));
    }
    order
}

/// Two tenants, each with a model of its own, that send one task each in turn; how often the model changed, and the
/// longest run of one of them.
fn in_turn(passed_max: u32, tasks: u128) -> (u64, usize) {
    let shared = Shared {
        passed_max,
        ..two_models(&[1], 0)
    };
    let mut stage = shared.stage(shared.config());
    for task in 0..tasks {
        let tenant = task % 2;
        stage.create(tenant, task, asks(usize::try_from(tenant).unwrap()));
    }
    let order = run_down(&mut stage);
    assert_eq!(order.len() as u128, tasks);
    let mut longest = 0;
    let mut run = 0;
    let mut last = None;
    for task in order {
        run = if last == Some(task % 2) { run + 1 } else { 1 };
        last = Some(task % 2);
        longest = longest.max(run);
    }
    (stage.model_changes, longest)
}

#[test]
fn two_models_that_would_change_with_each_task_change_with_each_run() {
    assert_eq!(in_turn(0, 400), (399, 1));
    // A run passes 40 tasks, and the one after it makes up for as many before it passes 40 itself.
    assert_eq!(in_turn(4_096, 400), (5, 81));
}

#[test]
fn the_model_that_is_loaded_goes_on_within_the_bound_and_then_it_is_the_turn_of_the_first() {
    let mut stage = stage(&[1], 2);
    for (task, number) in [(1, 0), (2, 1), (3, 0), (4, 0), (5, 0), (6, 1)] {
        stage.create(0, task, asks(number));
    }
    // Three and four go before two; six goes before five, which is within the bound again.
    assert_eq!(run_down(&mut stage), [1, 3, 4, 2, 6, 5]);
    assert_eq!(stage.model_changes, 2);
}

#[test]
fn without_a_bound_to_use_up_the_order_is_kept() {
    let mut stage = stage(&[1], 0);
    for (task, number) in [(1, 0), (2, 1), (3, 0), (4, 1)] {
        stage.create(0, task, asks(number));
    }
    assert_eq!(run_down(&mut stage), [1, 2, 3, 4]);
    assert_eq!(stage.model_changes, 3);
}

#[test]
fn a_process_with_several_slots_is_kept_free_for_the_first_until_it_can_change() {
    let mut stage = stage(&[2], 0);
    for (task, number) in [(1, 0), (2, 1), (3, 0)] {
        stage.create(0, task, asks(number));
    }
    assert_eq!(stage.running.len(), 1, "nothing begins beside the first");
    let busy = "process process-0 generates with model model-0".to_owned();
    assert_eq!(verdict(&stage, 2, 1, 0), (Verdict::ProcessBusy, busy));
    let kept = "process process-0 is kept for a task that goes before and wants another model";
    assert_eq!(
        verdict(&stage, 3, 0, 0),
        (Verdict::ProcessKept, kept.to_owned())
    );
    let explained = why(&stage, 2);
    assert_eq!(explained.blocked_by, Some(Obstacle::Slots));
    assert!(
        explained.summary.contains("generates with another model"),
        "{}",
        explained.summary
    );
    let behind = why(&stage, 3);
    assert_eq!(
        (behind.blocked_by, behind.queue_position),
        (Some(Obstacle::Queue), Some(1))
    );
    assert_eq!(stage.finish(1, 90), [2]);
    assert_eq!(stage.finish(2, 90), [3]);
}

#[test]
fn whoever_left_keeps_no_process() {
    let mut stage = stage(&[2], 0);
    for (task, number) in [(1, 0), (2, 1), (3, 0)] {
        stage.create(0, task, asks(number));
    }
    assert_eq!(stage.cancel(2), [3]);
}

#[test]
fn one_who_waits_keeps_one_process_and_the_others_go_on() {
    let mut stage = stage(&[2, 2], 0);
    for (task, number) in [(1, 0), (2, 0), (3, 0), (4, 1), (5, 0)] {
        stage.create(0, task, asks(number));
    }
    let at = |stage: &Stage, task| stage.places[&task].as_str().to_owned();
    assert_eq!(
        at(&stage, 2),
        Shared::replica(0, 0),
        "where the model is loaded"
    );
    assert_eq!(at(&stage, 3), Shared::replica(0, 1));
    assert_eq!(verdict(&stage, 5, 0, 1).0, Verdict::ProcessKept);
    // As few are left in both now: the first by name is kept, and the other one goes on.
    assert_eq!(stage.finish(1, 90), [5]);
    assert_eq!(at(&stage, 5), Shared::replica(0, 1));
    assert_eq!(stage.finish(2, 90), [4]);
    assert_eq!(at(&stage, 4), Shared::replica(1, 0));
}

#[test]
fn nobody_goes_before_one_who_is_due() {
    let config = two_models(&[1], 10).config();
    let mut stage = two_models(&[1], 10).stage(config.clone());
    stage.create(0, 1, asks(0));
    stage.create(0, 2, asks(1));
    stage.pass(config.ageing_ms);
    stage.create(0, 3, asks(0));
    assert_eq!(run_down(&mut stage), [1, 2, 3]);
}

#[test]
fn a_process_is_kept_for_nobody_who_is_first_no_more_because_another_one_is_due() {
    let shared = two_models(&[2], 0);
    let config = shared.config();
    let mut stage = shared.stage(config.clone());
    stage.create(0, 1, asks(0));
    stage.create(0, 2, asks(0));
    stage.create(0, 3, asks_in(ClassName::BATCH, 0));
    let due = stage.now.mono + config.ageing_ms;
    stage.pass(1_000);
    stage.create(0, 4, asks(1));
    assert_eq!(stage.finish(2, 90), [0; 0], "it is kept for the fourth");
    assert_eq!(stage.machine.next_wake(), Some(due));
    assert_eq!(stage.pass(config.ageing_ms - 1_000), [3]);
}

#[test]
fn nobody_goes_before_the_first_if_that_has_a_deadline() {
    let mut stage = stage(&[1], 10);
    stage.create(0, 1, asks(0));
    let hurried = TaskSpec {
        deadline_ms: Some(100_000),
        ..asks(1)
    };
    stage.create(0, 2, hurried);
    stage.create(0, 3, asks(0));
    assert_eq!(run_down(&mut stage), [1, 2, 3]);
}

#[test]
fn bands_stay_strict() {
    let mut stage = stage(&[1], 10);
    stage.create(0, 1, asks(0));
    stage.create(0, 2, asks_in(ClassName::BATCH, 0));
    stage.create(0, 3, asks(1));
    assert_eq!(run_down(&mut stage), [1, 3, 2]);
}

#[test]
fn what_a_process_held_is_forgotten_when_a_replica_of_it_stops() {
    for (is_down, changes) in [(false, 1), (true, 0)] {
        let shared = two_models(&[1], 0);
        let mut stage = shared.stage(shared.config());
        stage.create(0, 1, asks(0));
        stage.finish(1, 90);
        if is_down {
            stage.down(&Shared::replica(0, 0));
            stage.ready(shared.facts(0, 0));
        }
        assert_eq!(stage.create(0, 2, asks(1)), [2]);
        assert_eq!(stage.model_changes, changes);
    }
}

#[test]
fn a_pool_has_no_slot_free_while_its_process_generates_with_another_model() {
    let mut stage = stage(&[2], 0);
    let free = |stage: &Stage| -> Vec<u32> {
        let pools = stage.machine.pools();
        pools.iter().map(|pool| pool.slots_free).collect()
    };
    assert_eq!(free(&stage), [2, 2]);
    stage.create(0, 1, asks(0));
    assert_eq!(free(&stage), [1, 0]);
    stage.finish(1, 90);
    assert_eq!(free(&stage), [2, 2]);
}

#[test]
fn an_attempt_that_outlives_its_owner_keeps_the_process_to_itself() {
    let shared = two_models(&[2], 0);
    let mut config: MachineConfig = shared.config();
    config.attachable = true;
    let mut rig = Rig::new(config);
    for facts in shared.all_facts() {
        rig.replica_ready(facts);
    }
    let first = rig.create(1, asks(0)).starts().remove(0);
    rig.restart();
    for facts in shared.all_facts() {
        rig.replica_ready(facts);
    }
    assert_eq!(rig.create(2, asks(1)).starts().len(), 0);
    let ended = rig.finished(&first, FinishReason::Stop, 5);
    assert_eq!(ended.starts().remove(0).task, TaskId(2));
}

#[test]
fn who_may_run_on_either_model_runs_on_the_one_that_is_loaded() {
    let mut stage = stage(&[1], 0);
    let any = || TaskSpec {
        model_ref: None,
        ..asks(0)
    };
    stage.create(0, 1, asks(1));
    stage.create(0, 2, any());
    stage.create(0, 3, any());
    assert_eq!(run_down(&mut stage), [1, 2, 3]);
    for task in [2, 3] {
        assert_eq!(stage.places[&task].as_str(), Shared::replica(1, 0));
    }
    assert_eq!(stage.model_changes, 0);
}

#[test]
fn the_slots_of_a_process_are_counted_once_for_who_may_run_on_either_model() {
    let mut stage = stage(&[1], 0);
    let any = || TaskSpec {
        model_ref: None,
        ..asks(0)
    };
    stage.create(0, 1, asks(0));
    stage.create(0, 2, any());
    stage.create(0, 3, any());
    let each_ms = stage.machine.config().service_guess_ms;
    let predicted = stage.machine.predicted_start_ms(stage.now, TaskId(3));
    assert_eq!(predicted, Some(2 * each_ms));
}
