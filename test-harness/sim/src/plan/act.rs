//! What operators do, and drawing it.

use std::fmt;

use orchestrator_core::quota::{QuotaLimits, RequestRate};

use super::bulks::Bulk;
use super::operation::{Operation, Want};
use super::setup::Setup;
use crate::agenda::Micros;
use crate::chance::Chance;

/// Keys of a run have the numbers from 1 up to this one.
const KEYS: u64 = 5;

/// One thing that an operator does. Keys have numbers, pools their place in the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Cancels many tasks, or takes many back into the queue.
    Bulk(Bulk),
    /// Makes a key.
    KeyCreate {
        /// Its number.
        key: u64,
        /// True if it may make others.
        operator: bool,
    },
    /// Ends a key.
    KeyRevoke {
        /// Its number.
        key: u64,
    },
    /// Puts a key in the place of another.
    KeyRotate {
        /// Number of the one that ends.
        key: u64,
        /// Number of the one that begins.
        successor: u64,
        /// For how long both are let in.
        grace_ms: u64,
    },
    /// Holds a queue.
    QueuePause {
        /// Of which pool; of all if none.
        pool: Option<usize>,
    },
    /// Lets a queue go on.
    QueueResume {
        /// Of which pool; of all if none.
        pool: Option<usize>,
    },
    /// Puts a quota.
    QuotaPut {
        /// Of which key; of the tenant if none.
        key: Option<u64>,
        /// The limits.
        limits: QuotaLimits,
        /// The tenant's share.
        weight: Option<u32>,
        /// True if it is put in the place of another revision than the one there is.
        stale: bool,
    },
    /// Says what a session may use, and how long it lives.
    SessionPut {
        /// Its number.
        session: u32,
        /// Tokens; not limited if none.
        tokens: Option<u64>,
        /// Milliseconds after it was touched; as configured if none.
        ttl_ms: Option<u64>,
    },
}

/// Draws how much tenants may use from the start, what operators do, and which tasks are handed over with a key.
pub(super) fn draw(
    chance: &mut Chance,
    setup: &mut Setup,
    chaos: Micros,
    operations: &mut Vec<Operation>,
) {
    let told = chance.percent(70);
    for pool in &mut setup.machine.pools {
        let silent = chance.percent(20);
        pool.kv_bytes_per_token = (told && !silent).then_some(10_000);
    }
    let (keys, quotas, pauses) = (chance.percent(50), chance.percent(50), chance.percent(35));
    if quotas && chance.percent(30) {
        setup.machine.tenant_limits = QuotaLimits {
            kv_mb_max: None,
            ..limits(chance)
        };
    }
    let mut acts = Vec::new();
    if keys {
        acts.push((
            0,
            Act::KeyCreate {
                key: 1,
                operator: true,
            },
        ));
        for _ in 0..chance.within((1, 8)) {
            acts.push((chance.below(chaos), key_act(chance)));
        }
    }
    if quotas {
        for _ in 0..chance.within((1, 6)) {
            // Mostly early, so that much is accepted under it.
            let latest = chance.pick(&[chaos / 16, chaos / 4, chaos]);
            acts.push((chance.below(latest), quota_act(chance, keys)));
        }
    }
    if pauses {
        for _ in 0..chance.within((1, 5)) {
            acts.push((chance.below(chaos), queue_act(chance, setup)));
        }
    }
    operations.extend(acts.into_iter().map(|(at, act)| Operation {
        at,
        client: chance.index(setup.clients),
        want: Want::Operate(act),
    }));
    if keys {
        for operation in operations.iter_mut() {
            if let Want::Submit { wish, .. } = &mut operation.want {
                wish.key = chance.percent(60).then(|| chance.within((1, KEYS)));
            }
        }
    }
    operations.sort_by_key(|operation| operation.at);
}

fn key_act(chance: &mut Chance) -> Act {
    let key = chance.within((1, KEYS));
    match chance.below(6) {
        0 => Act::KeyRevoke { key },
        1 | 2 => Act::KeyRotate {
            key,
            successor: chance.within((1, KEYS)),
            grace_ms: chance.pick(&[0, 500, 10_000]),
        },
        _ => Act::KeyCreate {
            key,
            operator: chance.percent(20),
        },
    }
}

fn quota_act(chance: &mut Chance, keys: bool) -> Act {
    let key = keys && chance.percent(40);
    let key = key.then(|| chance.within((1, KEYS)));
    Act::QuotaPut {
        key,
        limits: limits(chance),
        weight: (key.is_none() && chance.percent(30))
            .then(|| u32::try_from(chance.within((1, 4))).unwrap_or(1)),
        stale: chance.percent(8),
    }
}

fn limits(chance: &mut Chance) -> QuotaLimits {
    let mut small = |most| u32::try_from(chance.within((1, most))).unwrap_or(1);
    let (tasks, per_s, burst) = (small(6), small(3), small(4));
    QuotaLimits {
        tasks_live_max: chance.percent(30).then_some(tasks),
        requests: chance.percent(30).then_some(RequestRate { per_s, burst }),
        tokens_per_min: chance
            .percent(70)
            .then(|| chance.pick(&[100, 400, 1_000, 6_000])),
        kv_mb_max: chance.percent(30).then(|| chance.within((1, 8))),
    }
}

fn queue_act(chance: &mut Chance, setup: &Setup) -> Act {
    let pools = setup.pools().len();
    let pool = chance.percent(60).then(|| chance.index(pools));
    if chance.percent(60) {
        Act::QueuePause { pool }
    } else {
        Act::QueueResume { pool }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = |pool: &Option<usize>| match pool {
            Some(pool) => format!("the queue of pool {pool}"),
            None => "every queue".to_owned(),
        };
        match self {
            Self::Bulk(bulk) => {
                let what = match bulk.cancels {
                    true => "cancels every task",
                    false => "takes every parked task back into the queue",
                };
                write!(f, "{what} that fits, as bulk {}: {bulk:?}", bulk.number)
            }
            Self::KeyCreate { key, operator } => {
                let what = if *operator { " of an operator" } else { "" };
                write!(f, "makes key {key}{what}")
            }
            Self::KeyRevoke { key } => write!(f, "ends key {key}"),
            Self::KeyRotate {
                key,
                successor,
                grace_ms,
            } => write!(
                f,
                "puts key {successor} in the place of key {key}, with {grace_ms} ms of grace"
            ),
            Self::QueuePause { pool } => write!(f, "holds {}", queue(pool)),
            Self::QueueResume { pool } => write!(f, "lets {} go on", queue(pool)),
            Self::QuotaPut { key, limits, .. } => {
                let whose = key.map_or_else(|| "the tenant".to_owned(), |key| format!("key {key}"));
                write!(f, "puts a quota of {whose}: {limits:?}")
            }
            Self::SessionPut {
                session,
                tokens,
                ttl_ms,
            } => {
                let what = tokens.map_or("no limit".to_owned(), |most| format!("{most} tokens"));
                write!(f, "puts session s{session} with {what}")?;
                ttl_ms.map_or(Ok(()), |ms| write!(f, ", for {ms} ms"))
            }
        }
    }
}
