//! A model of the store: rows in maps, and a panic for every broken guard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::{
    AcceptSeq, AttemptId, BulkId, Epoch, KeyId, PayloadRef, PoolName, SessionKey, TaskId,
};
use orchestrator_core::idempotency::IdempotencyRecord;
use orchestrator_core::key::KeyRecord;
use orchestrator_core::machine::{HardState, Recovered};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::PauseRecord;
use orchestrator_core::quota::{QuotaLevels, QuotaRecord, QuotaSubject};
use orchestrator_core::session::SessionRecord;
use orchestrator_core::task::{AttemptRecord, AttemptState, TaskRecord, TaskState};

/// Everything that was persisted.
#[derive(Clone, Debug, Default)]
pub(crate) struct ModelStore {
    pub(crate) tasks: BTreeMap<TaskId, TaskRecord>,
    pub(crate) attempts: BTreeMap<AttemptId, AttemptRecord>,
    pub(crate) sessions: BTreeMap<SessionKey, SessionRecord>,
    pub(crate) keys: BTreeMap<KeyId, KeyRecord>,
    pub(crate) idempotency: Vec<IdempotencyRecord>,
    pub(crate) quotas: BTreeMap<QuotaSubject, QuotaRecord>,
    pub(crate) quota_levels: BTreeMap<QuotaSubject, QuotaLevels>,
    pub(crate) pauses: BTreeMap<Option<PoolName>, PauseRecord>,
    pub(crate) bulks: BTreeMap<BulkId, BulkRecord>,
    /// Chunks of each task, as `from..to` with what they hold.
    pub(crate) chunks: BTreeMap<TaskId, Vec<(u64, u64, PayloadRef)>>,
    pub(crate) texts: BTreeMap<TaskId, PayloadRef>,
    pub(crate) accept_seq: AcceptSeq,
}

impl ModelStore {
    /// Applies the mutations of one step, all or none (a broken guard ends the test).
    pub(crate) fn commit(&mut self, mutations: &[Mutation]) {
        let mut written = BTreeSet::new();
        for mutation in mutations {
            self.apply(mutation);
            if let Mutation::TaskInsert { record, .. } | Mutation::TaskUpdate(record) = mutation {
                assert!(
                    written.insert(record.id),
                    "{} was written twice in a step",
                    record.id
                );
            }
        }
        for mutation in mutations {
            match mutation {
                Mutation::ChunkAppend { task, to, .. } => {
                    assert_eq!(self.tasks[task].position, *to, "the row follows the chunk");
                }
                Mutation::TextPut { task, .. } => {
                    assert!(
                        self.tasks[task].state.is_final(),
                        "a text is put with the end"
                    );
                }
                _ => {}
            }
        }
    }

    fn apply(&mut self, mutation: &Mutation) {
        match mutation {
            Mutation::AttemptInsert(row) => self.attempt_insert(row),
            Mutation::AttemptUpdate(row) => self.attempt_update(row),
            Mutation::BulkForget(id) => {
                let row = self.bulks.remove(id).expect("no such bulk");
                assert!(row.ended_at.is_some(), "a bulk that runs is forgotten");
            }
            Mutation::BulkPut(row) => self.bulk_put(row),
            Mutation::ChunkAppend {
                task,
                attempt,
                from,
                to,
                chunk,
            } => self.chunk_append((*task, *attempt), (*from, *to), *chunk),
            Mutation::IdempotencyBind(row) => self.idempotency_bind(row),
            Mutation::IdempotencyForget { through } => {
                let before = self.idempotency.len();
                self.idempotency.retain(|kept| kept.number > *through);
                assert!(self.idempotency.len() < before, "nothing was forgotten");
            }
            Mutation::KeyPut(row) => {
                self.keys.insert(row.id, (**row).clone());
            }
            Mutation::PausePut(row) => {
                self.pauses.insert(row.pool.clone(), (**row).clone());
            }
            Mutation::QuotaLevelsPut(row) => {
                self.quota_levels.insert(row.subject, **row);
            }
            Mutation::QuotaPut(row) => {
                let before = self.quotas.insert(row.of.subject(), (**row).clone());
                let before = before.map_or(0, |before| before.revision);
                assert_eq!(row.revision, before + 1, "the revision guard of a quota");
            }
            Mutation::SessionDelete(id) => {
                assert!(
                    self.sessions.remove(id).is_some(),
                    "no such session: {id:?}"
                );
            }
            Mutation::SessionPut(row) => {
                self.sessions.insert(row.key(), (**row).clone());
            }
            Mutation::TaskInsert { record, .. } => {
                assert_eq!(record.revision, 1);
                assert!(record.seq > self.accept_seq, "accept sequences rise");
                self.accept_seq = record.seq;
                let before = self.tasks.insert(record.id, (**record).clone());
                assert!(before.is_none(), "{} exists", record.id);
            }
            Mutation::TaskUpdate(row) => self.task_update(row),
            Mutation::TextPut { task, text } => {
                assert!(
                    !self.tasks[task].state.is_final(),
                    "a text for an ended task"
                );
                let before = self.texts.insert(*task, *text);
                assert!(before.is_none(), "a second text");
                self.chunks.remove(task);
            }
        }
    }

    fn bulk_put(&mut self, row: &BulkRecord) {
        let before = self.bulks.insert(row.id, row.clone());
        let Some(before) = before else {
            return assert_eq!(row.through, self.accept_seq, "it begins with what there is");
        };
        assert!(before.ended_at.is_none(), "a bulk ends once");
        assert!(row.place >= before.place && row.count.changed <= row.count.matched);
        let same = BulkRecord {
            place: row.place,
            count: row.count,
            ended_at: row.ended_at,
            ..before
        };
        assert_eq!(*row, same, "what of a bulk never changes");
    }

    fn chunk_append(
        &mut self,
        (task, attempt): (TaskId, AttemptId),
        (from, to): (u64, u64),
        chunk: PayloadRef,
    ) {
        let row = &self.tasks[&task];
        assert!(!row.state.is_final(), "a chunk for an ended task");
        assert_eq!(row.position, from, "a chunk that does not follow");
        assert!(from < to, "an empty chunk");
        let live = &self.attempts[&attempt];
        assert_eq!((live.task, &live.state), (task, &AttemptState::Live));
        self.chunks.entry(task).or_default().push((from, to, chunk));
    }

    fn idempotency_bind(&mut self, row: &IdempotencyRecord) {
        let newest = self.idempotency.last().map_or(0, |last| last.number);
        assert!(row.number > newest, "numbers rise");
        let known = self.idempotency.iter().any(|kept| kept.key == row.key);
        assert!(!known, "{:?} is bound twice", row.key);
        assert!(self.tasks.contains_key(&row.task), "no such task");
        self.idempotency.push(*row);
    }

    fn attempt_insert(&mut self, row: &AttemptRecord) {
        assert_eq!(row.state, AttemptState::Live);
        let other = self
            .attempts
            .values()
            .find(|other| other.task == row.task && other.state == AttemptState::Live);
        assert!(
            other.is_none(),
            "{} has a live attempt: {other:?}",
            row.task
        );
        let numbers = self
            .attempts
            .values()
            .filter(|other| other.task == row.task)
            .count();
        assert_eq!(
            row.number as usize,
            numbers + 1,
            "attempts are numbered without gaps"
        );
        let before = self.attempts.insert(row.id, row.clone());
        assert!(before.is_none(), "{} was used before", row.id);
        assert!(
            self.tasks.contains_key(&row.task),
            "no such task: {}",
            row.task
        );
    }

    fn attempt_update(&mut self, row: &AttemptRecord) {
        let before = self.attempts.get_mut(&row.id).expect("no such attempt");
        assert_eq!(before.state, AttemptState::Live, "an attempt ends once");
        assert_ne!(row.state, AttemptState::Live);
        assert!(row.ended_at.is_some());
        let fixed = |row: &AttemptRecord| {
            (
                row.id,
                row.task,
                row.number,
                row.replica.clone(),
                row.replica_set,
                row.epoch,
            )
        };
        assert_eq!(fixed(row), fixed(before));
        *before = row.clone();
    }

    fn task_update(&mut self, row: &TaskRecord) {
        let before = self.tasks.get_mut(&row.id).expect("no such task");
        assert_eq!(
            row.revision,
            before.revision + 1,
            "the revision guard of {}",
            row.id
        );
        assert!(!before.state.is_final(), "{} had ended", row.id);
        let fixed = |row: &TaskRecord| {
            (
                row.seq,
                row.fingerprint,
                row.spec.clone(),
                row.accepted_at,
                row.accepted_position,
            )
        };
        assert_eq!(fixed(row), fixed(before));
        assert!(
            row.position >= before.position,
            "durable tokens are never taken back"
        );
        assert!(row.attempts >= before.attempts);
        assert!(before.started.is_none() || row.started == before.started);
        let begun_anew = row.replica_set.is_none() && row.position == 0;
        assert!(
            before.replica_set.is_none() || row.replica_set == before.replica_set || begun_anew
        );
        assert_eq!(row.state.is_final(), row.ended_at.is_some());
        assert_eq!(
            matches!(row.state, TaskState::Waiting(_)),
            row.not_before.is_some()
        );
        assert!(
            !row.state.is_final() || row.end.is_some(),
            "an end says how"
        );
        assert!(!row.state.is_final() || row.attempt.is_none());
        *before = row.clone();
    }

    /// What an owner of this term would load.
    pub(crate) fn load(&self, epoch: Epoch) -> Recovered {
        let state = self.hard_state();
        Recovered {
            epoch,
            accept_seq: state.accept_seq,
            tasks: state.tasks.into_values().collect(),
            attempts: state.attempts.into_values().collect(),
            sessions: state.sessions.into_values().collect(),
            keys: state.keys.into_values().collect(),
            idempotency: state.idempotency,
            quotas: state.quotas.into_values().collect(),
            quota_levels: state.quota_levels.into_values().collect(),
            pauses: state.pauses,
            bulks: state.bulks.into_values().collect(),
        }
    }

    /// The live part.
    pub(crate) fn hard_state(&self) -> HardState {
        let live = |row: &&TaskRecord| !row.state.is_final();
        let tasks = self
            .tasks
            .values()
            .filter(live)
            .map(|row| (row.id, row.clone()));
        let attempts = self
            .attempts
            .values()
            .filter(|row| row.state == AttemptState::Live);
        HardState {
            accept_seq: self.accept_seq,
            tasks: tasks.collect(),
            attempts: attempts.map(|row| (row.id, row.clone())).collect(),
            sessions: self.sessions.clone(),
            keys: self.keys.clone(),
            idempotency: self.idempotency.clone(),
            quotas: self.quotas.clone(),
            quota_levels: self.quota_levels.clone(),
            pauses: self.pauses.values().cloned().collect(),
            bulks: self.bulks.clone(),
        }
    }

    /// The record of a task that has ended, as the owner's prefetch would find it.
    pub(crate) fn cold(&self, task: TaskId) -> Option<Arc<TaskRecord>> {
        self.tasks
            .get(&task)
            .filter(|row| row.state.is_final())
            .cloned()
            .map(Arc::new)
    }
}
