//! The order, written down a second time as a list that is looked through each time.

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::id::TenantId;
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::TaskSpec;

use crate::stage::{Stage, TOKENS_IN};

/// Whose, and of which class.
type FlowOf = (u128, ClassName);

/// What a drawn configuration says of a class: band and weight.
type Terms = BTreeMap<ClassName, (u32, u32)>;

/// A queue as a list, and its order by looking at everything each time.
#[derive(Default)]
pub(crate) struct Oracle {
    ageing_ms: u64,
    classes: Terms,
    weights: BTreeMap<FlowOf, u64>,
    /// Most tokens out of order.
    passed_max: u64,
    processes: Vec<Process>,
    pub(crate) waiting: Vec<Waiter>,
    /// Task, and what it was charged: band, flow, tokens.
    pub(crate) running: BTreeMap<u128, (u32, FlowOf, u64)>,
    /// By band: the clock, and where each flow stands. In tokens over weight, times 2^20.
    accounts: BTreeMap<u32, (u128, BTreeMap<FlowOf, u128>)>,
    accepted: u64,
    /// What went before each task, by process, for as long as it has been the first in the order there.
    passed_over: BTreeMap<(u128, usize), u64>,
}

/// A process that every model can be loaded into, one at a time.
#[derive(Clone, Default)]
pub(crate) struct Process {
    slots: usize,
    running: BTreeSet<u128>,
    holds: Option<usize>,
    passed: u64,
}

#[derive(Clone)]
pub(crate) struct Waiter {
    pub(crate) task: u128,
    model: usize,
    flow: FlowOf,
    accepted: u64,
    deadline: u64,
    due: u64,
    cost: u64,
}

/// Who is served, where, and how: the first in the order, beside one for whom another process is kept, or before it.
struct Service {
    waiter: Waiter,
    process: usize,
    how: How,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    First,
    Beside,
    Before(u128),
}

/// Of a model and a flow the first waits for another process than these.
type Aside = Vec<(usize, FlowOf, Vec<usize>)>;

/// Band, what the flow has had, when it is due, and when it came.
type Key = (u32, u128, u64, u64);

impl Oracle {
    /// Of what a machine with that configuration does, and processes with so many slots.
    pub(crate) fn new(config: &MachineConfig, tenants: u128, slots: &[usize]) -> Self {
        let process = |slots: &usize| Process {
            slots: *slots,
            ..Process::default()
        };
        let mut oracle = Self {
            ageing_ms: config.ageing_ms,
            passed_max: config.policy.model_run_tokens_max.into(),
            processes: slots.iter().map(process).collect(),
            ..Self::default()
        };
        for class in &config.classes {
            oracle
                .classes
                .insert(class.name, (class.band, class.weight));
            for tenant in 0..tenants {
                let weight = config.tenant_weights.get(&TenantId(tenant));
                let weight = u64::from(*weight.unwrap_or(&1)) * u64::from(class.weight);
                oracle.weights.insert((tenant, class.name), weight);
            }
        }
        oracle
    }

    pub(crate) fn add(
        &mut self,
        now: u64,
        tenant: u128,
        task: u128,
        model: usize,
        spec: &TaskSpec,
    ) {
        self.accepted += 1;
        let deadline = spec.deadline_ms.map_or(u64::MAX, |ms| now + ms);
        self.waiting.push(Waiter {
            task,
            model,
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

    pub(crate) fn finish(&mut self, task: u128, used: u64) {
        let (band, flow, charged) = self.running.remove(&task).expect("it runs");
        for process in &mut self.processes {
            process.running.remove(&task);
        }
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

    fn had(&self, now: u64, waiter: &Waiter) -> u128 {
        let account = self.accounts.get(&self.band(now, waiter));
        account.map_or(0, |(clock, stands)| {
            stands.get(&waiter.flow).copied().unwrap_or(*clock)
        })
    }

    fn key(&self, now: u64, waiter: &Waiter) -> Key {
        let band = self.band(now, waiter);
        (band, self.had(now, waiter), waiter.due, waiter.accepted)
    }

    /// The tasks that get the free slots, in order.
    pub(crate) fn serve(&mut self, now: u64) -> Vec<u128> {
        self.waiting.retain(|waiter| waiter.deadline > now);
        let mut served = Vec::new();
        while let Some(service) = self.next(now) {
            served.push(service.waiter.task);
            self.charge(now, &service);
            self.place(&service);
        }
        served
    }

    fn next(&self, now: u64) -> Option<Service> {
        let all = self.processes.iter().enumerate();
        let room = all.filter(|(_, process)| process.running.len() < process.slots);
        let mut open: BTreeSet<usize> = room.map(|(place, _)| place).collect();
        let mut aside = Aside::new();
        loop {
            let could = |waiter: &Waiter, process: usize| {
                let is_aside = aside.iter().any(|(model, flow, processes)| {
                    (*model, *flow) == (waiter.model, waiter.flow) && processes.contains(&process)
                });
                open.contains(&process) && !is_aside
            };
            let somewhere = |waiter: &&Waiter| open.iter().any(|process| could(waiter, *process));
            let waiting = self.waiting.iter().filter(somewhere);
            let head = waiting.min_by_key(|waiter| self.key(now, waiter))?;
            let able: Vec<usize> = open
                .iter()
                .copied()
                .filter(|process| could(head, *process))
                .collect();
            let passing = |process: usize| self.passing(now, head, process, &could);
            let done = |waiter: &Waiter, process: usize, how: How| {
                let mut kept = aside.iter().flat_map(|(.., processes)| processes);
                let is_beside = how == How::First && kept.any(|other| *other == process);
                Some(Service {
                    waiter: waiter.clone(),
                    process,
                    how: if is_beside { How::Beside } else { how },
                })
            };
            let stays = able.iter().filter(|process| {
                self.processes[**process]
                    .holds
                    .is_none_or(|model| model == head.model)
            });
            if let Some(process) = stays.min_by_key(|process| self.rank(**process)) {
                return done(head, *process, How::First);
            }
            let insisting = able.iter().filter(|process| passing(**process).is_none());
            let fewest = insisting
                .min_by_key(|process| (self.processes[**process].running.len(), **process));
            match fewest {
                Some(process) if self.processes[*process].running.is_empty() => {
                    return done(head, *process, How::First);
                }
                Some(process) => {
                    let process = *process;
                    aside.push((head.model, head.flow, able));
                    open.remove(&process);
                }
                None => {
                    let first = able
                        .iter()
                        .filter_map(|process| Some((passing(*process)?, *process)));
                    let key = |(waiter, process): &(&Waiter, usize)| {
                        (self.key(now, waiter), self.rank(*process))
                    };
                    let (waiter, process) = first.min_by_key(key)?;
                    return done(waiter, process, How::Before(head.task));
                }
            }
        }
    }

    /// Of places that are as good otherwise the one with the smallest share of slots taken, then the first by name.
    fn rank(&self, process: usize) -> (bool, usize, usize) {
        let Process {
            running,
            slots,
            holds,
            ..
        } = &self.processes[process];
        (holds.is_none(), running.len() * 1_000_000 / slots, process)
    }

    /// Who may go before the first in the order on a process.
    fn passing(
        &self,
        now: u64,
        head: &Waiter,
        process: usize,
        could: &impl Fn(&Waiter, usize) -> bool,
    ) -> Option<&Waiter> {
        let Process { holds, passed, .. } = self.processes[process];
        let waiting = || self.waiting.iter().filter(|waiter| could(waiter, process));
        let same = waiting().filter(|waiter| Some(waiter.model) == holds);
        let first = same.min_by_key(|waiter| self.key(now, waiter))?;
        let key = self.key(now, first);
        let may = self.band(now, head) == key.0
            && head.deadline == u64::MAX
            && passed + first.cost <= self.passed_max
            && waiting().all(|other| other.due > now || self.key(now, other) >= key);
        may.then_some(first)
    }

    fn charge(&mut self, now: u64, service: &Service) {
        let first = &service.waiter;
        let (band, start) = (self.band(now, first), self.had(now, first));
        // Flows whose head in some model stands in the band.
        let mut heads: BTreeMap<(usize, FlowOf), (u64, u64, u32)> = BTreeMap::new();
        for waiter in &self.waiting {
            let head = (waiter.due, waiter.accepted, self.band(now, waiter));
            let least = heads.entry((waiter.model, waiter.flow)).or_insert(head);
            *least = head.min(*least);
        }
        let heads = heads.into_iter().filter(|(_, head)| head.2 == band);
        let compete: BTreeSet<_> = heads.map(|((_, flow), _)| flow).collect();
        let after = start + self.span(first.flow, first.cost);
        let (clock, stands) = self.accounts.entry(band).or_default();
        for flow in &compete {
            stands.entry(*flow).or_insert(*clock);
        }
        if service.how == How::First {
            *clock = start.max(*clock);
        }
        stands.insert(first.flow, after);
        let clock = *clock;
        stands.retain(|flow, at| *at > clock || compete.contains(flow));
        self.running
            .insert(first.task, (band, first.flow, first.cost));
    }

    fn place(&mut self, service: &Service) {
        let Service {
            waiter,
            process: place,
            how,
        } = service;
        let process = &mut self.processes[*place];
        assert!(process.running.is_empty() || process.holds == Some(waiter.model));
        process.holds = Some(waiter.model);
        process.running.insert(waiter.task);
        match how {
            How::First => {
                process.passed = 0;
                // Nobody who could have had it was before this one, so that none of them was the first.
                self.passed_over.retain(|(_, other), _| other != place);
            }
            How::Beside => {}
            How::Before(head) => {
                process.passed += waiter.cost;
                let over = self.passed_over.entry((*head, *place)).or_default();
                *over += waiter.cost;
                assert!(
                    *over <= self.passed_max,
                    "{over} tokens went before task {head}"
                );
            }
        }
        self.waiting.retain(|other| other.task != waiter.task);
    }
}

impl Oracle {
    /// Does every task run in the process that it is to run in?
    pub(crate) fn agrees(&self, stage: &Stage) -> bool {
        self.processes.iter().enumerate().all(|(place, process)| {
            process.running.iter().all(|task| {
                let replica = stage.places[task].as_str();
                replica.ends_with(&format!("-{place}"))
            })
        })
    }
}
