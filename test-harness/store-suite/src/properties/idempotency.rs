//! Idempotency keys: bound at one end, forgotten at the other.

use orchestrator_core::id::TaskId;
use orchestrator_core::idempotency::{IdempotencyKey, IdempotencyRecord};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::time::WallMs;
use store::CommitError;

use crate::bench::{Bench, Desk};
use crate::draw::Draw;
use crate::picture::Picture;

fn record(number: u64) -> IdempotencyRecord {
    IdempotencyRecord {
        number,
        key: IdempotencyKey(u128::MAX - u128::from(number)),
        task: TaskId(number.into()),
        at: WallMs(number),
    }
}

fn bind(number: u64) -> Mutation {
    Mutation::IdempotencyBind(record(number))
}

fn forget(through: u64) -> Mutation {
    Mutation::IdempotencyForget { through }
}

/// Keys are loaded by number; one that does not come last, and forgetting where there is nothing, break the whole
/// commit.
pub fn an_idempotency_key_is_bound_last_and_forgotten_first<B: Bench>() {
    let mut desk = Desk::<B>::new();
    desk.commit((1..=5).map(bind).collect());
    assert_eq!(desk.load().idempotency, [1, 2, 3, 4, 5].map(record));
    desk.commit(vec![bind(6), forget(2)]);
    assert_eq!(desk.load().idempotency, [3, 4, 5, 6].map(record));
    let before = Picture::take(&mut desk);
    for wrong in [
        vec![bind(7), bind(7)],
        vec![forget(3), bind(5)],
        vec![bind(7), forget(6), forget(2)],
        vec![forget(2)],
    ] {
        let outcome = desk.try_commit(wrong.clone());
        assert!(
            matches!(outcome, Err(CommitError::Broken(_))),
            "{wrong:?}: {outcome:?}"
        );
        assert_eq!(Picture::take(&mut desk), before);
    }
    desk.commit(vec![forget(6)]);
    desk.commit(vec![bind(7)]);
    assert_eq!(desk.reopened().load().idempotency, [record(7)]);
}

/// Whatever the fields hold is read back.
pub fn every_idempotency_field_survives<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let draw = &mut Draw::new(12);
    let records: Vec<_> = (1..200)
        .map(|number| IdempotencyRecord {
            number,
            key: IdempotencyKey(draw.id()),
            task: TaskId(draw.id()),
            at: WallMs(draw.number()),
        })
        .collect();
    let binds = records.iter().copied().map(Mutation::IdempotencyBind);
    desk.commit(binds.collect());
    assert_eq!(desk.load().idempotency, records);
    assert_eq!(desk.reopened().load().idempotency, records);
}
