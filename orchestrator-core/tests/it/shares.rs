//! Who gets how much: an oracle of the order that is written down a second time, and what tenants end up with.

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::effect::Effect;
use orchestrator_core::id::{
    AttemptId, Digest, PayloadRef, PrincipalId, ProjectId, ReplyToken, TaskId, TenantId,
};
use orchestrator_core::input::{Ask, AttemptEnd, Command, Input, Report, TaskCreate};
use orchestrator_core::machine::{Machine, MachineConfig, Output};
use orchestrator_core::queue::{ClassConfig, ClassName};
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskSpec};
use orchestrator_core::time::{MonoMs, Now, WallMs};
use proptest::prelude::*;

use crate::rig::{Seeded, facts, one_pool, spec};

/// A machine with one replica, without a store: what is started and what ends.
pub(crate) struct Stage {
    pub(crate) machine: Machine,
    now: Now,
    entropy: Seeded,
    minted: u64,
    /// Attempts under way, by task.
    running: BTreeMap<u128, AttemptId>,
    refused: u64,
}

impl Stage {
    pub(crate) fn new(mut config: MachineConfig, slots: u32) -> Self {
        for class in &mut config.classes {
            class.capacity = 1_000_000;
        }
        config.lease_ttl_ms = u64::MAX / 4;
        let mut stage = Self {
            machine: Machine::new(config),
            now: Now {
                mono: MonoMs(1_000_000_000),
                wall: WallMs(1_700_000_000_000),
            },
            entropy: Seeded::default(),
            minted: 0,
            running: BTreeMap::new(),
            refused: 0,
        };
        let facts = Box::new(facts("default-0", slots));
        stage.step(Input::Report(Report::ReplicaReady { facts }));
        stage
    }

    fn mint(&mut self) -> u64 {
        self.minted += 1;
        self.minted
    }

    /// Steps until there is nothing left to do now; the tasks that were started, in order.
    fn step(&mut self, input: Input) -> Vec<u128> {
        let mut started = Vec::new();
        let mut input = Some(input);
        while let Some(next) = input {
            self.machine.step(self.now, &mut self.entropy, next);
            while let Some(output) = self.machine.poll() {
                match output {
                    Output::Effect(Effect::AttemptStart(order)) => {
                        started.push(order.task.0);
                        self.running.insert(order.task.0, order.attempt);
                    }
                    Output::Reply(_, Reply::TaskRefused(_)) => self.refused += 1,
                    _ => {}
                }
            }
            let due = self
                .machine
                .next_wake()
                .is_some_and(|at| at <= self.now.mono);
            input = due.then_some(Input::Tick);
        }
        started
    }

    fn ask(&mut self, ask: Ask) -> Vec<u128> {
        let reply = ReplyToken(self.mint());
        self.step(Input::Command(Command { reply, ask }))
    }

    pub(crate) fn create(&mut self, tenant: u128, task: u128, spec: TaskSpec) -> Vec<u128> {
        let body = PayloadRef(self.mint());
        let create = TaskCreate {
            id: TaskId(task),
            fresh: true,
            tenant: TenantId(tenant),
            project: ProjectId::DEFAULT,
            created_by: PrincipalId::SYSTEM,
            fingerprint: Digest([0; 32]),
            key: None,
            spec,
            budget: None,
            body,
        };
        self.ask(Ask::TaskCreate {
            create: Box::new(create),
            cold: None,
        })
    }

    fn cancel(&mut self, task: u128) -> Vec<u128> {
        let task = TaskId(task);
        self.ask(Ask::TaskCancel { task, cold: None })
    }

    pub(crate) fn finish(&mut self, task: u128, tokens_out: u64) -> Vec<u128> {
        let text = PayloadRef(self.mint());
        let attempt = self.running.remove(&task).expect("it runs");
        self.step(Input::Report(Report::AttemptEnded {
            attempt,
            end: AttemptEnd::Finished {
                finish: FinishReason::Stop,
                tokens_in: TOKENS_IN,
                tokens_out,
                decode_ms: 1,
                first_token_ms: Some(1),
                text,
            },
        }))
    }

    pub(crate) fn pass(&mut self, ms: u64) -> Vec<u128> {
        self.now.mono = self.now.mono + ms;
        self.now.wall = self.now.wall + ms;
        self.step(Input::Tick)
    }
}

/// Tokens of every prompt, as estimated and as counted.
const TOKENS_IN: u64 = 10;

fn wanting(priority: ClassName, max_tokens: u32, deadline_ms: Option<u64>) -> TaskSpec {
    TaskSpec {
        priority,
        max_tokens,
        deadline_ms,
        ..spec()
    }
}

/// Whose, and of which class.
type FlowOf = (u128, ClassName);

/// What a drawn configuration says of a class: band and weight.
type Terms = BTreeMap<ClassName, (u32, u32)>;

/// A queue as a list, and its order by looking at everything each time.
#[derive(Default)]
struct Oracle {
    ageing_ms: u64,
    slots: usize,
    classes: Terms,
    weights: BTreeMap<FlowOf, u64>,
    waiting: Vec<Waiter>,
    /// Task, and what it was charged: band, flow, tokens.
    running: BTreeMap<u128, (u32, FlowOf, u64)>,
    /// By band: the clock, and where each flow stands. In tokens over weight, times 2^20.
    accounts: BTreeMap<u32, (u128, BTreeMap<FlowOf, u128>)>,
    accepted: u64,
}

#[derive(Clone)]
struct Waiter {
    task: u128,
    flow: FlowOf,
    accepted: u64,
    deadline: u64,
    due: u64,
    cost: u64,
}

impl Oracle {
    fn add(&mut self, now: u64, tenant: u128, task: u128, spec: &TaskSpec) {
        self.accepted += 1;
        let deadline = spec.deadline_ms.map_or(u64::MAX, |ms| now + ms);
        self.waiting.push(Waiter {
            task,
            flow: (tenant, spec.priority),
            accepted: self.accepted,
            deadline,
            due: deadline.min(now + self.ageing_ms),
            cost: TOKENS_IN + u64::from(spec.max_tokens),
        });
    }

    fn span(&self, flow: FlowOf, tokens: u64) -> u128 {
        u128::from(tokens) * (1 << 20) / u128::from(self.weights[&flow])
    }

    fn finish(&mut self, task: u128, used: u64) {
        let (band, flow, charged) = self.running.remove(&task).expect("it runs");
        let (used, charged) = (self.span(flow, used), self.span(flow, charged));
        let (_, stands) = self.accounts.get_mut(&band).expect("was charged");
        if let Some(at) = stands.get_mut(&flow) {
            *at = (*at + used).saturating_sub(charged);
        }
    }

    /// The band that a task is served in: that of its class, or the first there is once it is due.
    fn band(&self, now: u64, waiter: &Waiter) -> u32 {
        let first = self.classes.values().map(|(band, _)| *band).min();
        let (own, _) = self.classes[&waiter.flow.1];
        if waiter.due > now {
            own
        } else {
            first.expect("there is a class")
        }
    }

    /// The tasks that get the free slots, in order.
    fn serve(&mut self, now: u64) -> Vec<u128> {
        self.waiting.retain(|waiter| waiter.deadline > now);
        let mut served = Vec::new();
        while self.running.len() < self.slots && !self.waiting.is_empty() {
            let band_of = |waiter: &Waiter| self.band(now, waiter);
            let had = |waiter: &Waiter| {
                let account = self.accounts.get(&band_of(waiter));
                account.map_or(0, |(clock, stands)| {
                    stands.get(&waiter.flow).copied().unwrap_or(*clock)
                })
            };
            let key = |waiter: &Waiter| (band_of(waiter), had(waiter), waiter.due, waiter.accepted);
            let first = self.waiting.iter().min_by_key(|waiter| key(waiter));
            let first = first.expect("somebody waits").clone();
            let (band, start) = (band_of(&first), had(&first));
            // Flows whose head stands in the band.
            let mut heads: BTreeMap<FlowOf, (u64, u64, u32)> = BTreeMap::new();
            for waiter in &self.waiting {
                let head = (waiter.due, waiter.accepted, band_of(waiter));
                let least = heads.entry(waiter.flow).or_insert(head);
                *least = head.min(*least);
            }
            let compete: BTreeSet<_> = heads
                .into_iter()
                .filter(|(_, head)| head.2 == band)
                .map(|(flow, _)| flow)
                .collect();
            let after = start + self.span(first.flow, first.cost);
            let (clock, stands) = self.accounts.entry(band).or_default();
            for flow in &compete {
                stands.entry(*flow).or_insert(*clock);
            }
            *clock = start.max(*clock);
            stands.insert(first.flow, after);
            let clock = *clock;
            stands.retain(|flow, at| *at > clock || compete.contains(flow));
            self.running
                .insert(first.task, (band, first.flow, first.cost));
            self.waiting.retain(|waiter| waiter.task != first.task);
            served.push(first.task);
        }
        served
    }
}

#[derive(Clone, Debug)]
enum Op {
    Create {
        tenant: u128,
        /// Which of the classes there are.
        class: usize,
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
        6 => (0u128..3, any::<usize>(), 1u32..500, deadline).prop_map(
            |(tenant, class, max_tokens, deadline_ms)| Op::Create {
                tenant,
                class,
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

proptest! {
    /// `PROPTEST_CASES=7000` makes it more than a million operations.
    #[test]
    fn slots_go_to_whom_the_oracle_says(
        ops in prop::collection::vec(op(), 1..300), slots in 1u32..4, classes in classes(),
    ) {
        let mut config = one_pool(1);
        config.ageing_ms = 10_000;
        config.deadline_confidence_permille = 0;
        config.classes.clone_from(&classes);
        config.tenant_weights = BTreeMap::from([(TenantId(0), 4), (TenantId(1), 1)]);
        let mut oracle = Oracle {
            ageing_ms: config.ageing_ms,
            slots: slots as usize,
            classes: classes.iter().map(|class| (class.name, (class.band, class.weight))).collect(),
            ..Oracle::default()
        };
        for (tenant, weight) in [(0, 4), (1, 1), (2, 1)] {
            for class in &classes {
                oracle.weights.insert((tenant, class.name), weight * u64::from(class.weight));
            }
        }
        let mut stage = Stage::new(config, slots);
        for (task, op) in (0u128..).zip(ops) {
            let started = match op {
                Op::Create { tenant, class, max_tokens, deadline_ms } => {
                    let spec = wanting(classes[class % classes.len()].name, max_tokens, deadline_ms);
                    oracle.add(stage.now.mono.0, tenant, task, &spec);
                    stage.create(tenant, task, spec)
                }
                Op::Cancel(pick) => {
                    let waits = oracle.waiting.iter().map(|waiter| waiter.task);
                    let Some(task) = picked(waits, pick) else { continue };
                    oracle.waiting.retain(|waiter| waiter.task != task);
                    stage.cancel(task)
                }
                Op::Finish(pick, tokens) => {
                    let Some(task) = picked(oracle.running.keys().copied(), pick) else { continue };
                    oracle.finish(task, TOKENS_IN + tokens);
                    stage.finish(task, tokens)
                }
                Op::Pass(ms) => stage.pass(ms),
            };
            prop_assert_eq!(started, oracle.serve(stage.now.mono.0));
        }
        prop_assert_eq!(stage.refused, 0);
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
    let mut stage = Stage::new(config, 4);
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
                let started = stage.create(
                    *tenant,
                    task,
                    wanting(ClassName::INTERACTIVE, max_tokens, None),
                );
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
