//! Keys: made, ended, replaced, and never lost.

use std::sync::Arc;

use orchestrator_core::id::{KeyId, PrincipalId, ProjectId, SessionId, SessionKey, TenantId};
use orchestrator_core::input::Ask;
use orchestrator_core::key::{
    KeyCreate, KeyMac, KeyRecord, KeyRotate, KeyScope, KeyStanding, Scopes, ServerKeyMark, Tenant,
};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::ClassName;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::time::WallMs;

use crate::rig::{Out, Rig, spec};

/// A key to make.
pub(crate) fn key(id: u64, scope: KeyScope) -> KeyCreate {
    KeyCreate {
        id: KeyId(id),
        mac: KeyMac([id as u8; 32]),
        server_key: ServerKeyMark([9; 8]),
        tenant: Tenant::named("acme").unwrap(),
        project: Some(ProjectId(4)),
        name: format!("key {id}"),
        scopes: Scopes::from_iter([scope]),
        class_max: ClassName::BATCH,
        expires_at: None,
        created_by: PrincipalId::SYSTEM,
    }
}

/// A key to replace.
pub(crate) fn rotate(old: u64, new: u64, grace_ms: u64) -> KeyRotate {
    KeyRotate {
        key: KeyId(old),
        successor: KeyId(new),
        mac: KeyMac([new as u8; 32]),
        server_key: ServerKeyMark([8; 8]),
        grace_ms,
        expires_at: None,
        created_by: PrincipalId::from(KeyId(1)),
    }
}

impl Rig {
    fn key_create(&mut self, create: KeyCreate) -> Out {
        self.ask(Ask::KeyCreate(Box::new(create)))
    }

    fn key_revoke(&mut self, id: u64) -> Out {
        self.ask(Ask::KeyRevoke { key: KeyId(id) })
    }

    fn key_rotate(&mut self, rotate: KeyRotate) -> Out {
        self.ask(Ask::KeyRotate(Box::new(rotate)))
    }

    fn key(&self, id: u64) -> Arc<KeyRecord> {
        Arc::clone(self.machine.keys().get(KeyId(id)).unwrap())
    }

    fn standing(&self, id: u64) -> KeyStanding {
        self.key(id).standing(self.now.wall)
    }
}

fn refusal(out: &Out) -> &Refusal {
    let refusal = out.reply().refusal();
    refusal.unwrap_or_else(|| panic!("not refused: {out:?}"))
}

/// A machine with the operator's key 1.
fn managed() -> Rig {
    let mut rig = Rig::ready(1);
    rig.key_create(key(1, KeyScope::Operator));
    rig
}

#[test]
fn a_key_is_durable_before_it_is_answered_and_says_who_made_it() {
    let mut rig = managed();
    let create = KeyCreate {
        created_by: PrincipalId::from(KeyId(1)),
        ..key(2, KeyScope::User)
    };
    let out = rig.key_create(create);
    let record = rig.key(2);
    assert_eq!(
        out.mutations,
        [Mutation::KeyPut(Box::new(KeyRecord::clone(&record)))]
    );
    assert_eq!(out.reply(), &Reply::KeyCreated(Arc::clone(&record)));
    assert_eq!(record.created_by.key(), Some(KeyId(1)));
    assert_eq!(record.created_at, rig.now.wall);
    assert_eq!(PrincipalId::SYSTEM.key(), None);
}

#[test]
fn an_id_is_given_once_and_no_key_is_made_that_is_over() {
    let mut rig = managed();
    let taken = rig.key_create(key(1, KeyScope::User));
    assert_eq!(refusal(&taken), &Refusal::KeyTaken { key: KeyId(1) });
    let now = rig.now.wall;
    for at in [WallMs(0), now] {
        let out = rig.key_create(KeyCreate {
            expires_at: Some(at),
            ..key(2, KeyScope::User)
        });
        assert_eq!(refusal(&out), &Refusal::KeyExpiryPast { at, now });
    }
}

#[test]
fn a_key_expires_by_the_wall_clock() {
    let mut rig = managed();
    let expires_at = Some(rig.now.wall + 1_000);
    rig.key_create(KeyCreate {
        expires_at,
        ..key(2, KeyScope::User)
    });
    rig.advance(999);
    assert_eq!(rig.standing(2), KeyStanding::Active);
    rig.advance(1);
    assert_eq!(rig.standing(2), KeyStanding::Expired);
}

#[test]
fn a_revoked_key_stays_as_it_ended() {
    let mut rig = managed();
    rig.key_create(key(2, KeyScope::User));
    let at = rig.now.wall;
    let out = rig.key_revoke(2);
    assert_eq!(out.reply(), &Reply::KeyRevoked(rig.key(2)));
    assert_eq!(
        (rig.standing(2), rig.key(2).revoked_at),
        (KeyStanding::Revoked, Some(at))
    );
    rig.advance(5_000);
    let again = rig.key_revoke(2);
    assert_eq!(again.reply(), &Reply::KeyRevoked(rig.key(2)));
    assert!(again.mutations.is_empty());
    assert_eq!(rig.key(2).revoked_at, Some(at));
    assert_eq!(
        refusal(&rig.key_revoke(7)),
        &Refusal::KeyUnknown { key: KeyId(7) }
    );
}

#[test]
fn somebody_is_always_left_who_may_make_keys() {
    let mut rig = managed();
    rig.key_create(key(2, KeyScope::User));
    assert_eq!(
        refusal(&rig.key_revoke(1)),
        &Refusal::KeyLast { key: KeyId(1) }
    );
    // One that has expired manages nothing any more.
    rig.key_create(KeyCreate {
        expires_at: Some(rig.now.wall + 10),
        ..key(3, KeyScope::Operator)
    });
    rig.advance(10);
    assert_eq!(
        refusal(&rig.key_revoke(1)),
        &Refusal::KeyLast { key: KeyId(1) }
    );
    rig.key_create(key(4, KeyScope::Operator));
    assert!(matches!(rig.key_revoke(1).reply(), Reply::KeyRevoked(_)));
    assert_eq!(
        refusal(&rig.key_revoke(4)),
        &Refusal::KeyLast { key: KeyId(4) }
    );
}

#[test]
fn a_successor_may_do_the_same_and_the_old_key_goes_on_for_the_grace() {
    let mut rig = managed();
    rig.key_create(key(2, KeyScope::User));
    let out = rig.key_rotate(rotate(2, 3, 1_000));
    assert_eq!(out.mutations.len(), 2);
    let (old, new) = (rig.key(2), rig.key(3));
    assert_eq!(out.reply(), &Reply::KeyCreated(Arc::clone(&new)));
    assert_eq!(
        (
            &new.tenant,
            new.project,
            &new.name,
            new.scopes,
            new.class_max
        ),
        (
            &old.tenant,
            old.project,
            &old.name,
            old.scopes,
            old.class_max
        )
    );
    assert_eq!(
        (new.mac, new.server_key),
        (KeyMac([3; 32]), ServerKeyMark([8; 8]))
    );
    assert_eq!((old.replaced_by, new.expires_at), (Some(KeyId(3)), None));
    assert_eq!(rig.standing(2), KeyStanding::Active);
    assert_eq!(
        refusal(&rig.key_rotate(rotate(2, 4, 0))),
        &Refusal::KeyEnded { key: KeyId(2) }
    );
    rig.advance(1_000);
    assert_eq!(
        (rig.standing(2), rig.standing(3)),
        (KeyStanding::Expired, KeyStanding::Active)
    );
}

#[test]
fn without_grace_the_old_key_ends_at_once_and_the_last_operator_s_successor_takes_over() {
    let mut rig = managed();
    rig.key_rotate(rotate(1, 2, 0));
    assert_eq!(
        (rig.standing(1), rig.standing(2)),
        (KeyStanding::Revoked, KeyStanding::Active)
    );
    assert_eq!(
        refusal(&rig.key_revoke(2)),
        &Refusal::KeyLast { key: KeyId(2) }
    );
    assert_eq!(
        refusal(&rig.key_rotate(rotate(1, 3, 0))),
        &Refusal::KeyEnded { key: KeyId(1) }
    );
}

#[test]
fn a_grace_lengthens_no_life_and_a_successor_lives_as_long_as_the_old_key_was_made_to() {
    let mut rig = managed();
    let began = rig.now.wall;
    rig.key_create(KeyCreate {
        expires_at: Some(began + 1_000),
        ..key(2, KeyScope::User)
    });
    rig.advance(400);
    rig.key_rotate(rotate(2, 3, 60_000));
    assert_eq!(rig.key(2).expires_at, Some(began + 1_000));
    assert_eq!(rig.key(3).expires_at, Some(began + 1_400));
    let asked = KeyRotate {
        expires_at: Some(began + 9_000),
        ..rotate(3, 4, 0)
    };
    rig.key_rotate(asked);
    assert_eq!(rig.key(4).expires_at, Some(began + 9_000));
}

/// Sessions of two tenants under one id have nothing to do with each other, and an id of a task that another
/// tenant has taken is refused in the words for one's own.
#[test]
fn tenants_do_not_meet() {
    let mut rig = Rig::ready(1);
    let mut config = rig.machine.config().clone();
    config.session_turns_max = 1;
    rig = Rig::new(config);
    rig.replica_ready(crate::rig::facts("default-0", 1));
    let other = Tenant::named("acme").unwrap().id();
    let of = |session| {
        let mut spec = spec();
        spec.session = Some(SessionId(session));
        spec
    };
    rig.create(1, of(5));
    assert!(matches!(
        refusal(&rig.create(2, of(5))),
        Refusal::SessionExhausted { turns_max: 1, .. }
    ));
    let theirs = rig.create_for(other, 3, of(5));
    assert!(matches!(
        theirs.reply(),
        Reply::TaskCreated {
            replayed: false,
            ..
        }
    ));
    for tenant in [TenantId::DEFAULT, other] {
        let key = SessionKey::new(tenant, SessionId(5));
        assert_eq!(rig.machine.session(rig.now, key).unwrap().record.turns, 1);
    }
    // The very same body under the very same id, and still it is not shown.
    let conflict = rig.create_for(other, 1, of(5));
    let own = rig.create(1, {
        let mut other = of(5);
        other.seed += 1;
        other
    });
    assert_eq!(refusal(&conflict), refusal(&own));
    rig.ask(Ask::SessionDelete {
        session: SessionKey::new(other, SessionId(5)),
    });
    let mine = SessionKey::new(TenantId::DEFAULT, SessionId(5));
    assert!(rig.machine.session(rig.now, mine).is_some());
}
