//! Keys: kept whole, and changed only in how they end.

use orchestrator_core::id::{KeyId, SessionId, SessionKey, TenantId};
use orchestrator_core::key::{KeyMac, KeyRecord};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::session::SessionRecord;
use orchestrator_core::time::WallMs;
use store::CommitError;

use crate::bench::{Bench, Desk};
use crate::draw::Draw;
use crate::sample::{drawn_key, key, session};

fn put(key: &KeyRecord) -> Mutation {
    Mutation::KeyPut(Box::new(key.clone()))
}

/// A key is what was put last, in what may change; what may not is guarded, and a broken guard takes the whole
/// commit back.
pub fn a_key_is_put_and_only_its_end_changes<B: Bench>() {
    let mut desk = Desk::<B>::new();
    desk.commit(vec![put(&key(3)), put(&key(u64::MAX)), put(&key(1))]);
    assert_eq!(desk.load().keys, [key(1), key(3), key(u64::MAX)]);
    let ended = KeyRecord {
        expires_at: Some(WallMs(9)),
        revoked_at: Some(WallMs(8)),
        replaced_by: Some(KeyId(u64::MAX)),
        ..key(3)
    };
    desk.commit(vec![put(&ended)]);
    assert_eq!(desk.load().keys, [key(1), ended.clone(), key(u64::MAX)]);
    let others = [
        KeyRecord {
            mac: KeyMac([0; 32]),
            ..key(1)
        },
        KeyRecord {
            name: "another".to_owned(),
            ..key(1)
        },
        KeyRecord {
            project: None,
            ..key(1)
        },
        KeyRecord {
            tenant: orchestrator_core::key::Tenant::default(),
            ..key(1)
        },
    ];
    for other in others.into_iter().filter(|other| *other != key(1)) {
        let outcome = desk.try_commit(vec![put(&key(3)), put(&key(7)), put(&other)]);
        assert!(
            matches!(outcome, Err(CommitError::Broken(_))),
            "{other:?}: {outcome:?}"
        );
        assert_eq!(desk.load().keys, [key(1), ended.clone(), key(u64::MAX)]);
    }
}

/// Whatever a key's fields hold is read back.
pub fn every_key_field_survives<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let draw = &mut Draw::new(11);
    let mut keys: Vec<_> = (0..200).map(|_| drawn_key(draw)).collect();
    keys.sort_by_key(|key| key.id);
    keys.dedup_by_key(|key| key.id);
    desk.commit(keys.iter().map(put).collect());
    assert_eq!(desk.load().keys, keys);
    let mut desk = desk.reopened();
    assert_eq!(desk.load().keys, keys);
}

/// Two tenants may use the same session id.
pub fn a_session_of_one_tenant_is_not_another_s<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let other = SessionRecord {
        tenant: TenantId(7),
        turns: 5,
        ..session(1)
    };
    desk.commit(vec![
        Mutation::SessionPut(Box::new(session(1))),
        Mutation::SessionPut(Box::new(other.clone())),
    ]);
    assert_eq!(desk.load().sessions, [session(1), other.clone()]);
    desk.commit(vec![Mutation::SessionDelete(SessionKey::new(
        TenantId::DEFAULT,
        SessionId(1),
    ))]);
    assert_eq!(desk.load().sessions, [other]);
}
