//! The queue as an onlooker sees it: who waits, since when, and who was dispatched between two looks.

use std::collections::BTreeMap;

use orchestrator_core::id::{AcceptSeq, ModelRef, ReplicaName, TaskId};
use orchestrator_core::machine::Machine;
use orchestrator_core::placement::{ReplicaFacts, ReplicaSetKey};
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{Engine, TaskRecord, TaskState, WaitingFor};
use orchestrator_core::time::{AgeMs, MonoMs, Now};
use store::Loaded;

use super::sight::Sight;

/// A task that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiter {
    pub(super) task: TaskId,
    pub(super) seq: AcceptSeq,
    pub(super) priority: ClassName,
    pub(super) since: AgeMs,
    pub(super) attempts: u32,
    /// When its deadline passes.
    deadline: Option<AgeMs>,
    model: Option<ModelRef>,
    engine: Option<Engine>,
    pinned: Option<ReplicaSetKey>,
    need: u32,
    /// What it is expected to cost, in tokens.
    pub(super) cost: u32,
}

impl Waiter {
    /// `accepted`: when; `since`: when it became eligible.
    fn of(row: &TaskRecord, accepted: AgeMs, since: AgeMs) -> Self {
        let least = row.spec.prompt.tokens_least.saturating_add(1);
        Self {
            task: row.id,
            seq: row.seq,
            priority: row.spec.priority,
            since,
            attempts: row.attempts,
            deadline: row.spec.deadline_ms.map(|ms| accepted.after(ms)),
            model: row.spec.model_ref.clone(),
            engine: row.spec.engine,
            pinned: row.replica_set,
            need: u32::try_from(least)
                .unwrap_or(u32::MAX)
                .max(row.spec.ctx.unwrap_or(0)),
            cost: row.spec.cost(),
        }
    }

    /// When it is due, with an ageing bound, on the machine's monotonic clock: at its deadline, or at the bound if
    /// that is sooner.
    pub(super) fn due(&self, ageing_ms: u64) -> i64 {
        let aged = self.since.after(ageing_ms);
        self.deadline.map_or(aged, |at| at.min(aged)).0
    }

    /// Is it due?
    pub(super) fn is_due(&self, ageing_ms: u64, now: MonoMs) -> bool {
        self.due(ageing_ms) <= i64::try_from(now.0).unwrap_or(i64::MAX)
    }

    /// Does it have a deadline?
    pub(super) fn has_deadline(&self) -> bool {
        self.deadline.is_some()
    }

    /// Could it have run there?
    pub(super) fn fits(&self, facts: &ReplicaFacts) -> bool {
        self.model
            .as_ref()
            .is_none_or(|model| *model == facts.model_ref)
            && self.engine.is_none_or(|engine| engine == facts.engine)
            && self.pinned.is_none_or(|set| set == facts.set_key())
            && self.need <= facts.ctx
    }
}

/// What one look showed that the one before did not.
pub(super) struct Looked {
    /// Tasks that were dispatched, each with the replica that took it.
    pub(super) dispatched: Vec<(Waiter, ReplicaFacts)>,
    /// Tasks that waited before and still do, as they stood before: one that may run in more places by now may have
    /// come to that after the dispatch.
    pub(super) waiting: Vec<Waiter>,
}

/// One term's queue.
#[derive(Debug, Default)]
struct Term {
    life: u64,
    /// When each was accepted.
    accepted: BTreeMap<TaskId, AgeMs>,
    /// When each became eligible.
    since: BTreeMap<TaskId, AgeMs>,
    queued: BTreeMap<TaskId, Waiter>,
    attempts: BTreeMap<TaskId, u32>,
}

/// The queues of all daemons.
#[derive(Debug, Default)]
pub(super) struct QueueView {
    terms: BTreeMap<usize, Term>,
}

impl QueueView {
    /// Looks once more; what changed, where a dispatch did.
    pub(super) fn look(&mut self, sight: &Sight<'_>) -> Option<Looked> {
        match sight {
            Sight::Term {
                daemon,
                life,
                now,
                loaded,
            } => {
                self.terms.insert(*daemon, Term::begin(*life, *now, loaded));
                None
            }
            Sight::Machine {
                daemon,
                life,
                now,
                machine,
                ..
            } => {
                let term = self.terms.get_mut(daemon)?;
                (term.life == *life).then(|| term.look(*now, machine))
            }
            _ => None,
        }
    }
}

impl Term {
    fn begin(life: u64, now: Now, loaded: &Loaded) -> Self {
        let mut term = Self {
            life,
            ..Self::default()
        };
        // Age never falls as the sequence rises, whatever the wall clock did.
        let mut youngest = AgeMs(i64::MIN);
        let mut rows: Vec<_> = loaded.tasks.iter().collect();
        rows.sort_by_key(|row| row.seq);
        for row in rows {
            youngest = youngest.max(AgeMs::of_wall(now, row.accepted_at));
            term.accepted.insert(row.id, youngest);
            let since = row
                .scheduled_at()
                .map_or(youngest, |at| AgeMs::of_wall(now, at));
            if !is_early(row) {
                term.since.insert(row.id, since);
            }
            term.attempts.insert(row.id, row.attempts);
            if row.state == TaskState::Queued {
                term.queued.insert(row.id, Waiter::of(row, youngest, since));
            }
        }
        term
    }

    fn look(&mut self, now: Now, machine: &Machine) -> Looked {
        let mut before = std::mem::take(&mut self.queued);
        let mut dispatched = Vec::new();
        let mut waiting = Vec::new();
        for row in machine.records() {
            let accepted = *self.accepted.entry(row.id).or_insert(AgeMs::at(now.mono));
            if is_early(row) {
                continue;
            }
            let eligible = || {
                row.scheduled_at()
                    .map_or(accepted, |at| AgeMs::of_wall(now, at))
            };
            let since = *self.since.entry(row.id).or_insert_with(eligible);
            let attempts = self.attempts.insert(row.id, row.attempts).unwrap_or(0);
            if row.state == TaskState::Queued {
                let waited = before.remove(&row.id);
                waiting.extend(waited.filter(|one| one.attempts == row.attempts));
                self.queued.insert(row.id, Waiter::of(row, accepted, since));
            }
            if row.attempts == attempts + 1
                && let Some(head) = &row.attempt
                && let Some(facts) = facts_of(machine, &head.replica)
            {
                // As it stood when it was chosen: what it was pinned to by then is not to be told any more.
                dispatched.push((Waiter::of(row, accepted, since), facts));
            }
        }
        if dispatched.is_empty() {
            waiting.clear();
        }
        self.accepted.retain(|task, _| machine.is_live(*task));
        self.since.retain(|task, _| machine.is_live(*task));
        self.attempts.retain(|task, _| machine.is_live(*task));
        Looked {
            dispatched,
            waiting,
        }
    }
}

/// Does it wait for its time?
fn is_early(row: &TaskRecord) -> bool {
    row.state == TaskState::Waiting(WaitingFor::Time)
}

fn facts_of(machine: &Machine, replica: &ReplicaName) -> Option<ReplicaFacts> {
    machine
        .pools()
        .into_iter()
        .flat_map(|pool| pool.replicas)
        .find(|one| one.name == *replica)
        .and_then(|one| one.facts)
}
