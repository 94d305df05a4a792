//! The book of quotas against an oracle that counts everything anew, from what was seen from outside: which tasks were
//! accepted and how they ended, when, and which quotas were put.

use std::collections::BTreeSet;

use orchestrator_core::id::{KeyId, PrincipalId, TaskId};
use orchestrator_core::key::Tenant;
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::quota::{QuotaLimit, QuotaLimits, QuotaOf, QuotaRefusal, QuotaSubject};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{TaskEnd, TaskRecord, TaskSpec};
use orchestrator_core::time::WallMs;
use proptest::prelude::*;

use crate::quotas::any_put;
use crate::rig::{Rig, spec};
use crate::world::{Op, any_op, make, small};

/// What happened to one who is counted.
#[derive(Clone, Copy, Debug)]
enum Event {
    Accepted,
    Used(u64),
    Limits(QuotaLimits),
}

/// See the module.
#[derive(Default)]
struct Oracle {
    events: Vec<(WallMs, QuotaSubject, Event)>,
    accepted: BTreeSet<TaskId>,
    ended: BTreeSet<TaskId>,
}

/// The sums of one who is counted.
#[derive(Debug, PartialEq)]
struct Sums {
    tasks: u64,
    reserved: u64,
    kv_bytes: u64,
    /// In units of a 60,000th of a token.
    used: u64,
    /// In thousandths of a request.
    requests: u64,
}

impl Oracle {
    /// Sees what is new.
    fn look(&mut self, rig: &Rig) {
        let mut news = Vec::new();
        for row in rig.store.tasks.values() {
            if self.accepted.insert(row.id) {
                news.push((row.accepted_at, row, Event::Accepted));
            }
            if let Some(at) = row.ended_at
                && self.ended.insert(row.id)
            {
                news.push((at, row, Event::Used(used(row))));
            }
        }
        news.sort_by_key(|(at, ..)| *at);
        for (at, row, event) in news {
            for subject in subjects(rig, row) {
                self.events.push((at, subject, event));
            }
        }
    }

    /// Counts everything anew.
    fn sums(&self, rig: &Rig, subject: QuotaSubject) -> Sums {
        let live: Vec<_> = rig
            .store
            .tasks
            .values()
            .filter(|row| !row.state.is_final() && subjects(rig, row).contains(&subject))
            .collect();
        let mut limits = QuotaLimits::default();
        let (mut used, mut requests, mut last) = (0u64, 0u64, WallMs(0));
        let flow = |level: u64, rate: u64, ms: u64| level.saturating_sub(rate.saturating_mul(ms));
        let rates = |limits: &QuotaLimits| {
            (
                limits.tokens_per_min.unwrap_or(0),
                limits.requests.map_or(0, |rate| u64::from(rate.per_s)),
            )
        };
        let mine = self.events.iter().filter(|(_, of, _)| *of == subject);
        let now = (rig.now.wall, subject, Event::Used(0));
        for (at, _, event) in mine.chain([&now]) {
            let (tokens, per_s) = rates(&limits);
            used = flow(used, tokens, *at - last);
            requests = flow(requests, per_s, *at - last);
            last = *at;
            match event {
                Event::Accepted if limits.requests.is_some() => requests += 1_000,
                Event::Accepted => {}
                Event::Used(tokens) if limits.tokens_per_min.is_some() => used += tokens * 60_000,
                Event::Used(_) => {}
                Event::Limits(next) => limits = *next,
            }
            used = limits.tokens_per_min.map_or(0, |_| used);
            requests = limits.requests.map_or(0, |_| requests);
        }
        let cost = |row: &&TaskRecord| cost(&row.spec);
        Sums {
            tasks: live.len() as u64,
            reserved: live.iter().map(cost).sum(),
            kv_bytes: live
                .iter()
                .map(|row| cost(row) * bytes_per_token(rig.machine.config(), &row.spec))
                .sum(),
            used,
            requests,
        }
    }

    /// Which limits stand against a task, counted by hand.
    fn against(&self, rig: &Rig, subject: QuotaSubject, spec: &TaskSpec) -> BTreeSet<QuotaLimit> {
        let limits = self.limits(subject);
        let sums = self.sums(rig, subject);
        let tokens = cost(spec);
        let kv = tokens * bytes_per_token(rig.machine.config(), spec);
        let mut against = BTreeSet::new();
        if limits
            .tasks_live_max
            .is_some_and(|max| sums.tasks + 1 > u64::from(max))
        {
            against.insert(QuotaLimit::TasksLiveMax);
        }
        let burst = limits.requests.map(|rate| u64::from(rate.burst) * 1_000);
        if burst.is_some_and(|burst| sums.requests + 1_000 > burst) {
            against.insert(QuotaLimit::RequestsPerS);
        }
        let over = |max: u64| (sums.reserved + tokens) * 60_000 + sums.used > max * 60_000;
        if limits.tokens_per_min.is_some_and(over) {
            against.insert(QuotaLimit::TokensPerMin);
        }
        if limits
            .kv_mb_max
            .is_some_and(|max| sums.kv_bytes + kv > max * 1_000_000)
        {
            against.insert(QuotaLimit::KvMbMax);
        }
        against
    }

    fn limits(&self, subject: QuotaSubject) -> QuotaLimits {
        let put = |(_, of, event): &(WallMs, QuotaSubject, Event)| match event {
            Event::Limits(limits) if *of == subject => Some(*limits),
            _ => None,
        };
        self.events.iter().rev().find_map(put).unwrap_or_default()
    }
}

fn cost(spec: &TaskSpec) -> u64 {
    spec.prompt.tokens_estimate + u64::from(spec.max_tokens)
}

fn used(row: &TaskRecord) -> u64 {
    match &row.end {
        Some(TaskEnd::Finished {
            tokens_in,
            tokens_out,
            ..
        }) => tokens_in + tokens_out,
        _ => 0,
    }
}

fn bytes_per_token(config: &MachineConfig, spec: &TaskSpec) -> u64 {
    let serves = config.pools.iter().filter(|pool| {
        spec.model_ref
            .as_ref()
            .is_none_or(|model| *model == pool.model_ref)
            && spec.engine.is_none_or(|engine| engine == pool.engine)
    });
    serves
        .filter_map(|pool| pool.kv_bytes_per_token)
        .max()
        .unwrap_or(0)
}

/// The first of a key's line, by going back one by one.
fn first_of(rig: &Rig, key: KeyId) -> KeyId {
    let before = |key: KeyId| {
        let mut keys = rig.store.keys.values();
        keys.find(|other| other.replaced_by == Some(key))
            .map(|other| other.id)
    };
    let mut first = key;
    while let Some(earlier) = before(first) {
        first = earlier;
    }
    first
}

fn subjects(rig: &Rig, row: &TaskRecord) -> Vec<QuotaSubject> {
    let key = row.created_by.key().map(|key| first_of(rig, key));
    std::iter::once(QuotaSubject::Tenant(row.tenant))
        .chain(key.map(QuotaSubject::Key))
        .collect()
}

#[derive(Clone, Debug)]
enum Move {
    World(Op),
    /// Of the tenant `acme`, by a key.
    CreateBy(u64, u128, Box<TaskSpec>),
    Put(Box<orchestrator_core::quota::QuotaPut>),
}

fn any_move() -> impl Strategy<Value = Move> {
    let tokens = (1u64..300, 1u32..700).prop_map(|(prompt, max_tokens)| {
        let mut spec = spec();
        spec.prompt.tokens_estimate = prompt;
        spec.max_tokens = max_tokens;
        Box::new(spec)
    });
    prop_oneof![
        6 => any_op().prop_filter("puts are made in the right revision", |op| !matches!(op, Op::Quota(_)))
            .prop_map(Move::World),
        3 => (1u64..6, 20u128..60, tokens).prop_map(|(key, task, spec)| Move::CreateBy(key, task, spec)),
        1 => any_put().prop_map(|put| Move::Put(Box::new(put))),
    ]
}

/// Hands a task over and compares the answer with the oracle's.
fn create(
    rig: &mut Rig,
    oracle: &Oracle,
    by: PrincipalId,
    task: u128,
    spec: TaskSpec,
) -> Result<(), TestCaseError> {
    let tenant = match by.key() {
        Some(_) => Tenant::named("acme").unwrap().id(),
        None => orchestrator_core::id::TenantId::DEFAULT,
    };
    let key = by.key().map(|key| QuotaSubject::Key(first_of(rig, key)));
    let counted = std::iter::once(QuotaSubject::Tenant(tenant)).chain(key);
    let against: Vec<_> = counted
        .flat_map(|subject| {
            let limits = oracle.against(rig, subject, &spec);
            limits.into_iter().map(move |limit| (subject, limit))
        })
        .collect();
    let out = rig.create_by(tenant, by, task, spec);
    match (out.reply(), out.reply().refusal()) {
        (
            _,
            Some(Refusal::Quota(
                QuotaRefusal::Exceeded { subject, limit, .. }
                | QuotaRefusal::Unmeetable { subject, limit, .. },
            )),
        ) => {
            prop_assert!(
                against.contains(&(*subject, *limit)),
                "{out:?} against {against:?}"
            );
        }
        (
            Reply::TaskCreated {
                replayed: false, ..
            },
            _,
        ) => {
            prop_assert!(against.is_empty(), "accepted against {against:?}");
        }
        // What is asked before quotas, or after them.
        (_, Some(Refusal::DeadlineUnmet { .. } | Refusal::QueueFull { .. })) => {
            prop_assert!(against.is_empty(), "{out:?} against {against:?}");
        }
        _ => {}
    }
    Ok(())
}

fn judge(rig: &Rig, oracle: &Oracle) -> Result<(), TestCaseError> {
    let tenants = ["default", "acme"].map(|name| QuotaOf::Tenant(Tenant::named(name).unwrap()));
    let keys = (1..6).map(|id| QuotaOf::Key(first_of(rig, KeyId(id))));
    for of in tenants.into_iter().chain(keys) {
        let sums = oracle.sums(rig, of.subject());
        let view = rig.machine.quota(rig.now, of);
        prop_assert_eq!(view.tasks_live, sums.tasks);
        prop_assert_eq!(view.tokens_reserved, sums.reserved);
        prop_assert_eq!(view.kv_bytes_reserved, sums.kv_bytes);
        prop_assert_eq!(view.tokens_used, sums.used.div_ceil(60_000));
        let burst = view
            .limits
            .requests
            .map(|rate| u64::from(rate.burst) * 1_000);
        let left = burst.map(|burst| burst.saturating_sub(sums.requests) / 1_000);
        prop_assert_eq!(view.requests_left, left);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    /// Whatever happens, restarts in between: every sum is what a recount gives, nothing is accepted that a limit
    /// stands against by one unit, and nothing is refused for which there is room.
    #[test]
    fn the_book_is_what_a_recount_gives(moves in prop::collection::vec(any_move(), 1..90)) {
        let mut rig = Rig::new(small(false));
        let mut oracle = Oracle::default();
        for one in moves {
            match one {
                Move::World(Op::Create(task, spec)) => {
                    create(&mut rig, &oracle, PrincipalId::SYSTEM, task, *spec)?;
                }
                Move::World(op) => make(&mut rig, op),
                // Nobody else is let in.
                Move::CreateBy(key, ..) if !rig.store.keys.contains_key(&KeyId(key)) => {}
                Move::CreateBy(key, task, spec) => {
                    create(&mut rig, &oracle, PrincipalId::from(KeyId(key)), task, *spec)?;
                }
                Move::Put(mut put) => {
                    let there = rig.machine.quota(rig.now, put.of.clone());
                    put.revision = there.put.map_or(0, |row| row.revision);
                    let out = rig.quota_put((*put).clone());
                    oracle.look(&rig);
                    if let Reply::QuotaPut(view) = out.reply() {
                        let event = Event::Limits(put.limits);
                        oracle.events.push((rig.now.wall, view.of.subject(), event));
                    }
                }
            }
            oracle.look(&rig);
            judge(&rig, &oracle)?;
        }
    }
}
