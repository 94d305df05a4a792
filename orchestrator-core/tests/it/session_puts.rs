//! Sessions that somebody puts: what they may use, how long they live, and that no task ends over it.

use orchestrator_core::id::{PrincipalId, SessionId, SessionKey, TenantId};
use orchestrator_core::input::Ask;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::session::{
    BudgetKind, SESSIONS_UNUSED_MAX, SessionBudget, SessionPut, SessionView, Shortfall,
};
use orchestrator_core::task::{FinishReason, TaskSpec, TaskState};

use crate::rig::{Out, Rig, spec};

const OTHER: TenantId = TenantId(9);
const MINUTE_MS: u64 = 60_000;

fn key(session: u128) -> SessionKey {
    SessionKey::new(TenantId::DEFAULT, SessionId(session))
}

fn of(session: u128) -> TaskSpec {
    TaskSpec {
        session: Some(SessionId(session)),
        ..spec()
    }
}

/// Tokens that each task of these tests may use.
fn cost() -> u64 {
    u64::from(spec().cost())
}

fn tokens(tokens: u64) -> SessionBudget {
    SessionBudget {
        tokens: Some(tokens),
        ..SessionBudget::default()
    }
}

impl Rig {
    fn put(&mut self, session: SessionKey, budget: SessionBudget, ttl_ms: Option<u64>) -> Out {
        self.ask(Ask::SessionPut(Box::new(SessionPut {
            session,
            budget,
            ttl_ms,
            put_by: PrincipalId(3),
        })))
    }

    fn seen(&self, session: u128) -> SessionView {
        let view = self.machine.session(self.now, key(session));
        view.expect("there is such a session")
    }
}

fn short(out: &Out) -> Shortfall {
    match out.reply().refusal() {
        Some(Refusal::BudgetSpent { short, .. }) => *short,
        other => panic!("not refused for its budget: {other:?}"),
    }
}

#[test]
fn a_session_is_put_before_its_first_task_and_holds_that_to_it() {
    let mut rig = Rig::ready(1);
    let out = rig.put(key(1), tokens(cost() + 5), Some(2 * MINUTE_MS));
    let Reply::SessionPut(view) = out.reply() else {
        panic!("not put: {out:?}");
    };
    assert_eq!(view.record.put, Some((PrincipalId(3), rig.now.wall)));
    assert_eq!((view.record.turns, view.ttl_ms), (0, 2 * MINUTE_MS));
    assert_eq!(view.left, tokens(cost() + 5));
    assert!(matches!(out.mutations[..], [Mutation::SessionPut(_)]));
    rig.restart();
    assert_eq!(rig.seen(1).record, view.record);
    rig.create(1, of(1));
    let refused = short(&rig.create(2, of(1)));
    assert_eq!((refused.kind, refused.left), (BudgetKind::Tokens, 5));
    // Of another tenant it is not.
    assert_eq!(
        rig.machine
            .session(rig.now, SessionKey::new(OTHER, SessionId(1))),
        None
    );
}

#[test]
fn a_limit_below_what_is_used_refuses_the_next_task_and_ends_none() {
    let mut rig = Rig::ready(1);
    rig.put(key(1), tokens(2 * cost()), None);
    let running = rig.create(1, of(1)).starts().remove(0);
    rig.create(2, of(1));
    rig.put(key(1), tokens(1), None);
    assert_eq!(rig.seen(1).left, tokens(0));
    assert_eq!(rig.state(2), TaskState::Queued);
    assert_eq!(short(&rig.create(3, of(1))).left, 0);
    let next = rig
        .finished(&running, FinishReason::Stop, 4)
        .starts()
        .remove(0);
    rig.finished(&next, FinishReason::Stop, 4);
    assert_eq!(rig.state(1), TaskState::Completed);
    assert_eq!(rig.state(2), TaskState::Completed);
    let used = rig.seen(1).record.spent.tokens;
    assert!(used > 1, "both were charged: {used}");
    // What it has used stays used, whatever it is given.
    rig.put(key(1), tokens(used + cost()), None);
    assert_eq!(rig.seen(1).left, tokens(cost()));
    rig.create(4, of(1));
    // What is left out is not limited, and no life of its own is the configured one.
    rig.put(key(1), SessionBudget::default(), None);
    assert_eq!(rig.seen(1).left, SessionBudget::default());
    rig.create(5, of(1));
    assert_eq!(rig.seen(1).record.turns, 4);
}

#[test]
fn its_life_is_its_own_and_counted_from_each_put_and_each_task() {
    let mut rig = Rig::ready(1);
    rig.put(key(1), SessionBudget::default(), Some(2 * MINUTE_MS));
    rig.advance(MINUTE_MS);
    rig.put(key(1), SessionBudget::default(), Some(3 * MINUTE_MS));
    rig.advance(2 * MINUTE_MS);
    assert_eq!(rig.seen(1).ttl_ms_remaining, MINUTE_MS);
    let order = rig.create(1, of(1)).starts().remove(0);
    rig.finished(&order, FinishReason::Stop, 1);
    rig.advance(3 * MINUTE_MS - 1);
    assert_eq!(rig.seen(1).ttl_ms_remaining, 1);
    rig.restart();
    assert_eq!(rig.seen(1).ttl_ms_remaining, 1);
    let out = rig.advance(1);
    assert_eq!(out.mutations, [Mutation::SessionDelete(key(1))]);
    // A shorter life is at once the one that counts; one that has run out begins anew.
    rig.put(key(2), tokens(5), Some(60 * MINUTE_MS));
    rig.advance(5 * MINUTE_MS);
    rig.put(key(2), tokens(5), Some(MINUTE_MS));
    let out = rig.advance(MINUTE_MS);
    assert_eq!(out.mutations, [Mutation::SessionDelete(key(2))]);
    rig.put(key(2), tokens(9), None);
    assert_eq!(rig.seen(2).ttl_ms, 10 * MINUTE_MS);
}

#[test]
fn tasks_of_an_earlier_session_are_not_charged_to_the_one_that_is_put() {
    let mut rig = Rig::ready(1);
    rig.create(1, of(1));
    rig.session_delete(1);
    rig.put(key(1), tokens(50_000), None);
    rig.restart();
    assert_eq!(rig.seen(1).left, tokens(50_000));
    rig.create(2, of(1));
    assert_eq!(rig.seen(1).left, tokens(50_000 - cost()));
}

#[test]
fn sessions_without_a_task_are_bounded_for_each_tenant() {
    let mut rig = Rig::ready(1);
    let most = SESSIONS_UNUSED_MAX as u128;
    for session in 1..=most {
        rig.put(key(session), tokens(1_000), None);
    }
    let before = rig.machine.clone();
    let refused = |out: &Out| {
        matches!(
            out.reply(),
            Reply::Refused(Refusal::SessionsUnused { retry_after_ms }) if *retry_after_ms > 0
        )
    };
    assert!(refused(&rig.put(key(most + 1), tokens(1), None)));
    assert_eq!(rig.machine, before);
    // One that there is may be changed, another tenant has its own, and each way out makes room for one.
    assert!(!refused(&rig.put(key(1), tokens(2_000), None)));
    let other = SessionKey::new(OTHER, SessionId(1));
    assert!(!refused(&rig.put(other, tokens(1), None)));
    rig.create(1, of(1));
    assert!(!refused(&rig.put(key(most + 1), tokens(1), None)));
    assert!(refused(&rig.put(key(most + 2), tokens(1), None)));
    rig.session_delete(2);
    rig.restart();
    assert!(!refused(&rig.put(key(most + 2), tokens(1), None)));
    assert!(refused(&rig.put(key(most + 3), tokens(1), None)));
}
