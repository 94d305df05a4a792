//! Every way to be let in and to be turned away.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::net::{Ipv4Addr, Ipv6Addr};

use orchestrator_core::id::{PrincipalId, TenantId};
use orchestrator_core::key::{KeyCreate, KeyRotate, Tenant};
use orchestrator_core::queue::ClassName;
use orchestrator_core::time::MonoMs;

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn at(ms: u64) -> Now {
    Now {
        mono: MonoMs(ms),
        wall: WallMs(1_000_000 + ms),
    }
}

/// A gate and the keys behind it.
struct Rig {
    gate: Gate,
    keys: Keys,
}

impl Rig {
    fn new() -> Self {
        Self {
            gate: Gate::new(Some(ServerKey::of(3))),
            keys: Keys::default(),
        }
    }

    fn make(&mut self, scope: KeyScope, expires_at: Option<WallMs>) -> ApiKey {
        let key = ApiKey::draw().unwrap();
        let server_key = self.gate.server_key().unwrap();
        let create = KeyCreate {
            id: key.id(),
            mac: server_key.mac(&key),
            server_key: server_key.mark(),
            tenant: Tenant::named("acme").unwrap(),
            project: None,
            name: "a key".to_owned(),
            scopes: Scopes::from_iter([scope]),
            class_max: ClassName::BATCH,
            expires_at,
            created_by: PrincipalId::SYSTEM,
        };
        self.keys.create(at(0).wall, create).unwrap();
        key
    }

    fn admit_at(&self, ms: u64, header: Option<&str>, access: Access) -> Result<Caller, Turned> {
        let header = header.map(str::as_bytes);
        self.gate.admit_at(at(ms), &self.keys, header, access, HERE)
    }

    fn admit(&self, header: Option<&str>) -> Result<Caller, Turned> {
        self.admit_at(0, header, Access::Known)
    }
}

fn shown(key: &ApiKey) -> String {
    format!("Bearer {}", key.reveal())
}

#[test]
fn without_any_key_nobody_is_asked_for_one_and_with_one_everybody_is() {
    let mut rig = Rig::new();
    for header in [None, Some("Bearer nonsense")] {
        let anybody = rig
            .admit_at(0, header, Access::To(KeyScope::Operator))
            .unwrap();
        assert_eq!(anybody, Caller::default());
        assert_eq!(
            (anybody.tenant(), anybody.scopes()),
            (TenantId::DEFAULT, Scopes::ALL)
        );
    }
    let key = rig.make(KeyScope::User, None);
    assert_eq!(rig.admit(None), Err(Turned::NoKey));
    let caller = rig.admit(Some(&shown(&key))).unwrap();
    assert_eq!(caller.tenant(), Tenant::named("acme").unwrap().id());
    assert_eq!(caller.key_id(), Some(key.id()));
    assert_eq!(caller.class_max(), Some(ClassName::BATCH));
}

#[test]
fn the_scheme_is_bearer_in_any_case_and_nothing_else() {
    let mut rig = Rig::new();
    let key = rig.make(KeyScope::User, None);
    let text = key.reveal();
    for right in [format!("bearer {text}"), format!("BEARER   {text}")] {
        assert!(rig.admit(Some(&right)).is_ok(), "{right}");
    }
    for wrong in [
        String::new(),
        text.to_owned(),
        format!("Basic {text}"),
        format!("Bearer{text}"),
        format!("Bearer {text} more"),
        "Bearer".to_owned(),
    ] {
        assert_eq!(rig.admit(Some(&wrong)), Err(Turned::Malformed), "{wrong}");
    }
    let bytes = Some(&b"Bearer \xff"[..]);
    let turned = rig
        .gate
        .admit_at(at(0), &rig.keys, bytes, Access::Known, HERE);
    assert_eq!(turned, Err(Turned::Malformed));
}

#[test]
fn a_wrong_secret_and_an_id_that_there_is_not_are_told_alike() {
    let mut rig = Rig::new();
    let key = rig.make(KeyScope::User, None);
    let stranger = ApiKey::draw().unwrap();
    let (_, secret) = stranger.reveal().rsplit_once('_').unwrap();
    let guessed = format!("Bearer orch_{}_{secret}", key.id());
    assert_eq!(rig.admit(Some(&guessed)), Err(Turned::Unknown));
    assert_eq!(rig.admit(Some(&shown(&stranger))), Err(Turned::Unknown));
    // The right key under another server key is a wrong one.
    rig.gate = Gate::new(Some(ServerKey::of(4)));
    assert_eq!(rig.admit(Some(&shown(&key))), Err(Turned::Unknown));
    rig.gate = Gate::new(None);
    assert_eq!(rig.admit(Some(&shown(&key))), Err(Turned::Unknown));
}

#[test]
fn only_who_has_the_key_is_told_how_it_ended() {
    let mut rig = Rig::new();
    let operator = rig.make(KeyScope::Operator, None);
    let short = rig.make(KeyScope::User, Some(at(50).wall));
    assert!(
        rig.admit_at(49, Some(&shown(&short)), Access::Known)
            .is_ok()
    );
    let expired = Turned::Expired {
        key: short.id(),
        at: at(50).wall,
    };
    assert_eq!(
        rig.admit_at(50, Some(&shown(&short)), Access::Known),
        Err(expired)
    );

    let old = rig.make(KeyScope::User, None);
    let rotate = KeyRotate {
        key: old.id(),
        successor: KeyId(77),
        mac: KeyMac([0; 32]),
        server_key: ServerKey::of(3).mark(),
        grace_ms: 0,
        expires_at: None,
        created_by: PrincipalId::from(operator.id()),
    };
    rig.keys.rotate(at(0).wall, rotate).unwrap();
    let revoked = Turned::Revoked {
        key: old.id(),
        replaced_by: Some(KeyId(77)),
    };
    assert_eq!(rig.admit(Some(&shown(&old))), Err(revoked));
    let (_, secret) = operator.reveal().rsplit_once('_').unwrap();
    let guessed = format!("Bearer orch_{}_{secret}", old.id());
    assert_eq!(rig.admit(Some(&guessed)), Err(Turned::Unknown));
}

#[test]
fn a_scope_that_is_missing_is_named_and_every_key_is_known() {
    let mut rig = Rig::new();
    for has in KeyScope::ALL {
        let key = rig.make(has, None);
        assert!(rig.admit(Some(&shown(&key))).is_ok());
        for needed in KeyScope::ALL {
            let outcome = rig.admit_at(0, Some(&shown(&key)), Access::To(needed));
            let has = Scopes::from_iter([has]);
            if has.allows(needed) {
                assert!(outcome.is_ok());
            } else {
                let key = key.id();
                assert_eq!(outcome, Err(Turned::Scope { key, needed, has }));
            }
        }
    }
}

#[test]
fn failed_tries_of_an_address_are_bounded_and_right_keys_are_let_in_all_the_same() {
    let mut rig = Rig::new();
    let key = rig.make(KeyScope::User, None);
    let limits = TriesLimits::default();
    for _ in 0..limits.burst {
        // No key is no try, and neither is a right one.
        assert_eq!(rig.admit(None), Err(Turned::NoKey));
        assert!(rig.admit(Some(&shown(&key))).is_ok());
        assert_eq!(rig.admit(Some("Bearer x")), Err(Turned::Malformed));
    }
    let retry_after_ms = limits.refill_ms;
    assert_eq!(
        rig.admit(Some("Bearer x")),
        Err(Turned::Throttled { retry_after_ms })
    );
    assert!(rig.admit(Some(&shown(&key))).is_ok());
    let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    let elsewhere = rig
        .gate
        .admit_at(at(0), &rig.keys, Some(b"Bearer x"), Access::Known, other);
    assert_eq!(elsewhere, Err(Turned::Malformed));
    let later = rig.admit_at(limits.refill_ms, Some("Bearer x"), Access::Known);
    assert_eq!(later, Err(Turned::Malformed));
}

#[test]
fn addresses_that_one_caller_can_change_count_as_one() {
    let six = |text: &str| peer_key(IpAddr::V6(text.parse::<Ipv6Addr>().unwrap()));
    assert_eq!(six("2001:db8::1"), six("2001:db8::ffff:1"));
    assert_ne!(six("2001:db8::1"), six("2001:db8:0:1::1"));
    assert_eq!(six("::ffff:127.0.0.1"), peer_key(HERE));
}
