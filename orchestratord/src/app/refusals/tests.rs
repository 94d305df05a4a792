//! The ring of refusals: its two bounds, and what is found in it.

use orchestrator_core::id::{PrincipalId, ProjectId, TaskId, TenantId};
use orchestrator_core::placement::VerdictCounts;
use orchestrator_core::queue::ClassName;
use orchestrator_core::refusal::Refusal;
use proptest::prelude::*;

use super::*;

fn refused(task: u128, at: u64) -> RefusedTask {
    RefusedTask {
        refusal: Refusal::PoolUnavailable {
            detail: String::new(),
        },
        at: WallMs(at),
        task: TaskId(task),
        tenant: TenantId::DEFAULT,
        project: ProjectId::DEFAULT,
        created_by: PrincipalId::SYSTEM,
        priority: ClassName::BATCH,
        model_ref: None,
        engine: None,
        session: None,
        ctx_need: 1,
        tokens: 1,
        deadline_ms: None,
        queue_depth: 0,
        queue_position: 0,
        predicted_start_ms: 0,
        start_band: None,
        counts: VerdictCounts::default(),
        candidates: Vec::new(),
    }
}

/// Keeps one under an id that nothing else has.
fn keep(ring: &Refusals, correlation_id: &str, named: bool, refused: RefusedTask) -> Uuid {
    let id = Uuid::new_v4();
    ring.keep(id, correlation_id, named, Box::new(refused));
    id
}

fn numbers(found: &[Arc<KeptRefusal>]) -> Vec<u64> {
    found.iter().map(|one| one.number).collect()
}

#[test]
fn pages_follow_each_other_while_new_ones_come() {
    let ring = Refusals::new(10, 1_000);
    for task in 0..5 {
        keep(&ring, "c", true, refused(task, 0));
    }
    let first = ring.list(WallMs(0), None, 2, |_| true);
    assert_eq!(numbers(&first), [5, 4]);
    keep(&ring, "c", true, refused(9, 0));
    let second = ring.list(WallMs(0), Some(4), 10, |_| true);
    assert_eq!(numbers(&second), [3, 2, 1]);
}

#[test]
fn the_newest_of_an_id_is_found() {
    let ring = Refusals::new(10, 1_000);
    keep(&ring, "same", false, refused(1, 0));
    keep(&ring, "same", false, refused(2, 0));
    let found = ring.named(WallMs(0), "same", |_| true);
    assert_eq!(found.unwrap().refused.task, TaskId(2));
}

#[test]
fn its_own_id_finds_one_whatever_others_are_called() {
    let ring = Refusals::new(10, 1_000);
    let first = keep(&ring, "same", true, refused(7, 0));
    let second = keep(&ring, "same", true, refused(7, 0));
    // A caller may call its requests and tasks as it likes, also by the id of a refusal.
    keep(&ring, &first.to_string(), false, refused(8, 0));
    keep(&ring, "other", true, refused(second.as_u128(), 0));
    let of = |name: &str| ring.named(WallMs(0), name, |_| true).map(|one| one.number);
    assert_eq!(of(&first.to_string()), Some(1));
    assert_eq!(of(&second.to_string()), Some(2));
    assert_eq!(of("same"), Some(2), "the newest");
    assert_eq!(of(&Uuid::from_u128(7).to_string()), Some(2), "the newest");
    let seen = |one: &KeptRefusal| one.id != first;
    let found = ring.named(WallMs(0), &first.to_string(), seen);
    assert_eq!(found.unwrap().number, 3, "what may be seen");
}

#[test]
fn none_is_kept_where_none_may_be_and_no_other_refusal_than_of_a_task() {
    let ring = Refusals::new(0, 1_000);
    keep(&ring, "c", true, refused(1, 0));
    assert!(ring.find(WallMs(0), |_| true).is_none());
    let ring = Refusals::new(1, 1_000);
    let session = orchestrator_core::id::SessionId(1);
    let other = RefusedTask {
        refusal: Refusal::SessionUnknown { session },
        ..refused(1, 0)
    };
    keep(&ring, "c", true, other);
    assert!(ring.find(WallMs(0), |_| true).is_none());
}

proptest! {
    #[test]
    fn no_more_are_kept_than_may_be_and_none_for_longer(
        kept_max in 1_u32..8, kept_ms in 1_u64..50, gaps in prop::collection::vec(0_u64..20, 1..60),
    ) {
        let ring = Refusals::new(kept_max, kept_ms);
        let mut at = 0;
        let mut all = Vec::new();
        for gap in gaps {
            at += gap;
            keep(&ring, "c", false, refused(1, at));
            all.push(at);
            let seen = ring.list(WallMs(at), None, usize::MAX, |_| true);
            let fresh = all.iter().rev().take_while(|then| at - **then < kept_ms);
            let expected: Vec<u64> = fresh.take(kept_max as usize).copied().collect();
            let seen: Vec<u64> = seen.iter().map(|one| one.refused.at.0).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
