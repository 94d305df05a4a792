//! What operators do becomes what is asked of the owner.

use orchestrator_core::bulk::{BulkAction, BulkBegin, BulkFilter};
use orchestrator_core::id::{BulkId, KeyId, PoolName, PrincipalId, SessionKey, TenantId};
use orchestrator_core::input::Ask;
use orchestrator_core::key::{
    KeyCreate, KeyMac, KeyRotate, KeyScope, Scopes, ServerKeyMark, Tenant,
};
use orchestrator_core::queue::QueueSwitch;
use orchestrator_core::quota::{QuotaOf, QuotaPut};
use orchestrator_core::session::{SessionBudget, SessionPut};
use store::Loaded;

use super::errand::Aim;
use super::wish::session_id;
use crate::plan::{Act, Bulk};
use crate::world::World;

const MARK: ServerKeyMark = ServerKeyMark([7; 8]);

impl World {
    /// What is asked for an act. A quota takes the place of the one that is durable now, which its operator has just
    /// looked at.
    pub(super) fn asked_by(&self, act: Act) -> Ask {
        match act {
            Act::Bulk(bulk) => Ask::BulkBegin(Box::new(begin(bulk))),
            Act::KeyCreate { key, operator } => Ask::KeyCreate(Box::new(KeyCreate {
                id: KeyId(key),
                mac: mac(key),
                server_key: MARK,
                tenant: Tenant::default(),
                project: None,
                name: format!("key {key}"),
                scopes: Scopes::from_iter([if operator {
                    KeyScope::Operator
                } else {
                    KeyScope::User
                }]),
                class_max: self.plan.setup.machine.classes[0].name,
                expires_at: None,
                created_by: PrincipalId::SYSTEM,
            })),
            Act::KeyRevoke { key } => Ask::KeyRevoke { key: KeyId(key) },
            Act::KeyRotate {
                key,
                successor,
                grace_ms,
            } => Ask::KeyRotate(Box::new(KeyRotate {
                key: KeyId(key),
                successor: KeyId(successor),
                mac: mac(successor),
                server_key: MARK,
                grace_ms,
                expires_at: None,
                created_by: PrincipalId::SYSTEM,
            })),
            Act::QueuePause { pool } => Ask::QueuePause(self.switch(pool)),
            Act::QueueResume { pool } => Ask::QueueResume(self.switch(pool)),
            Act::QuotaPut {
                key,
                limits,
                weight,
                stale,
            } => {
                let durable = self.store.peek();
                let of = match key {
                    Some(key) => QuotaOf::Key(first_of(&durable, KeyId(key))),
                    None => QuotaOf::Tenant(Tenant::default()),
                };
                let there = durable.quotas.iter().find(|row| row.of == of);
                Ask::QuotaPut(Box::new(QuotaPut {
                    of,
                    limits,
                    weight,
                    revision: there.map_or(0, |row| row.revision) + u64::from(stale),
                    put_by: PrincipalId::SYSTEM,
                }))
            }
            Act::SessionPut {
                session,
                tokens,
                ttl_ms,
            } => Ask::SessionPut(Box::new(SessionPut {
                session: SessionKey::new(TenantId::DEFAULT, session_id(session)),
                budget: SessionBudget {
                    tokens,
                    ..SessionBudget::default()
                },
                ttl_ms,
                put_by: PrincipalId::SYSTEM,
            })),
        }
    }

    fn switch(&self, pool: Option<usize>) -> QueueSwitch {
        let pools = self.plan.setup.pools();
        let name = |pool: usize| pools.get(pool).map(|pool| pool.name.clone());
        QueueSwitch {
            pool: pool.and_then(name),
            by: PrincipalId::SYSTEM,
        }
    }

    /// Lets go on whatever is held still. What is held, if anything is.
    pub(crate) fn let_all_go_on(&mut self) -> Option<String> {
        let held = self.store.peek().pauses;
        let held: Vec<Option<PoolName>> = held
            .into_iter()
            .filter(|row| row.paused)
            .map(|row| row.pool)
            .collect();
        for pool in &held {
            let place = |name: &PoolName| {
                let pools = self.plan.setup.pools();
                pools.iter().position(|pool| pool.name == *name)
            };
            let act = Act::QueueResume {
                pool: pool.as_ref().and_then(place),
            };
            let same = |aim: &Aim| matches!(aim, Aim::Operate(other) if *other == act);
            let on_its_way = self
                .errands
                .iter()
                .any(|errand| !errand.over && same(&errand.aim));
            if !on_its_way {
                self.set_out(0, Aim::Operate(act));
            }
        }
        (!held.is_empty()).then(|| "queues are held".to_owned())
    }
}

fn begin(bulk: Bulk) -> BulkBegin {
    BulkBegin {
        id: BulkId(u128::from(bulk.number)),
        action: match bulk.cancels {
            true => BulkAction::Cancel,
            false => BulkAction::Requeue,
        },
        filter: BulkFilter {
            state: bulk.state,
            priority: bulk.priority,
            session: bulk.session.map(session_id),
            ..BulkFilter::of(TenantId::DEFAULT)
        },
        by: PrincipalId::SYSTEM,
    }
}

fn mac(key: u64) -> KeyMac {
    let [byte, ..] = key.to_le_bytes();
    KeyMac([byte; 32])
}

/// The first of a key's line, as it is durable.
fn first_of(durable: &Loaded, key: KeyId) -> KeyId {
    let mut first = key;
    while let Some(before) = durable
        .keys
        .iter()
        .find(|before| before.replaced_by == Some(first))
    {
        first = before.id;
    }
    first
}
