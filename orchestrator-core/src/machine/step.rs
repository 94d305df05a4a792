//! What one step has done so far, and how it becomes outputs: each row once, in the order of the guards.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::effect::Effect;
use crate::id::{AttemptId, BulkId, PayloadRef, ReplyToken, SessionKey, TaskId};
use crate::idempotency::IdempotencyRecord;
use crate::key::KeyRecord;
use crate::machine::driver::{MUTATIONS_PER_STEP_MAX, Machine, Output};
use crate::mutation::Mutation;
use crate::queue::PauseRecord;
use crate::quota::{QuotaRecord, QuotaSubject};
use crate::reply::Reply;
use crate::task::{AttemptRecord, TaskRecord};

/// An answer that may show a record as it is at the end of the step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// The bulk has begun, now or before.
    Bulk(BulkId),
    /// Known already.
    Ready(Reply),
    /// The task was cancelled, or had ended.
    Cancelled(TaskId),
    /// The task was accepted.
    Created { task: TaskId, replayed: bool },
    /// The task was to be taken back into the queue.
    Requeued(TaskId),
}

impl Answer {
    /// The task that was accepted, now or before.
    pub(crate) fn created(&self) -> Option<TaskId> {
        match self {
            Self::Created { task, .. } => Some(*task),
            Self::Ready(Reply::TaskCreated { record, .. }) => Some(record.id),
            Self::Ready(_) | Self::Bulk(_) | Self::Cancelled(_) | Self::Requeued(_) => None,
        }
    }
}

/// An effect that may show a record as it is at the end of the step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    /// Known already.
    Ready(Effect),
    /// The task has ended.
    Ended(TaskId),
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Step {
    pub(crate) inserted: Option<(TaskId, PayloadRef)>,
    pub(crate) chunk: Option<Mutation>,
    pub(crate) attempts_ended: Vec<AttemptRecord>,
    pub(crate) attempts_begun: Vec<AttemptId>,
    pub(crate) text: Option<Mutation>,
    /// Tasks whose row changed, in the order of the first change.
    pub(crate) tasks: Vec<TaskId>,
    pub(crate) sessions: BTreeSet<SessionKey>,
    pub(crate) keys: Vec<Arc<KeyRecord>>,
    pub(crate) bound: Option<IdempotencyRecord>,
    /// Number of the newest idempotency key that was forgotten.
    pub(crate) forgotten: Option<u64>,
    pub(crate) quotas: Vec<Arc<QuotaRecord>>,
    pub(crate) quota_levels: BTreeSet<QuotaSubject>,
    pub(crate) pauses: Vec<PauseRecord>,
    pub(crate) bulk_forgotten: Option<BulkId>,
    pub(crate) bulks: BTreeSet<BulkId>,
    pub(crate) replies: Vec<(ReplyToken, Answer)>,
    pub(crate) deeds: Vec<Deed>,
}

impl Step {
    /// A task's row has changed.
    pub(crate) fn touch(&mut self, task: TaskId) {
        if !self.tasks.contains(&task) {
            self.tasks.push(task);
        }
    }
}

/// Rows that changed, each shared with what its mutation and its reply will have.
type Rows = Vec<Arc<TaskRecord>>;

impl Machine {
    /// Ends a step: its mutations, then its replies, then its effects.
    pub(super) fn flush(&mut self) {
        let mut step = std::mem::take(&mut self.step);
        let before = self.outputs.len();
        let rows = self.rows(std::mem::take(&mut step.tasks));
        let ended = rows.iter().filter(|row| row.state.is_final());
        let ended: Vec<_> = ended.map(|row| row.id).collect();
        self.flush_rows(&step, rows);
        self.flush_bulks(&step);
        let mutations = self.outputs.len() - before;
        debug_assert!(
            mutations <= MUTATIONS_PER_STEP_MAX,
            "{mutations} mutations in one step"
        );
        for (token, answer) in step.replies {
            if let Some(reply) = self.answer(answer) {
                self.outputs.push_back(Output::Reply(token, reply));
            }
        }
        for deed in step.deeds {
            if let Some(effect) = self.deed(deed) {
                self.outputs.push_back(Output::Effect(effect));
            }
        }
        for task in ended {
            self.tasks.remove(&task);
        }
    }

    /// The rows that changed, at their new revisions.
    fn rows(&mut self, changed: Vec<TaskId>) -> Rows {
        let row = |task| {
            let live = self.tasks.get_mut(&task)?;
            Arc::make_mut(&mut live.record).revision += 1;
            Some(Arc::clone(&live.record))
        };
        changed.into_iter().filter_map(row).collect()
    }

    fn flush_rows(&mut self, step: &Step, mut rows: Rows) {
        let mut persist = |mutation| self.outputs.push_back(Output::Persist(mutation));
        if let Some((task, body)) = step.inserted
            && let Some(at) = rows.iter().position(|row| row.id == task)
        {
            let record = rows.remove(at);
            persist(Mutation::TaskInsert { record, body });
        }
        if let Some(chunk) = &step.chunk {
            persist(chunk.clone());
        }
        for record in &step.attempts_ended {
            persist(Mutation::AttemptUpdate(Box::new(record.clone())));
        }
        for attempt in &step.attempts_begun {
            if let Some(live) = self.attempts.get(attempt) {
                persist(Mutation::AttemptInsert(Box::new(live.record.clone())));
            }
        }
        if let Some(text) = &step.text {
            persist(text.clone());
        }
        for record in rows {
            persist(Mutation::TaskUpdate(record));
        }
        for session in &step.sessions {
            persist(match self.sessions.row(*session) {
                Some(record) => Mutation::SessionPut(Box::new(record.clone())),
                None => Mutation::SessionDelete(*session),
            });
        }
        for record in &step.keys {
            persist(Mutation::KeyPut(Box::new(KeyRecord::clone(record))));
        }
        if let Some(record) = step.bound {
            persist(Mutation::IdempotencyBind(record));
        }
        if let Some(through) = step.forgotten {
            persist(Mutation::IdempotencyForget { through });
        }
        for record in &step.quotas {
            persist(Mutation::QuotaPut(Box::new(QuotaRecord::clone(record))));
        }
        for subject in &step.quota_levels {
            let levels = Box::new(self.quotas.levels(*subject));
            persist(Mutation::QuotaLevelsPut(levels));
        }
        for record in &step.pauses {
            persist(Mutation::PausePut(Box::new(record.clone())));
        }
    }

    fn flush_bulks(&mut self, step: &Step) {
        let gone = step.bulk_forgotten.map(Mutation::BulkForget);
        let rows = step.bulks.iter().filter_map(|bulk| self.bulk_row(*bulk));
        let mutations = gone.into_iter().chain(rows.map(Mutation::BulkPut));
        let outputs: Vec<_> = mutations.map(Output::Persist).collect();
        self.outputs.extend(outputs);
    }

    fn answer(&self, answer: Answer) -> Option<Reply> {
        let row = |task| {
            let live = self.tasks.get(&task)?;
            Some(Arc::clone(&live.record))
        };
        match answer {
            Answer::Ready(reply) => Some(reply),
            Answer::Bulk(bulk) => self.bulk_row(bulk).map(Reply::BulkBegun),
            Answer::Cancelled(task) => row(task).map(Reply::TaskCancelled),
            Answer::Requeued(task) => row(task).map(Reply::TaskRequeued),
            Answer::Created { task, replayed } => {
                row(task).map(|record| Reply::TaskCreated { record, replayed })
            }
        }
    }

    fn deed(&self, deed: Deed) -> Option<Effect> {
        match deed {
            Deed::Ready(effect) => Some(effect),
            Deed::Ended(task) => Effect::task_ended(&self.tasks.get(&task)?.record),
        }
    }
}
