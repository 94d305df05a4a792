//! What was exercised, counted by kind, and what should have been.

mod expected;

pub use expected::{EXCUSED, expected};

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::effect::Effect;
use orchestrator_core::input::{AttemptEnd, Report};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::task::{TaskEnd, TaskFault};
use orchestratord::names::refusal_code;
use orchestratord::owner::Notice;
use orchestratord::stream::Frame;

use crate::plan::Fault;

/// How often each thing was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<String, u64>);

impl Coverage {
    /// Something was seen.
    pub fn note(&mut self, what: &str) {
        match self.0.get_mut(what) {
            Some(times) => *times += 1,
            None => {
                self.0.insert(what.to_owned(), 1);
            }
        }
    }

    /// Adds what another run saw.
    pub fn add(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            *self.0.entry(what.clone()).or_default() += times;
        }
    }

    /// Everything, with how often.
    pub fn rows(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(what, times)| (what.as_str(), *times))
    }

    /// How often something was seen.
    #[must_use]
    pub fn times(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// What should have been exercised and was not, but for what is excused.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        expected()
            .into_iter()
            .filter(|what| self.times(what) == 0)
            .filter(|what| !EXCUSED.iter().any(|(excused, _)| excused == what))
            .collect()
    }

    /// What is excused and was exercised all the same: its excuse is to be taken out.
    #[must_use]
    pub fn needlessly_excused(&self) -> Vec<&'static str> {
        EXCUSED
            .iter()
            .map(|(what, _)| *what)
            .filter(|what| self.times(what) > 0)
            .collect()
    }

    pub(crate) fn fault(&mut self, fault: &Fault) {
        self.note(&format!("fault: {}", fault.kind()));
    }

    pub(crate) fn effect(&mut self, effect: &Effect) {
        self.note(match effect {
            Effect::AttemptCancel { .. } => "effect: AttemptCancel",
            Effect::AttemptStart(order) if order.changes_model => {
                "effect: AttemptStart, with another model"
            }
            Effect::AttemptStart(_) => "effect: AttemptStart",
            Effect::TaskEnded { .. } => "effect: TaskEnded",
            Effect::TaskStarted { .. } => "effect: TaskStarted",
        });
    }

    pub(crate) fn mutation(&mut self, mutation: &Mutation) {
        let name = match mutation {
            Mutation::AttemptInsert(_) => "mutation: AttemptInsert",
            Mutation::AttemptUpdate(_) => "mutation: AttemptUpdate",
            Mutation::BulkForget(_) => "mutation: BulkForget",
            Mutation::BulkPut(_) => "mutation: BulkPut",
            Mutation::ChunkAppend { .. } => "mutation: ChunkAppend",
            Mutation::IdempotencyBind(_) => "mutation: IdempotencyBind",
            Mutation::IdempotencyForget { .. } => "mutation: IdempotencyForget",
            Mutation::KeyPut(_) => "mutation: KeyPut",
            Mutation::PausePut(_) => "mutation: PausePut",
            Mutation::QuotaLevelsPut(_) => "mutation: QuotaLevelsPut",
            Mutation::QuotaPut(_) => "mutation: QuotaPut",
            Mutation::SessionDelete(_) => "mutation: SessionDelete",
            Mutation::SessionPut(row) if row.put.is_some() => {
                "mutation: SessionPut, of one that was put"
            }
            Mutation::SessionPut(_) => "mutation: SessionPut",
            Mutation::TaskInsert { .. } => "mutation: TaskInsert",
            Mutation::TaskUpdate(_) => "mutation: TaskUpdate",
            Mutation::TextPut { .. } => "mutation: TextPut",
        };
        self.note(name);
        if let Mutation::TaskUpdate(row) = mutation
            && let Some(TaskEnd::Failed { fault, .. }) = &row.end
        {
            self.note(&format!("task fault: {fault:?}"));
        }
        if let Mutation::AttemptUpdate(row) = mutation {
            self.note(&format!("attempt end: {:?}", row.state));
        }
    }

    pub(crate) fn report(&mut self, report: &Report) {
        self.note(match report {
            Report::AttemptChunk { .. } => "report: AttemptChunk",
            Report::AttemptEnded {
                end: AttemptEnd::Failed { .. },
                ..
            } => "report: AttemptEnded, failed",
            Report::AttemptEnded { .. } => "report: AttemptEnded, finished",
            Report::AttemptRenewed { .. } => "report: AttemptRenewed",
            Report::AttemptRunning { .. } => "report: AttemptRunning",
            Report::PoolUnavailable { .. } => "report: PoolUnavailable",
            Report::ReadersChanged { .. } => "report: ReadersChanged",
            Report::ReplicaDown { .. } => "report: ReplicaDown",
            Report::ReplicaReady { .. } => "report: ReplicaReady",
        });
    }

    pub(crate) fn refusal(&mut self, refusal: &Refusal) {
        self.note(&format!("refusal: {}", refusal_code(refusal)));
    }

    pub(crate) fn notice(&mut self, notice: &Notice) {
        self.note(match notice {
            Notice::ClassesRetired { .. } => "owner: classes retired",
            Notice::ClassesRetiredOfKeys { .. } => "owner: classes of keys retired",
            Notice::CommitDelayed { .. } => "owner: commit delayed",
            Notice::CommitResolved { applied: true, .. } => "owner: doubt resolved, applied",
            Notice::CommitResolved { .. } => "owner: doubt resolved, not applied",
            Notice::CommitUnknown { .. } => "owner: outcome unknown",
            Notice::PrefetchFailed { .. } => "owner: look-up failed",
            Notice::RecoveryFailed { .. } => "owner: recovery failed",
            Notice::Recovered { .. } => "owner: recovered",
            Notice::SteppedDown { alarm: true, .. } => "owner: stepped down with alarm",
            Notice::SteppedDown { .. } => "owner: stepped down",
        });
    }

    pub(crate) fn frame(&mut self, frame: &Frame) {
        self.note(match frame {
            Frame::Started { .. } => "frame: started",
            Frame::Token { .. } => "frame: token",
            Frame::Metrics(_) => "frame: metrics",
            Frame::Ended {
                end: TaskEnd::Finished { .. },
                ..
            } => "frame: end",
            Frame::Ended { .. } => "frame: error",
            Frame::Diverged { .. } => "frame: diverged",
        });
    }

    pub(crate) fn transitions(&mut self, moves: &BTreeSet<(String, String)>) {
        for (from, to) in moves {
            self.note(&format!("move: {from} -> {to}"));
        }
    }
}

/// Every fault that a task can have.
pub(crate) const TASK_FAULTS: [TaskFault; 11] = [
    TaskFault::ContextExceeded,
    TaskFault::DeadlineUnmet,
    TaskFault::DecodeTimeout,
    TaskFault::EngineRefused,
    TaskFault::Interrupted,
    TaskFault::PoolUnavailable,
    TaskFault::QueueFullDropLru,
    TaskFault::QueueFullShed,
    TaskFault::ReplicaSetGone,
    TaskFault::StreamDiverged,
    TaskFault::WorkerReset,
];
