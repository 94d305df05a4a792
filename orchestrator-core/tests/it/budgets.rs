//! Budgets of sessions: nobody comes in who could use more than is left, and what was not used comes back.

use orchestrator_core::id::{SessionId, SessionKey, TenantId};
use orchestrator_core::obstacle::Obstacle;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::session::{BudgetKind, SessionBudget, SessionView};
use orchestrator_core::task::{FinishReason, TaskFault, TaskSpec};
use proptest::prelude::*;

use crate::rig::{Out, Rig, one_pool, spec};

const SESSION: SessionKey = SessionKey::new(TenantId::DEFAULT, SessionId(1));

/// A prompt of 10 tokens, and so many more at most.
fn of(max_tokens: u32) -> TaskSpec {
    TaskSpec {
        session: Some(SessionId(1)),
        max_tokens,
        ..spec()
    }
}

fn tokens(tokens: u64) -> Option<SessionBudget> {
    Some(SessionBudget {
        tokens: Some(tokens),
        ..SessionBudget::default()
    })
}

fn create(rig: &mut Rig, task: u128, max_tokens: u32, budget: Option<SessionBudget>) -> Out {
    rig.create_within(TenantId::DEFAULT, task, of(max_tokens), budget)
}

fn view(rig: &Rig) -> SessionView {
    rig.machine.session(rig.now, SESSION).unwrap()
}

fn left(rig: &Rig) -> Option<u64> {
    view(rig).left.tokens
}

#[test]
fn what_a_task_may_use_is_reserved_and_settled_with_what_it_used() {
    let mut rig = Rig::ready(1);
    let order = create(&mut rig, 1, 20, tokens(100)).starts().remove(0);
    assert_eq!(left(&rig), Some(70), "ten of the prompt, and twenty");
    create(&mut rig, 2, 40, None);
    assert_eq!(left(&rig), Some(20));
    let before = rig.machine.clone();
    let out = create(&mut rig, 3, 11, None);
    let Some(refusal @ Refusal::BudgetSpent { session, short }) = out.reply().refusal() else {
        panic!("{out:?}");
    };
    assert_eq!((*session, short.kind), (SessionId(1), BudgetKind::Tokens));
    assert_eq!((short.limit, short.left, short.asked), (100, 20, 21));
    assert_eq!(refusal.obstacle(), Some(Obstacle::Session));
    assert_eq!(rig.machine, before, "a refusal changes nothing");
    rig.finished(&order, FinishReason::Stop, 5);
    assert_eq!(left(&rig), Some(35), "fifteen were used");
    assert_eq!(view(&rig).record.spent.tokens, 15);
    assert!(create(&mut rig, 3, 11, None).reply().refusal().is_none());
}

#[test]
fn a_task_that_never_ran_costs_nothing() {
    let mut rig = Rig::ready(1);
    create(&mut rig, 1, 20, tokens(100));
    create(&mut rig, 2, 20, None);
    rig.cancel(2);
    assert_eq!(left(&rig), Some(70));
}

#[test]
fn a_task_that_broke_costs_what_is_kept_of_it() {
    let mut rig = Rig::ready(1);
    let order = create(&mut rig, 1, 20, tokens(100)).starts().remove(0);
    rig.chunk(&order, 0, 4);
    rig.failed(&order, TaskFault::EngineRefused);
    assert_eq!(left(&rig), Some(86));
}

#[test]
fn a_later_task_may_bring_another_budget() {
    let mut rig = Rig::ready(1);
    create(&mut rig, 1, 20, tokens(30));
    assert!(create(&mut rig, 2, 20, None).reply().refusal().is_some());
    create(&mut rig, 2, 20, tokens(90));
    assert_eq!(left(&rig), Some(30));
}

#[test]
fn another_session_of_the_same_id_is_not_charged_for_the_one_before() {
    let mut rig = Rig::ready(1);
    let order = create(&mut rig, 1, 20, tokens(100)).starts().remove(0);
    rig.session_delete(1);
    create(&mut rig, 2, 20, tokens(50));
    rig.finished(&order, FinishReason::Stop, 5);
    assert_eq!(left(&rig), Some(20));
}

#[test]
fn money_follows_the_tokens_by_the_price_of_the_pool() {
    let mut config = one_pool(1);
    let pool = config.pools[0].name.clone();
    config.prices.insert(pool, 1_500);
    let mut rig = Rig::new(config);
    rig.replica_ready(crate::rig::facts("default-0", 1));
    let budget = SessionBudget {
        cost_micros: Some(100),
        ..SessionBudget::default()
    };
    let order = create(&mut rig, 1, 20, Some(budget)).starts().remove(0);
    assert_eq!(view(&rig).left.cost_micros, Some(55), "thirty tokens");
    let out = create(&mut rig, 2, 27, None);
    let Some(Refusal::BudgetSpent { short, .. }) = out.reply().refusal() else {
        panic!("{out:?}");
    };
    assert_eq!((short.kind, short.asked), (BudgetKind::Cost, 56));
    rig.finished(&order, FinishReason::Stop, 5);
    assert_eq!(view(&rig).left.cost_micros, Some(77), "fifteen, rounded up");
}

#[test]
fn time_is_charged_as_attempts_end_and_ends_the_session_when_it_is_gone() {
    let mut rig = Rig::ready(1);
    let budget = SessionBudget {
        time_ms: Some(1_000),
        ..SessionBudget::default()
    };
    let order = create(&mut rig, 1, 20, Some(budget)).starts().remove(0);
    rig.pass(400);
    rig.failed(&order, TaskFault::WorkerReset);
    assert_eq!(view(&rig).left.time_ms, Some(600), "also of one that broke");
    rig.cancel(1);
    let order = create(&mut rig, 2, 20, None).starts().remove(0);
    rig.pass(700);
    rig.finished(&order, FinishReason::Stop, 1);
    assert_eq!(view(&rig).left.time_ms, Some(0));
    let out = create(&mut rig, 3, 20, None);
    let refused = matches!(
        out.reply().refusal(),
        Some(Refusal::BudgetSpent { short, .. }) if short.kind == BudgetKind::Time
    );
    assert!(refused, "{out:?}");
}

#[test]
fn a_budget_needs_a_session() {
    let mut rig = Rig::ready(1);
    let out = rig.create_within(TenantId::DEFAULT, 1, spec(), tokens(100));
    assert_eq!(out.reply().refusal(), Some(&Refusal::BudgetSessionless));
}

#[derive(Clone, Debug)]
enum Op {
    Create(u32),
    Finish(u64),
    Break,
    Cancel(usize),
    Restart,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (1_u32..40).prop_map(Op::Create),
        3 => (0_u64..40).prop_map(Op::Finish),
        1 => Just(Op::Break),
        2 => (0_usize..8).prop_map(Op::Cancel),
        1 => Just(Op::Restart),
    ]
}

proptest! {
    /// Whatever happens, what ended tasks used and live ones may use is never more than the budget, and what is left
    /// is exactly the rest.
    #[test]
    fn a_budget_is_never_exceeded_and_never_leaks(ops in prop::collection::vec(op(), 1..60), limit in 20_u64..300) {
        let mut config = one_pool(1);
        config.session_turns_max = 1_000;
        let mut rig = Rig::new(config);
        rig.replica_ready(crate::rig::facts("default-0", 2));
        let mut running = create(&mut rig, 1, 1, tokens(limit)).starts();
        let mut next = 1;
        for op in ops {
            let out = match op {
                Op::Create(max_tokens) => {
                    next += 1;
                    create(&mut rig, next, max_tokens, None)
                }
                Op::Finish(out) if !running.is_empty() => {
                    let order = running.remove(0);
                    let out = out.min(u64::from(order.spec.max_tokens)).max(order.position);
                    rig.finished(&order, FinishReason::Stop, out)
                }
                Op::Break if !running.is_empty() => {
                    let order = running.remove(0);
                    rig.failed(&order, TaskFault::EngineRefused)
                }
                Op::Cancel(one) => {
                    let live: Vec<u128> = rig.machine.records().map(|row| row.id.0).collect();
                    match live.get(one) {
                        Some(task) => rig.cancel(*task),
                        None => continue,
                    }
                }
                Op::Restart => {
                    running.clear();
                    rig.restart();
                    rig.replica_ready(crate::rig::facts("default-0", 2))
                }
                Op::Break | Op::Finish(_) => continue,
            };
            running.extend(out.starts());
            let live: u64 = rig
                .machine
                .records()
                .map(|row| u64::from(row.spec.cost()))
                .sum();
            let view = view(&rig);
            prop_assert!(view.record.spent.tokens + live <= limit);
            prop_assert_eq!(view.left.tokens, Some(limit - view.record.spent.tokens - live));
        }
    }
}
