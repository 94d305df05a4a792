//! One result for one idempotency key.

use orchestrator_core::id::{TaskId, TenantId};
use orchestrator_core::idempotency::IdempotencyKey;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskSpec};

use crate::rig::{Out, Rig, interactive_of, one_pool, spec};

/// Hands a task over under a key; the seed stands for the whole of the body.
fn keyed(rig: &mut Rig, key: u128, task: u128, seed: u32) -> Out {
    rig.key = Some(IdempotencyKey(key));
    rig.create(task, TaskSpec { seed, ..spec() })
}

/// The task that was answered, and whether it was there before.
fn created(out: &Out) -> (TaskId, bool) {
    match out.reply() {
        Reply::TaskCreated { record, replayed } => (record.id, *replayed),
        other => panic!("{other:?}"),
    }
}

fn bound(out: &Out) -> usize {
    let is_bind = |mutation: &&Mutation| matches!(mutation, Mutation::IdempotencyBind(_));
    out.mutations.iter().filter(is_bind).count()
}

#[test]
fn a_key_is_bound_with_the_task_and_its_repeat_answers_the_same_task() {
    let mut rig = Rig::new(one_pool(1));
    let first = keyed(&mut rig, 7, 1, 3);
    assert_eq!((created(&first), bound(&first)), ((TaskId(1), false), 1));
    // The repeat comes under an id of its own, and makes nothing.
    let again = keyed(&mut rig, 7, 2, 3);
    assert_eq!(created(&again), (TaskId(1), true));
    assert!(again.mutations.is_empty());
    rig.restart();
    assert_eq!(created(&keyed(&mut rig, 7, 3, 3)), (TaskId(1), true));
}

#[test]
fn the_repeat_finds_the_task_after_its_end() {
    let mut rig = Rig::ready(1);
    let order = keyed(&mut rig, 7, 1, 3).starts().remove(0);
    rig.finished(&order, FinishReason::Stop, 4);
    assert_eq!(created(&keyed(&mut rig, 7, 2, 3)), (TaskId(1), true));
    let other = keyed(&mut rig, 7, 2, 4);
    let mismatch = Refusal::IdempotencyMismatch { task: TaskId(1) };
    assert_eq!(*other.reply(), Reply::Refused(mismatch));
}

#[test]
fn another_body_or_project_under_the_key_is_refused() {
    let mut rig = Rig::new(one_pool(1));
    keyed(&mut rig, 7, 1, 3);
    let mismatch = Reply::Refused(Refusal::IdempotencyMismatch { task: TaskId(1) });
    assert_eq!(*keyed(&mut rig, 7, 1, 4).reply(), mismatch);
    // The key's scope is in its hash; a tenant that came to the same one would be told nothing but this.
    rig.key = Some(IdempotencyKey(7));
    let out = rig.create_for(TenantId(9), 2, TaskSpec { seed: 3, ..spec() });
    assert_eq!(*out.reply(), mismatch);
}

#[test]
fn a_refused_request_binds_nothing() {
    let mut rig = Rig::new(one_pool(1));
    rig.key = Some(IdempotencyKey(7));
    let too_long = TaskSpec {
        engine: Some(orchestrator_core::task::Engine::Llamacpp),
        ..spec()
    };
    let out = rig.create(1, too_long);
    assert!(out.reply().refusal().is_some());
    assert_eq!(bound(&out), 0);
    assert_eq!(created(&keyed(&mut rig, 7, 1, 4)), (TaskId(1), false));
}

#[test]
fn the_repeat_of_an_id_binds_its_key_too() {
    let mut rig = Rig::new(one_pool(1));
    rig.create(1, TaskSpec { seed: 3, ..spec() });
    let out = keyed(&mut rig, 7, 1, 3);
    assert_eq!((created(&out), bound(&out)), ((TaskId(1), true), 1));
    assert_eq!(created(&keyed(&mut rig, 7, 2, 3)), (TaskId(1), true));
    // The id of another body is a conflict, and binds nothing.
    let out = keyed(&mut rig, 8, 1, 4);
    assert_eq!(
        *out.reply(),
        Reply::Refused(Refusal::TaskIdConflict { task: TaskId(1) })
    );
    assert_eq!(bound(&out), 0);
}

#[test]
fn after_its_time_a_key_is_new_again_and_purging_is_bounded() {
    let mut config = one_pool(1);
    interactive_of(&mut config).capacity = 5_000;
    config.idempotency_retention_ms = 10_000;
    let mut rig = Rig::new(config);
    for n in 0..600 {
        keyed(&mut rig, n, n, 3);
    }
    rig.advance(9_999);
    assert_eq!(created(&keyed(&mut rig, 0, 9_000, 3)), (TaskId(0), true));
    let purged = rig.advance(1);
    let forgets = purged
        .mutations
        .iter()
        .filter(|mutation| matches!(mutation, Mutation::IdempotencyForget { .. }));
    assert!(forgets.count() > 1, "in several steps");
    assert!(rig.store.idempotency.is_empty());
    assert_eq!(
        created(&keyed(&mut rig, 0, 9_000, 3)),
        (TaskId(9_000), false)
    );
}

#[test]
fn beyond_the_bound_the_oldest_key_is_forgotten() {
    let mut config = one_pool(1);
    config.idempotency_keys_max = 2;
    let mut rig = Rig::new(config);
    for n in 1..=3 {
        keyed(&mut rig, n, n, 3);
    }
    assert_eq!(rig.store.idempotency.len(), 2);
    assert_eq!(created(&keyed(&mut rig, 3, 9, 3)), (TaskId(3), true));
    assert_eq!(created(&keyed(&mut rig, 1, 9, 3)), (TaskId(9), false));
}
