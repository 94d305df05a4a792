//! Quotas, their levels, and held queues: kept whole, with the revision guarded.

use orchestrator_core::id::{KeyId, PoolName, PrincipalId, TenantId};
use orchestrator_core::key::Tenant;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::PauseRecord;
use orchestrator_core::quota::{
    Bucket, QuotaLevels, QuotaLimits, QuotaOf, QuotaRecord, QuotaSubject, RequestRate,
};
use orchestrator_core::time::WallMs;
use store::CommitError;

use crate::bench::{Bench, Desk};

fn put(record: &QuotaRecord) -> Mutation {
    Mutation::QuotaPut(Box::new(record.clone()))
}

fn quota(of: QuotaOf, revision: u64) -> QuotaRecord {
    QuotaRecord {
        of,
        limits: QuotaLimits {
            tasks_live_max: Some(u32::MAX),
            requests: Some(RequestRate { per_s: 7, burst: 9 }),
            tokens_per_min: Some(u64::MAX),
            kv_mb_max: Some(1),
        },
        weight: Some(3),
        revision,
        put_at: WallMs(1_700_000_000_000),
        put_by: PrincipalId(u128::MAX),
    }
}

fn tenant(name: &str) -> QuotaOf {
    QuotaOf::Tenant(Tenant::named(name).expect("it is a name"))
}

/// A quota is what was put last, in the revision after the one before; any other takes the whole commit back.
pub fn a_quota_takes_the_place_of_the_revision_before<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let none = QuotaRecord {
        limits: QuotaLimits::default(),
        weight: None,
        ..quota(QuotaOf::Key(KeyId(u64::MAX)), 1)
    };
    let key = quota(QuotaOf::Key(KeyId(3)), 1);
    let mut tenants = [quota(tenant("acme"), 1), quota(tenant("default"), 1)];
    tenants.sort_by_key(|row| row.of.subject());
    let [first, second] = tenants.clone();
    desk.commit(vec![put(&second), put(&none), put(&first), put(&key)]);
    let rows = [key.clone(), none.clone(), first.clone(), second.clone()];
    assert_eq!(desk.load().quotas, rows);
    let other = QuotaRecord {
        limits: QuotaLimits {
            tokens_per_min: Some(5),
            ..QuotaLimits::default()
        },
        weight: None,
        put_at: WallMs(9),
        put_by: PrincipalId::SYSTEM,
        ..quota(QuotaOf::Key(KeyId(3)), 2)
    };
    desk.commit(vec![put(&other)]);
    let rows = [other, none, first, second];
    let mut desk = desk.reopened();
    assert_eq!(desk.load().quotas, rows);
    for stale in [
        quota(QuotaOf::Key(KeyId(3)), 1),
        quota(QuotaOf::Key(KeyId(3)), 2),
        quota(QuotaOf::Key(KeyId(3)), 4),
        quota(tenant("unheard-of"), 2),
    ] {
        let outcome = desk.try_commit(vec![put(&quota(tenant("before"), 1)), put(&stale)]);
        assert!(
            matches!(outcome, Err(CommitError::Broken(_))),
            "{stale:?}: {outcome:?}"
        );
        assert_eq!(desk.load().quotas, rows);
    }
}

/// Levels and held queues are what was put last of each.
pub fn levels_and_pauses_are_what_was_put_last<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let levels = |subject, units| QuotaLevels {
        subject,
        requests: Bucket {
            units,
            at: WallMs(1),
        },
        tokens: Bucket {
            units: u64::MAX - units,
            at: WallMs(u64::MAX),
        },
    };
    let pause = |pool: Option<&str>, paused| PauseRecord {
        pool: pool.map(PoolName::new),
        paused,
        at: WallMs(5),
        by: PrincipalId(8),
    };
    let (key, tenant) = (
        QuotaSubject::Key(KeyId(1)),
        QuotaSubject::Tenant(TenantId(u128::MAX)),
    );
    let put = |row| Mutation::QuotaLevelsPut(Box::new(row));
    let switch = |row| Mutation::PausePut(Box::new(row));
    desk.commit(vec![
        put(levels(tenant, 1)),
        put(levels(key, 2)),
        switch(pause(Some("b"), true)),
        switch(pause(None, true)),
    ]);
    desk.commit(vec![
        put(levels(tenant, 3)),
        switch(pause(Some("b"), false)),
    ]);
    let mut desk = desk.reopened();
    let loaded = desk.load();
    assert_eq!(loaded.quota_levels, [levels(key, 2), levels(tenant, 3)]);
    assert_eq!(loaded.pauses, [pause(None, true), pause(Some("b"), false)]);
    // A commit that fails later takes them back.
    let broken = Mutation::QuotaPut(Box::new(quota(QuotaOf::Key(KeyId(3)), 2)));
    let outcome = desk.try_commit(vec![
        put(levels(key, 9)),
        put(levels(QuotaSubject::Key(KeyId(7)), 9)),
        switch(pause(None, false)),
        switch(pause(Some("a"), true)),
        broken,
    ]);
    assert!(
        matches!(outcome, Err(CommitError::Broken(_))),
        "{outcome:?}"
    );
    let again = desk.load();
    assert_eq!(again.quota_levels, loaded.quota_levels);
    assert_eq!(again.pauses, loaded.pauses);
}
