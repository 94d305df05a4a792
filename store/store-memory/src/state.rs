//! What is kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::{
    AcceptSeq, AttemptId, BulkId, Epoch, KeyId, PoolName, SessionKey, TaskId,
};
use orchestrator_core::idempotency::IdempotencyRecord;
use orchestrator_core::key::KeyRecord;
use orchestrator_core::queue::PauseRecord;
use orchestrator_core::quota::{QuotaLevels, QuotaRecord, QuotaSubject};
use orchestrator_core::session::SessionRecord;
use orchestrator_core::task::{AttemptRecord, AttemptState, TaskRecord};
use store::{CommitRow, Loaded, TaskBody, TaskPage, TaskQuery, TaskRow, TaskText, state_name};

/// Everything durable.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) epoch: Epoch,
    pub(crate) commit_seq: u64,
    pub(crate) accept_seq: AcceptSeq,
    pub(crate) tasks: BTreeMap<AcceptSeq, StoredTask>,
    pub(crate) task_seqs: HashMap<TaskId, AcceptSeq>,
    pub(crate) attempts: BTreeMap<AttemptId, AttemptRecord>,
    pub(crate) sessions: BTreeMap<SessionKey, SessionRecord>,
    pub(crate) keys: BTreeMap<KeyId, KeyRecord>,
    pub(crate) idempotency: BTreeMap<u64, IdempotencyRecord>,
    pub(crate) quotas: BTreeMap<QuotaSubject, QuotaRecord>,
    pub(crate) quota_levels: BTreeMap<QuotaSubject, QuotaLevels>,
    pub(crate) pauses: BTreeMap<Option<PoolName>, PauseRecord>,
    pub(crate) bulks: BTreeMap<BulkId, BulkRecord>,
    pub(crate) log: Vec<CommitRow>,
}

/// One task with all that hangs on it.
#[derive(Clone, Debug)]
pub(crate) struct StoredTask {
    pub(crate) record: TaskRecord,
    pub(crate) body: Arc<TaskBody>,
    /// Oldest first.
    pub(crate) attempts: Vec<AttemptId>,
    pub(crate) chunks: Vec<Arc<TaskText>>,
    pub(crate) text: Option<Arc<TaskText>>,
}

impl State {
    pub(crate) fn task(&self, task: TaskId) -> Option<&StoredTask> {
        self.tasks.get(self.task_seqs.get(&task)?)
    }

    pub(crate) fn task_mut(&mut self, task: TaskId) -> Option<&mut StoredTask> {
        self.tasks.get_mut(self.task_seqs.get(&task)?)
    }

    pub(crate) fn load(&self) -> Loaded {
        let live = || {
            self.tasks
                .values()
                .filter(|task| !task.record.state.is_final())
        };
        Loaded {
            epoch: self.epoch,
            commit_seq: self.commit_seq,
            accept_seq: self.accept_seq,
            tasks: live().map(|task| task.record.clone()).collect(),
            attempts: live()
                .flat_map(|task| &task.attempts)
                .map(|attempt| &self.attempts[attempt])
                .filter(|attempt| attempt.state == AttemptState::Live)
                .cloned()
                .collect(),
            sessions: self.sessions.values().cloned().collect(),
            keys: self.keys.values().cloned().collect(),
            idempotency: self.idempotency.values().copied().collect(),
            quotas: self.quotas.values().cloned().collect(),
            quota_levels: self.quota_levels.values().copied().collect(),
            pauses: self.pauses.values().cloned().collect(),
            bulks: self.bulks.values().cloned().collect(),
        }
    }

    pub(crate) fn list(&self, query: &TaskQuery) -> TaskPage {
        let mut found = self
            .tasks
            .range(..query.before.unwrap_or(AcceptSeq(u64::MAX)))
            .rev()
            .map(|(_, task)| task)
            .filter(|task| matches(&task.record, query));
        let rows = found
            .by_ref()
            .take(query.limit as usize)
            .map(StoredTask::row)
            .collect();
        TaskPage {
            rows,
            more: found.next().is_some(),
        }
    }
}

impl StoredTask {
    pub(crate) fn row(&self) -> TaskRow {
        TaskRow {
            record: self.record.clone(),
            metadata: self.body.metadata.clone(),
        }
    }

    pub(crate) fn whole_text(&self) -> TaskText {
        if let Some(text) = &self.text {
            return TaskText::clone(text);
        }
        let mut whole = TaskText::default();
        self.chunks.iter().for_each(|chunk| whole.append(chunk));
        whole
    }
}

fn matches(record: &TaskRecord, query: &TaskQuery) -> bool {
    query.tenant.is_none_or(|tenant| record.tenant == tenant)
        && query
            .project
            .is_none_or(|project| record.project == project)
        && query
            .state
            .is_none_or(|state| state_name(record.state) == state)
        && query
            .priority
            .is_none_or(|priority| record.spec.priority == priority)
        && query
            .session
            .is_none_or(|session| record.spec.session == Some(session))
}
