//! Quotas: each limit to the last unit, refunds to the last token, and nothing forgotten by a restart.

use orchestrator_core::id::{KeyId, PoolName, PrincipalId, TenantId};
use orchestrator_core::input::Ask;
use orchestrator_core::key::{KeyScope, Tenant};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::quota::{
    QuotaLimit, QuotaLimits, QuotaOf, QuotaPut, QuotaRefusal, QuotaSubject, QuotaView, RequestRate,
};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskFault, TaskSpec, TaskState};
use proptest::prelude::*;

use crate::keys::{key, rotate};
use crate::pools::two_pools;
use crate::rig::{Out, Rig, facts, one_pool, spec};

const NONE: QuotaLimits = QuotaLimits {
    tasks_live_max: None,
    requests: None,
    tokens_per_min: None,
    kv_mb_max: None,
};

impl Rig {
    pub(crate) fn quota_put(&mut self, put: QuotaPut) -> Out {
        self.ask(Ask::QuotaPut(Box::new(put)))
    }

    /// Puts limits in the place of what there is.
    fn limit(&mut self, of: QuotaOf, limits: QuotaLimits) -> Out {
        let there = self.machine.quota(self.now, of.clone()).put;
        self.quota_put(QuotaPut {
            of,
            limits,
            weight: None,
            revision: there.map_or(0, |row| row.revision),
            put_by: PrincipalId::SYSTEM,
        })
    }

    fn limit_default(&mut self, limits: QuotaLimits) {
        let out = self.limit(tenant("default"), limits);
        assert!(matches!(out.reply(), Reply::QuotaPut(_)), "{out:?}");
    }

    fn view(&self, of: QuotaOf) -> QuotaView {
        self.machine.quota(self.now, of)
    }

    fn accepted(&mut self, task: u128, spec: TaskSpec) -> Out {
        let out = self.create(task, spec);
        assert!(matches!(out.reply(), Reply::TaskCreated { .. }), "{out:?}");
        out
    }
}

fn tenant(name: &str) -> QuotaOf {
    QuotaOf::Tenant(Tenant::named(name).unwrap())
}

/// A task that reserves so many tokens, 10 of them for its prompt.
fn of_tokens(tokens: u32) -> TaskSpec {
    TaskSpec {
        max_tokens: tokens - 10,
        ..spec()
    }
}

fn refusal(out: &Out) -> &QuotaRefusal {
    match out.reply().refusal() {
        Some(Refusal::Quota(refusal)) => refusal,
        other => panic!("not refused by a quota: {other:?}"),
    }
}

/// Limit, figure, left, asked, and the wait.
fn exceeded(out: &Out) -> (QuotaLimit, u64, u64, u64, u64) {
    assert!(out.mutations.is_empty() && out.effects.is_empty());
    match refusal(out) {
        QuotaRefusal::Exceeded {
            limit,
            max,
            left,
            asked,
            retry_after_ms,
            ..
        } => (*limit, *max, *left, *asked, *retry_after_ms),
        other => panic!("not exceeded: {other:?}"),
    }
}

/// A quota of the default tenant, of another one, or of a key.
pub(crate) fn any_put() -> impl Strategy<Value = QuotaPut> {
    let of = prop_oneof![
        3 => Just(tenant("default")),
        1 => Just(tenant("acme")),
        2 => (1u64..6).prop_map(|id| QuotaOf::Key(KeyId(id))),
    ];
    let requests = (1u32..4, 1u32..4).prop_map(|(per_s, burst)| RequestRate { per_s, burst });
    let limits = (
        prop::option::of(1u32..6),
        prop::option::of(requests),
        prop::option::of(200u64..3_000),
        prop::option::of(1u64..6),
    );
    (of, limits, prop::option::of(1u32..5), 0u64..3).prop_map(|(of, limits, weight, revision)| {
        let (tasks_live_max, requests, tokens_per_min, kv_mb_max) = limits;
        QuotaPut {
            of,
            limits: QuotaLimits {
                tasks_live_max,
                requests,
                tokens_per_min,
                kv_mb_max,
            },
            weight,
            revision,
            put_by: PrincipalId::SYSTEM,
        }
    })
}

#[test]
fn live_tasks_are_counted_until_they_end() {
    let mut rig = Rig::ready(1);
    rig.limit_default(QuotaLimits {
        tasks_live_max: Some(2),
        ..NONE
    });
    let order = rig.accepted(1, spec()).starts().remove(0);
    rig.accepted(2, spec());
    let (limit, max, left, asked, wait) = exceeded(&rig.create(3, spec()));
    assert_eq!(
        (limit, max, left, asked),
        (QuotaLimit::TasksLiveMax, 2, 0, 1)
    );
    assert!(wait >= 1);
    // A repeat of one that is in is no new task.
    rig.accepted(2, spec());
    rig.finished(&order, FinishReason::Stop, 1);
    rig.accepted(3, spec());
    rig.cancel(3);
    assert_eq!(rig.view(tenant("default")).tasks_live, 1);
    rig.restart();
    assert_eq!(rig.view(tenant("default")).tasks_live, 1);
}

#[test]
fn requests_come_in_a_burst_and_then_at_the_rate() {
    let mut rig = Rig::ready(1);
    rig.limit_default(QuotaLimits {
        requests: Some(RequestRate { per_s: 3, burst: 2 }),
        ..NONE
    });
    rig.accepted(1, spec());
    let out = rig.accepted(2, spec());
    let levels = |mutation: &Mutation| matches!(mutation, Mutation::QuotaLevelsPut(_));
    assert_eq!(out.mutations.iter().filter(|one| levels(one)).count(), 1);
    let (limit, max, left, asked, wait) = exceeded(&rig.create(3, spec()));
    assert_eq!(
        (limit, max, left, asked),
        (QuotaLimit::RequestsPerS, 2, 0, 1)
    );
    assert_eq!(wait, 334, "a third of a second, rounded up");
    rig.advance(wait - 1);
    assert_eq!(exceeded(&rig.create(3, spec())).4, 1);
    // A refusal costs nothing, and a restart gives nothing.
    rig.restart();
    rig.advance(0);
    assert_eq!(exceeded(&rig.create(3, spec())).4, 1);
    rig.advance(1);
    rig.accepted(3, spec());
    rig.advance(60_000);
    assert_eq!(rig.view(tenant("default")).requests_left, Some(2));
}

#[test]
fn tokens_are_reserved_at_the_accept_and_settled_at_the_end() {
    let mut rig = Rig::ready(1);
    rig.limit_default(QuotaLimits {
        tokens_per_min: Some(600),
        ..NONE
    });
    let order = rig.accepted(1, of_tokens(400)).starts().remove(0);
    rig.accepted(2, of_tokens(200));
    let view = rig.view(tenant("default"));
    assert_eq!((view.tokens_reserved, view.tokens_used), (600, 0));
    // Not one token more, however long it takes: what is reserved does not flow back with time.
    rig.advance(20_000);
    let (limit, max, left, asked, _) = exceeded(&rig.create(3, of_tokens(11)));
    assert_eq!(
        (limit, max, left, asked),
        (QuotaLimit::TokensPerMin, 600, 0, 11)
    );
    rig.finished(&order, FinishReason::Length, 290);
    let view = rig.view(tenant("default"));
    assert_eq!((view.tokens_reserved, view.tokens_used), (200, 300));
    let (_, _, left, _, wait) = exceeded(&rig.create(3, of_tokens(101)));
    assert_eq!((left, wait), (100, 100), "a token flows back in 100 ms");
    rig.accepted(3, of_tokens(100));
    // What was used is gone in half a minute.
    rig.advance(29_999);
    assert_eq!(rig.view(tenant("default")).tokens_used, 1);
    rig.advance(1);
    assert_eq!(rig.view(tenant("default")).tokens_used, 0);
}

#[test]
fn what_was_not_used_is_given_back_to_the_token() {
    let limits = QuotaLimits {
        tokens_per_min: Some(1_000),
        ..NONE
    };
    let used = |rig: &Rig| {
        let view = rig.view(tenant("default"));
        assert_eq!(view.tokens_reserved, 0);
        view.tokens_used
    };
    // Cancelled before it ran.
    let mut rig = Rig::ready(0);
    rig.limit_default(limits);
    rig.accepted(1, of_tokens(1_000));
    rig.cancel(1);
    assert_eq!(used(&rig), 0);
    // Too late for its deadline.
    let late = TaskSpec {
        deadline_ms: Some(100),
        ..of_tokens(1_000)
    };
    rig.accepted(2, late);
    rig.advance(100);
    assert_eq!((rig.state(2), used(&rig)), (TaskState::Failed, 0));
    // Cancelled while it ran: its input and what it had said.
    let mut rig = Rig::ready(1);
    rig.limit_default(limits);
    let order = rig.accepted(1, of_tokens(1_000)).starts().remove(0);
    rig.cancel(1);
    rig.finished(&order, FinishReason::Cancelled, 7);
    assert_eq!((rig.state(1), used(&rig)), (TaskState::Cancelled, 17));
    // Broken for good.
    let order = rig.accepted(2, of_tokens(983)).starts().remove(0);
    rig.failed(&order, TaskFault::EngineRefused);
    assert_eq!((rig.state(2), used(&rig)), (TaskState::Failed, 17));
}

#[test]
fn a_restart_keeps_what_was_used_and_what_is_reserved() {
    let mut rig = Rig::ready(1);
    rig.limit_default(QuotaLimits {
        tokens_per_min: Some(600),
        ..NONE
    });
    let order = rig.accepted(1, of_tokens(400)).starts().remove(0);
    rig.finished(&order, FinishReason::Stop, 290);
    rig.accepted(2, of_tokens(100));
    rig.advance(1_005);
    let before = rig.view(tenant("default"));
    rig.restart();
    assert_eq!(rig.view(tenant("default")), before);
    assert_eq!((before.tokens_reserved, before.tokens_used), (100, 290));
    // The time without a daemon counts.
    rig.pass(10_000);
    rig.restart();
    assert_eq!(rig.view(tenant("default")).tokens_used, 190);
}

#[test]
fn a_task_above_the_limit_itself_is_told_so() {
    let mut rig = Rig::ready(1);
    rig.limit_default(QuotaLimits {
        tokens_per_min: Some(100),
        kv_mb_max: Some(1),
        ..NONE
    });
    let subject = QuotaSubject::Tenant(TenantId::DEFAULT);
    let tokens = QuotaRefusal::Unmeetable {
        subject,
        limit: QuotaLimit::TokensPerMin,
        max: 100,
        asked: Some(101),
    };
    assert_eq!(refusal(&rig.create(1, of_tokens(101))), &tokens);
    rig.accepted(1, of_tokens(100));
    rig.limit_default(QuotaLimits {
        kv_mb_max: Some(1),
        ..NONE
    });
    // A thousand bytes for a token.
    let cache = QuotaRefusal::Unmeetable {
        subject,
        limit: QuotaLimit::KvMbMax,
        max: 1,
        asked: Some(2),
    };
    assert_eq!(refusal(&rig.create(2, of_tokens(1_001))), &cache);
}

#[test]
fn cache_is_counted_by_what_the_pools_tell() {
    let mut rig = Rig::ready(1);
    rig.limit_default(QuotaLimits {
        kv_mb_max: Some(1),
        ..NONE
    });
    rig.accepted(1, of_tokens(300));
    rig.accepted(2, of_tokens(700));
    assert_eq!(rig.view(tenant("default")).kv_bytes_reserved, 1_000_000);
    let (limit, max, left, asked, _) = exceeded(&rig.create(3, of_tokens(11)));
    assert_eq!((limit, max, left, asked), (QuotaLimit::KvMbMax, 1, 0, 1));
    rig.cancel(2);
    rig.accepted(3, of_tokens(11));
}

#[test]
fn a_limit_that_nothing_could_hold_is_refused() {
    let mut rig = Rig::new(two_pools());
    let limits = QuotaLimits {
        kv_mb_max: Some(9),
        ..NONE
    };
    let out = rig.limit(tenant("default"), limits);
    let pools = vec![PoolName::new("large")];
    assert_eq!(refusal(&out), &QuotaRefusal::Unenforceable { pools });
    // Where such a pool comes later, a task that it may run is refused rather than not counted.
    let mut rig = Rig::new(one_pool(1));
    rig.replica_ready(facts("default-0", 1));
    rig.limit_default(limits);
    rig.restart_with(two_pools());
    let out = rig.create(1, spec());
    let unknown = |refusal: &QuotaRefusal| {
        matches!(
            refusal,
            QuotaRefusal::Unmeetable {
                asked: None,
                limit: QuotaLimit::KvMbMax,
                ..
            }
        )
    };
    assert!(unknown(refusal(&out)), "{out:?}");
    let small = TaskSpec {
        model_ref: Some(orchestrator_core::id::ModelRef::new("haiku-tiny")),
        ..spec()
    };
    rig.accepted(1, small);
}

#[test]
fn both_quotas_hold_and_a_successor_shares_its_predecessor_s() {
    let mut rig = Rig::ready(1);
    rig.ask(Ask::KeyCreate(Box::new(key(1, KeyScope::Operator))));
    rig.ask(Ask::KeyCreate(Box::new(key(2, KeyScope::User))));
    let acme = Tenant::named("acme").unwrap().id();
    let max = |tasks| QuotaLimits {
        tasks_live_max: Some(tasks),
        ..NONE
    };
    rig.limit(tenant("acme"), max(3));
    rig.limit(QuotaOf::Key(KeyId(2)), max(2));
    let by = |id| PrincipalId::from(KeyId(id));
    rig.create_by(acme, by(2), 1, spec());
    rig.ask(Ask::KeyRotate(Box::new(rotate(2, 3, 60_000))));
    rig.create_by(acme, by(3), 2, spec());
    for id in [2, 3] {
        let out = rig.create_by(acme, by(id), 3, spec());
        let subject = |refusal: &QuotaRefusal| match refusal {
            QuotaRefusal::Exceeded { subject, .. } => *subject,
            other => panic!("{other:?}"),
        };
        assert_eq!(subject(refusal(&out)), QuotaSubject::Key(KeyId(2)));
    }
    assert_eq!(
        rig.view(QuotaOf::Key(KeyId(3))),
        rig.view(QuotaOf::Key(KeyId(2)))
    );
    rig.restart();
    assert_eq!(rig.view(QuotaOf::Key(KeyId(3))).tasks_live, 2);
    // The tenant has room for one of another key, and no more.
    rig.create_by(acme, by(1), 3, spec());
    let out = rig.create_by(acme, by(1), 4, spec());
    assert_eq!(exceeded(&out).0, QuotaLimit::TasksLiveMax);
    assert_eq!(rig.view(tenant("acme")).tasks_live, 3);
    assert_eq!(rig.view(tenant("default")).tasks_live, 0);
}

#[test]
fn a_quota_is_put_in_the_place_of_the_one_that_was_seen() {
    let mut rig = Rig::ready(1);
    rig.limit_default(NONE);
    let stale = rig.quota_put(QuotaPut {
        of: tenant("default"),
        limits: NONE,
        weight: Some(4),
        revision: 0,
        put_by: PrincipalId::SYSTEM,
    });
    let conflict = QuotaRefusal::Conflict {
        of: tenant("default"),
        asked: 0,
        revision: 1,
    };
    assert_eq!(refusal(&stale), &conflict);
    let unknown = rig.limit(QuotaOf::Key(KeyId(9)), NONE);
    let reply = Reply::Refused(Refusal::KeyUnknown { key: KeyId(9) });
    assert_eq!(unknown.reply(), &reply);
}

#[test]
fn other_limits_hold_from_the_next_task_on_and_forget_nothing() {
    let mut rig = Rig::ready(1);
    let tokens = |tokens| QuotaLimits {
        tokens_per_min: Some(tokens),
        ..NONE
    };
    rig.limit_default(tokens(600));
    let order = rig.accepted(1, of_tokens(600)).starts().remove(0);
    rig.finished(&order, FinishReason::Stop, 590);
    rig.limit_default(tokens(60));
    // Ten seconds at the rate in force, not at the one before.
    rig.advance(10_000);
    assert_eq!(rig.view(tenant("default")).tokens_used, 590);
    let (_, max, left, asked, wait) = exceeded(&rig.create(2, of_tokens(20)));
    assert_eq!((max, left, asked, wait), (60, 0, 20, 550_000));
    rig.limit_default(NONE);
    rig.accepted(2, of_tokens(20));
    rig.limit_default(tokens(60));
    let view = rig.view(tenant("default"));
    assert_eq!((view.tokens_reserved, view.tokens_used), (20, 0));
}

#[test]
fn tenants_have_the_configured_limits_until_somebody_puts_others() {
    let mut config = one_pool(1);
    config.tenant_limits.tasks_live_max = Some(1);
    let mut rig = Rig::new(config);
    rig.replica_ready(facts("default-0", 1));
    rig.accepted(1, spec());
    exceeded(&rig.create(2, spec()));
    let view = rig.view(tenant("default"));
    assert_eq!((view.put, view.limits.tasks_live_max), (None, Some(1)));
    rig.limit_default(NONE);
    rig.accepted(2, spec());
}

#[test]
fn a_weight_that_was_put_counts_from_the_next_dispatch_on() {
    let mut rig = Rig::ready(1);
    let put = QuotaPut {
        of: tenant("acme"),
        limits: NONE,
        weight: Some(3),
        revision: 0,
        put_by: PrincipalId::SYSTEM,
    };
    rig.quota_put(put);
    assert_eq!(rig.view(tenant("acme")).weight, 3);
    assert_eq!(rig.view(tenant("default")).weight, 1);
    let acme = Tenant::named("acme").unwrap().id();
    let mut order = rig.create(1, spec()).starts().remove(0);
    for task in 2..=41 {
        rig.create(task, spec());
        rig.create_for(acme, task + 100, spec());
    }
    let mut served = Vec::new();
    for _ in 0..24 {
        order = rig
            .finished(&order, FinishReason::Length, 256)
            .starts()
            .remove(0);
        served.push(rig.store.tasks[&order.task].tenant == acme);
    }
    let of_acme = served.iter().filter(|acme| **acme).count();
    assert!((17..=19).contains(&of_acme), "{of_acme} of 24: {served:?}");
}
