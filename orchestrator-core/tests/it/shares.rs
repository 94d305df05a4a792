//! Who gets how much: held against an oracle, and what tenants end up with.

use std::collections::BTreeMap;

use orchestrator_core::id::TenantId;
use orchestrator_core::queue::{ClassConfig, ClassName};
use orchestrator_core::task::TaskSpec;
use proptest::prelude::*;

use crate::rig::one_pool;
use crate::share_oracle::Oracle;
use crate::stage::{Shared, Stage, TOKENS_IN, model, wanting};

#[derive(Clone, Debug)]
enum Op {
    Create {
        tenant: u128,
        /// Which of the classes there are.
        class: usize,
        /// Which of the models there are.
        model: usize,
        max_tokens: u32,
        deadline_ms: Option<u64>,
    },
    Cancel(usize),
    Finish(usize, u64),
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let deadline = prop_oneof![3 => Just(None), 1 => (1u64..20_000).prop_map(Some)];
    prop_oneof![
        6 => (0u128..3, any::<usize>(), any::<usize>(), 1u32..500, deadline).prop_map(
            |(tenant, class, model, max_tokens, deadline_ms)| Op::Create {
                tenant,
                class,
                model,
                max_tokens,
                deadline_ms
            }
        ),
        1 => any::<usize>().prop_map(Op::Cancel),
        5 => (any::<usize>(), 0u64..500).prop_map(|(pick, tokens)| Op::Finish(pick, tokens)),
        3 => (0u64..3_000).prop_map(Op::Pass),
    ]
}

/// One to four classes with weights of their own. Each shares the band of the one before it, or has the next.
fn classes() -> impl Strategy<Value = Vec<ClassConfig>> {
    let class = (any::<bool>(), prop_oneof![Just(1u32), Just(3), Just(8)]);
    prop::collection::vec(class, 1..=4).prop_map(|drawn| {
        let names = ["urgent", "soon", "later", "idle"].map(ClassName::named);
        let mut band = 1;
        let classes = drawn.into_iter().zip(names).map(|((apart, weight), name)| {
            band += u32::from(apart);
            ClassConfig {
                name: name.expect("is a name"),
                capacity: 1_000_000,
                weight,
                band,
                ..ClassConfig::batch()
            }
        });
        classes.collect()
    })
}

/// The `pick`-th of some things.
fn picked<T: Copy>(mut things: impl ExactSizeIterator<Item = T>, pick: usize) -> Option<T> {
    let count = things.len();
    (count > 0).then(|| things.nth(pick % count)).flatten()
}

fn shared() -> impl Strategy<Value = Shared> {
    let slots = prop::collection::vec(1usize..4, 1..=3);
    let passed_max = prop_oneof![Just(0u32), 1u32..3_000];
    (2usize..=3, slots, passed_max).prop_map(|(models, slots, passed_max)| Shared {
        models,
        slots,
        passed_max,
    })
}

/// Holds a machine against the oracle, operation by operation. `shared`: its fleet; otherwise one replica.
fn hold(
    ops: Vec<Op>,
    slots: u32,
    classes: &[ClassConfig],
    shared: Option<&Shared>,
) -> Result<(), TestCaseError> {
    let mut config = shared.map_or_else(|| one_pool(1), Shared::config);
    config.ageing_ms = 10_000;
    config.deadline_confidence_permille = 0;
    config.classes = classes.to_vec();
    config.tenant_weights = BTreeMap::from([(TenantId(0), 4), (TenantId(1), 1)]);
    let one = vec![slots as usize];
    let slots_of = shared.map_or(&one, |shared| &shared.slots);
    let mut oracle = Oracle::new(&config, 3, slots_of);
    let mut stage = match shared {
        Some(shared) => shared.stage(config),
        None => Stage::new(config, slots),
    };
    for (task, op) in (0u128..).zip(ops) {
        let started = match op {
            Op::Create {
                tenant,
                class,
                model: number,
                max_tokens,
                deadline_ms,
            } => {
                let number = shared.map_or(0, |shared| number % shared.models);
                let spec = TaskSpec {
                    model_ref: shared.map(|_| model(number)),
                    ..wanting(classes[class % classes.len()].name, max_tokens, deadline_ms)
                };
                oracle.add(stage.now.mono.0, tenant, task, number, &spec);
                stage.create(tenant, task, spec)
            }
            Op::Cancel(pick) => {
                let waits = oracle.waiting.iter().map(|waiter| waiter.task);
                let Some(task) = picked(waits, pick) else {
                    continue;
                };
                oracle.waiting.retain(|waiter| waiter.task != task);
                stage.cancel(task)
            }
            Op::Finish(pick, tokens) => {
                let Some(task) = picked(oracle.running.keys().copied(), pick) else {
                    continue;
                };
                oracle.finish(task, TOKENS_IN + tokens);
                stage.finish(task, tokens)
            }
            Op::Pass(ms) => stage.pass(ms),
        };
        prop_assert_eq!(started, oracle.serve(stage.now.mono.0));
        prop_assert!(oracle.agrees(&stage));
    }
    while let Some(task) = oracle.running.keys().next().copied() {
        oracle.finish(task, TOKENS_IN);
        prop_assert_eq!(stage.finish(task, 0), oracle.serve(stage.now.mono.0));
    }
    prop_assert!(oracle.waiting.is_empty(), "somebody waits for ever");
    prop_assert_eq!(stage.refused, 0);
    Ok(())
}

proptest! {
    /// `PROPTEST_CASES=7000` makes it more than a million operations.
    #[test]
    fn slots_go_to_whom_the_oracle_says(
        ops in prop::collection::vec(op(), 1..300), slots in 1u32..4, classes in classes(),
    ) {
        hold(ops, slots, &classes, None)?;
    }

    /// Nobody who is first in the order is passed over by more than the bound, on any process: the oracle counts.
    #[test]
    fn models_that_share_processes_go_on_within_the_bound_as_the_oracle_says(
        ops in prop::collection::vec(op(), 1..300), classes in classes(), shared in shared(),
    ) {
        hold(ops, 0, &classes, Some(&shared))?;
    }
}

/// Keeps tenants waiting until so many tasks have ended; tokens that each got. A tenant has the given number of
/// tasks waiting at any time, which use up what `used` says.
fn saturate(
    weights: &[(u128, u32)],
    waiting: &[usize],
    tasks: usize,
    used: impl Fn(u128, u64) -> (u32, u64),
) -> BTreeMap<u128, u64> {
    let mut config = one_pool(1);
    config.tenant_weights = weights
        .iter()
        .map(|(tenant, weight)| (TenantId(*tenant), *weight))
        .collect();
    saturate_on(Stage::new(config, 4), weights, waiting, tasks, used)
}

/// The same on a machine that is given, with models by turns where it has several.
fn saturate_on(
    mut stage: Stage,
    weights: &[(u128, u32)],
    waiting: &[usize],
    tasks: usize,
    used: impl Fn(u128, u64) -> (u32, u64),
) -> BTreeMap<u128, u64> {
    let models = stage.machine.config().pools.len();
    let mut queued: BTreeMap<u128, usize> = BTreeMap::new();
    let mut plan: BTreeMap<u128, (u128, u64)> = BTreeMap::new();
    let mut got: BTreeMap<u128, u64> = BTreeMap::new();
    let mut next = 0;
    for turn in 0..tasks {
        for ((tenant, _), most) in weights.iter().zip(waiting) {
            while queued.get(tenant).copied().unwrap_or(0) < *most {
                next += 1;
                let (max_tokens, tokens) = used(*tenant, next);
                let task = u128::from(next);
                plan.insert(task, (*tenant, tokens));
                *queued.entry(*tenant).or_default() += 1;
                let spec = TaskSpec {
                    model_ref: (models > 1).then(|| model(next as usize % models)),
                    ..wanting(ClassName::INTERACTIVE, max_tokens, None)
                };
                let started = stage.create(*tenant, task, spec);
                leave(&mut queued, &plan, &started);
            }
        }
        // They take turns in ending, the shorter and the longer ones.
        let running: Vec<u128> = stage.running.keys().copied().collect();
        let task = running[turn * 7 % running.len()];
        let (tenant, tokens) = plan[&task];
        *got.entry(tenant).or_default() += tokens + TOKENS_IN;
        let started = stage.finish(task, tokens);
        leave(&mut queued, &plan, &started);
    }
    got
}

fn leave(queued: &mut BTreeMap<u128, usize>, plan: &BTreeMap<u128, (u128, u64)>, started: &[u128]) {
    for task in started {
        *queued.get_mut(&plan[task].0).expect("was queued") -= 1;
    }
}

/// Tasks may use up to 500 tokens, and use anything below.
fn uneven(_tenant: u128, task: u64) -> (u32, u64) {
    let mixed = task.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let most = 1 + mixed % 500;
    (u32::try_from(most).expect("is small"), mixed / 500 % most)
}

#[test]
fn weights_of_eight_and_one_get_eight_to_one_of_the_tokens() {
    let got = saturate(&[(1, 8), (2, 1)], &[20, 20], 10_000, uneven);
    let permille = got[&1] * 1_000 / got[&2];
    assert!((7_600..=8_400).contains(&permille), "{got:?}");
}

#[test]
fn weights_get_their_share_with_models_that_take_turns_in_a_process() {
    let shared = Shared {
        models: 2,
        slots: vec![4],
        passed_max: 4_096,
    };
    let mut config = shared.config();
    let weights = [(1, 8), (2, 1)];
    let terms = weights.iter();
    config.tenant_weights = terms
        .map(|(tenant, weight)| (TenantId(*tenant), *weight))
        .collect();
    let got = saturate_on(shared.stage(config), &weights, &[20, 20], 10_000, uneven);
    let permille = got[&1] * 1_000 / got[&2];
    assert!((7_600..=8_400).contains(&permille), "{got:?}");
}

#[test]
fn estimates_that_are_far_off_change_nothing_about_the_shares() {
    // The second tenant asks for ten times what it uses.
    let asks = |tenant: u128, _| (if tenant == 1 { 90 } else { 900 }, 90);
    let got = saturate(&[(1, 1), (2, 1)], &[20, 20], 4_000, asks);
    let even = got[&1] * 1_000 / got[&2];
    assert!((990..=1_010).contains(&even), "{got:?}");
}

#[test]
fn who_sends_a_hundred_times_more_gains_nothing() {
    let got = saturate(&[(1, 1), (2, 1)], &[1_000, 10], 4_000, uneven);
    let permille = got[&1] * 1_000 / got[&2];
    assert!((950..=1_050).contains(&permille), "{got:?}");
}
