//! Replicas and pools come, go, and come back as others.

use orchestrator_core::effect::{AttemptOrder, Effect};
use orchestrator_core::id::{ModelRef, PoolName, ReplicaName};
use orchestrator_core::input::Report;
use orchestrator_core::placement::{
    PoolConfig, PoolState, ReplicaConfig, ReplicaFacts, ReplicaViewState,
};
use orchestrator_core::task::{
    Engine, FinishReason, TaskEnd, TaskFault, TaskSpec, TaskState, WaitingFor,
};

use crate::rig::{Out, Rig, facts, one_pool, spec};

fn give_up(rig: &mut Rig, pool: &str) -> Out {
    let pool = PoolName::new(pool);
    rig.report(Report::PoolUnavailable {
        pool,
        detail: "5 restarts in 60 s".to_owned(),
    })
}

fn fault_of(rig: &Rig, task: u128) -> TaskFault {
    match &rig.row(task).end {
        Some(TaskEnd::Failed { fault, .. }) => *fault,
        other => panic!("task {task}: {other:?}"),
    }
}

fn second_version(name: &str) -> ReplicaFacts {
    ReplicaFacts {
        engine_version: "2".to_owned(),
        ..facts(name, 1)
    }
}

/// A task that has released tokens on `default-0` and was then interrupted there.
fn interrupted(replicas: u32) -> Rig {
    let mut rig = Rig::new(one_pool(replicas));
    rig.replica_ready(facts("default-0", 1));
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    rig.replica_down("default-0");
    assert_eq!(rig.state(1), TaskState::Waiting(WaitingFor::Backoff));
    rig
}

#[test]
fn a_replica_that_goes_down_fails_its_attempts_and_frees_its_slots() {
    let mut rig = Rig::ready(2);
    let orders: Vec<AttemptOrder> = (1..=2)
        .map(|task| rig.create(task, spec()).starts().remove(0))
        .collect();
    let out = rig.replica_down("default-0");
    assert_eq!((rig.row(1).failures, rig.row(2).failures), (1, 1));
    let stopped = out
        .effects
        .iter()
        .filter(|e| matches!(e, Effect::AttemptCancel { .. }))
        .count();
    assert_eq!(stopped, 2);
    assert_eq!(rig.machine.slots_taken(&ReplicaName::new("default-0")), 0);
    assert_eq!(
        rig.finished(&orders[0], FinishReason::Stop, 3),
        Out::default()
    );
    assert_eq!(rig.replica_down("default-0"), Out::default());
}

#[test]
fn an_end_that_was_reported_first_counts() {
    let mut rig = Rig::ready(1);
    let order = rig.create(1, spec()).starts().remove(0);
    rig.finished(&order, FinishReason::Stop, 3);
    rig.replica_down("default-0");
    assert_eq!(rig.state(1), TaskState::Completed);
}

#[test]
fn a_text_goes_on_only_in_the_same_replica_set() {
    let mut rig = interrupted(2);
    rig.replica_ready(second_version("default-1"));
    assert!(rig.advance(1_000).starts().is_empty());
    let why = rig.machine.explain(rig.now, rig.row(1).id).unwrap();
    insta::assert_debug_snapshot!(why.candidates);
    let order = rig.replica_ready(facts("default-0", 1)).starts().remove(0);
    assert_eq!(
        (order.position, order.replica),
        (10, ReplicaName::new("default-0"))
    );
}

#[test]
fn nothing_released_means_placed_anew() {
    let mut rig = Rig::ready(1);
    rig.create(1, spec());
    rig.replica_down("default-0");
    let mut out = rig.replica_ready(second_version("default-0"));
    out.effects.extend(rig.advance(1_000).effects);
    assert_eq!(out.starts().len(), 1);
}

/// A task whose attempt on `default-0` was under way when the daemon died, and had told of no token.
fn cut_off_before_a_token(replicas: u32) -> Rig {
    let mut rig = Rig::new(one_pool(replicas));
    rig.replica_ready(facts("default-0", 1));
    rig.create(1, spec());
    rig.restart();
    rig.advance(1_000);
    assert_eq!(rig.state(1), TaskState::Queued);
    rig
}

#[test]
fn what_an_earlier_owner_may_have_shown_goes_on_in_the_same_replica_set() {
    let mut rig = cut_off_before_a_token(2);
    assert!(
        rig.replica_ready(second_version("default-1"))
            .starts()
            .is_empty()
    );
    let order = rig.replica_ready(facts("default-0", 1)).starts().remove(0);
    assert_eq!(order.replica, ReplicaName::new("default-0"));
}

#[test]
fn and_is_placed_anew_where_that_set_does_not_come_back() {
    let mut rig = cut_off_before_a_token(1);
    let order = rig
        .replica_ready(second_version("default-0"))
        .starts()
        .remove(0);
    rig.chunk(&order, 0, 10);
    rig.finished(&order, FinishReason::Stop, 10);
    assert_eq!(rig.state(1), TaskState::Completed);
}

#[test]
fn and_does_not_wait_for_a_replica_that_is_known_to_be_down() {
    let mut rig = cut_off_before_a_token(2);
    assert!(
        rig.replica_ready(second_version("default-1"))
            .starts()
            .is_empty()
    );
    let order = rig.replica_down("default-0").starts().remove(0);
    assert_eq!(order.replica, ReplicaName::new("default-1"));
}

#[test]
fn a_token_that_was_told_of_binds_to_its_replica_set_although_none_is_durable() {
    let mut rig = Rig::new(one_pool(2));
    rig.replica_ready(facts("default-0", 1));
    let order = rig.create(1, spec()).starts().remove(0);
    rig.running(&order);
    rig.replica_down("default-0");
    rig.replica_ready(second_version("default-1"));
    assert!(rig.advance(1_000).starts().is_empty());
    rig.replica_ready(second_version("default-0"));
    assert_eq!(fault_of(&rig, 1), TaskFault::ReplicaSetGone);
}

#[test]
fn a_pool_that_comes_back_as_another_set_ends_what_it_cannot_continue() {
    let mut rig = interrupted(1);
    rig.advance(1_000);
    assert_eq!(
        rig.state(1),
        TaskState::Queued,
        "while the replica starts it waits"
    );
    rig.replica_ready(second_version("default-0"));
    assert_eq!(fault_of(&rig, 1), TaskFault::ReplicaSetGone);
    assert_eq!(rig.row(1).position, 10);
}

#[test]
fn a_replica_that_comes_back_as_another_without_a_word_loses_its_attempts() {
    let mut rig = Rig::ready(1);
    rig.create(1, spec());
    rig.replica_ready(second_version("default-0"));
    assert_eq!(
        (rig.row(1).failures, rig.state(1)),
        (1, TaskState::Waiting(WaitingFor::Backoff))
    );
}

#[test]
fn a_replica_that_repeats_itself_changes_nothing() {
    let mut rig = Rig::ready(1);
    rig.create(1, spec());
    assert_eq!(rig.replica_ready(facts("default-0", 1)), Out::default());
}

#[test]
fn a_report_that_contradicts_the_configuration_is_counted_and_ignored() {
    let mut rig = Rig::new(one_pool(1));
    rig.create(1, spec());
    rig.replica_ready(facts("stranger", 1));
    rig.replica_ready(ReplicaFacts {
        model_ref: ModelRef::new("other"),
        ..facts("default-0", 1)
    });
    rig.replica_down("stranger");
    give_up(&mut rig, "stranger");
    assert_eq!(rig.machine.counters().reports_foreign, 4);
    assert_eq!(rig.state(1), TaskState::Queued);
}

#[test]
fn a_pool_that_gave_up_ends_what_only_it_could_serve() {
    let mut rig = Rig::new(two_pools());
    let small = TaskSpec {
        model_ref: Some(ModelRef::new("haiku-tiny")),
        ..spec()
    };
    rig.create(1, small.clone());
    rig.create(2, spec());
    let out = give_up(&mut rig, "default");
    assert_eq!(fault_of(&rig, 1), TaskFault::PoolUnavailable);
    assert!(matches!(out.effects.as_slice(), [Effect::TaskEnded { .. }]));
    assert_eq!(
        rig.state(2),
        TaskState::Queued,
        "the other pool may still serve it"
    );
    assert_eq!(rig.machine.pools()[0].state, PoolState::Unavailable);
    assert_eq!(
        rig.machine.pools()[0].replicas[0].state,
        ReplicaViewState::Failed
    );
    rig.replica_ready(facts("default-0", 1));
    assert_eq!(rig.machine.pools()[0].state, PoolState::Ready);
    assert_eq!(rig.state(2), TaskState::Dispatched);
}

/// Pool `default`, and pool `large` with another model on another engine.
pub(crate) fn two_pools() -> orchestrator_core::machine::MachineConfig {
    let mut config = one_pool(2);
    config.pools.push(PoolConfig {
        name: PoolName::new("large"),
        engine: Engine::Llamacpp,
        model_ref: ModelRef::new("large-8b"),
        kv_bytes_per_token: None,
        replicas: vec![ReplicaConfig::alone(ReplicaName::new("large-0"))],
    });
    config
}

#[test]
fn many_tasks_of_a_pool_that_gave_up_end_a_bounded_number_at_a_time() {
    let mut rig = Rig::new(one_pool(1));
    for task in 1..=100 {
        rig.create(task, spec());
    }
    give_up(&mut rig, "default");
    assert!(rig.machine.live_count() > 0);
    assert!(
        rig.machine.next_wake() <= Some(rig.now.mono),
        "there is more to do at once"
    );
    rig.advance(0);
    assert_eq!(rig.machine.live_count(), 0);
    assert!((1..=100).all(|task| fault_of(&rig, task) == TaskFault::PoolUnavailable));
}

#[test]
fn a_task_that_turns_out_too_large_ends_when_the_context_is_known() {
    let mut rig = Rig::new(one_pool(1));
    rig.create(
        1,
        TaskSpec {
            ctx: Some(1024),
            ..spec()
        },
    );
    rig.create(
        2,
        TaskSpec {
            ctx: Some(512),
            ..spec()
        },
    );
    assert_eq!(
        (rig.state(1), rig.state(2)),
        (TaskState::Queued, TaskState::Queued)
    );
    rig.replica_ready(facts("default-0", 1));
    assert_eq!(fault_of(&rig, 1), TaskFault::ContextExceeded);
    assert_eq!(rig.state(2), TaskState::Dispatched);
}

#[test]
fn replica_sets_show_their_load() {
    let mut rig = Rig::new(one_pool(2));
    rig.replica_ready(facts("default-0", 2));
    rig.replica_ready(facts("default-1", 1));
    rig.create(1, spec());
    let sets = rig.machine.replica_sets();
    assert_eq!(sets.len(), 1);
    assert_eq!(
        (
            sets[0].replicas.len(),
            sets[0].slots_total,
            sets[0].slots_free
        ),
        (2, 3, 2)
    );
    rig.replica_ready(second_version("default-1"));
    assert_eq!(rig.machine.replica_sets().len(), 2);
}

#[test]
fn a_pool_that_recovered_after_giving_up_is_given_time_again() {
    let mut rig = Rig::new(one_pool(1));
    give_up(&mut rig, "default");
    rig.replica_ready(facts("default-0", 1));
    rig.replica_down("default-0");
    assert_eq!(rig.machine.pools()[0].state, PoolState::Starting);
    rig.create(1, spec());
    assert_eq!(rig.state(1), TaskState::Queued);
}

#[test]
fn a_text_is_not_waited_for_in_a_pool_that_gave_up() {
    let mut rig = Rig::new(two_pools());
    rig.replica_ready(facts("default-0", 1));
    let order = rig.create(1, spec()).starts().remove(0);
    rig.chunk(&order, 0, 10);
    let large = ReplicaFacts {
        name: ReplicaName::new("large-0"),
        pool: PoolName::new("large"),
        engine: Engine::Llamacpp,
        model_ref: ModelRef::new("large-8b"),
        ..facts("large-0", 1)
    };
    rig.replica_ready(large);
    rig.replica_down("default-0");
    rig.advance(1_000);
    assert_eq!(
        rig.state(1),
        TaskState::Queued,
        "its pool may still bring the set back"
    );
    give_up(&mut rig, "default");
    assert_eq!(fault_of(&rig, 1), TaskFault::ReplicaSetGone);
}

#[test]
fn nor_from_the_lost_replicas_of_a_pool_that_gave_up_and_has_another_at_work() {
    let mut rig = interrupted(2);
    rig.advance(1_000);
    rig.replica_ready(second_version("default-1"));
    assert_eq!(rig.state(1), TaskState::Queued);
    give_up(&mut rig, "default");
    assert_eq!(rig.machine.pools()[0].state, PoolState::Ready);
    assert_eq!(fault_of(&rig, 1), TaskFault::ReplicaSetGone);
}

#[test]
fn a_text_is_not_waited_for_where_its_set_lives_on_in_too_small_a_context() {
    let mut rig = Rig::new(one_pool(2));
    rig.replica_ready(facts("default-0", 1));
    let wide = TaskSpec {
        ctx: Some(512),
        ..spec()
    };
    let order = rig.create(1, wide).starts().remove(0);
    rig.running(&order);
    rig.chunk(&order, 0, 10);
    let narrow = ReplicaFacts {
        ctx: 64,
        ..facts("default-1", 1)
    };
    rig.replica_ready(narrow);
    rig.replica_ready(second_version("default-0"));
    rig.advance(1_000);
    assert_eq!(fault_of(&rig, 1), TaskFault::ReplicaSetGone);
}
