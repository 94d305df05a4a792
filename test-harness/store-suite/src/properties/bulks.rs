//! Bulks: kept whole, moved on until they have ended, and forgotten.

use orchestrator_core::bulk::{BulkAction, BulkCount, BulkFilter, BulkRecord, LiveState};
use orchestrator_core::id::{
    AcceptSeq, BulkId, PrincipalId, ProjectId, SessionId, TaskId, TenantId,
};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use orchestrator_core::time::WallMs;
use store::CommitError;

use crate::bench::{Bench, Desk};

fn put(record: &BulkRecord) -> Mutation {
    Mutation::BulkPut(Box::new(record.clone()))
}

fn bulk(id: u128, filter: BulkFilter) -> BulkRecord {
    BulkRecord {
        id: BulkId(id),
        action: BulkAction::Requeue,
        filter,
        by: PrincipalId(u128::MAX),
        at: WallMs(1_700_000_000_000),
        through: AcceptSeq(7),
        place: None,
        count: BulkCount::default(),
        ended_at: None,
    }
}

fn narrow() -> BulkFilter {
    BulkFilter {
        tenant: TenantId(u128::MAX),
        project: Some(ProjectId(0)),
        state: Some(LiveState::CancelRequested),
        priority: Some(ClassName::BATCH),
        session: Some(SessionId(u128::MAX)),
        accepted_from: Some(WallMs(0)),
        accepted_before: Some(WallMs(u64::MAX)),
    }
}

/// A bulk is what was put last, in every field, until it is forgotten.
pub fn a_bulk_is_put_moved_on_and_forgotten<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let wide = BulkRecord {
        action: BulkAction::Cancel,
        ..bulk(1, BulkFilter::of(TenantId::DEFAULT))
    };
    let mut rows = vec![wide, bulk(2, narrow())];
    for state in [
        LiveState::Dispatched,
        LiveState::Parked,
        LiveState::Queued,
        LiveState::Running,
        LiveState::Waiting,
    ] {
        let state = Some(state);
        let filter = BulkFilter { state, ..narrow() };
        rows.push(bulk(rows.len() as u128 + 1, filter));
    }
    desk.commit(rows.iter().map(put).collect());
    let mut desk = desk.reopened();
    assert_eq!(desk.load().bulks, rows);
    rows[1].place = Some(TaskId(u128::MAX));
    rows[1].count = BulkCount {
        matched: 9,
        changed: 4,
    };
    desk.commit(vec![put(&rows[1])]);
    assert_eq!(desk.load().bulks, rows);
    rows[1].ended_at = Some(WallMs(u64::MAX));
    desk.commit(vec![put(&rows[1]), Mutation::BulkForget(rows[0].id)]);
    rows.remove(0);
    let mut desk = desk.reopened();
    assert_eq!(desk.load().bulks, rows);
}

/// What of a bulk never changes is guarded, and so is its end; a commit that fails leaves nothing behind.
pub fn a_bulk_changes_its_mind_never_and_its_place_until_its_end<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let runs = bulk(1, narrow());
    let ended = BulkRecord {
        ended_at: Some(WallMs(8)),
        ..bulk(2, narrow())
    };
    desk.commit(vec![put(&runs), put(&ended)]);
    let mut changed = Vec::new();
    let mut change = |change: &dyn Fn(&mut BulkRecord)| {
        let mut row = runs.clone();
        change(&mut row);
        changed.push(put(&row));
    };
    change(&|row| row.action = BulkAction::Cancel);
    change(&|row| row.by = PrincipalId(1));
    change(&|row| row.at = WallMs(1));
    change(&|row| row.through = AcceptSeq(8));
    change(&|row| row.filter.tenant = TenantId(1));
    change(&|row| row.filter.project = None);
    change(&|row| row.filter.state = None);
    change(&|row| row.filter.priority = None);
    change(&|row| row.filter.session = None);
    change(&|row| row.filter.accepted_from = None);
    change(&|row| row.filter.accepted_before = None);
    changed.push(put(&ended));
    changed.push(Mutation::BulkForget(BulkId(3)));
    let moved = BulkRecord {
        place: Some(TaskId(5)),
        ..runs.clone()
    };
    for broken in changed {
        let first = [put(&moved), put(&bulk(4, narrow()))];
        let then = [Mutation::BulkForget(ended.id), broken.clone()];
        // The row that is forgotten is there again where the last of them is refused.
        let outcome = match broken == put(&ended) {
            true => desk.try_commit(first.into_iter().chain([broken]).collect()),
            false => desk.try_commit(first.into_iter().chain(then).collect()),
        };
        assert!(
            matches!(outcome, Err(CommitError::Broken(_))),
            "{outcome:?}"
        );
        assert_eq!(desk.load().bulks, [runs.clone(), ended.clone()]);
    }
}
