//! Mutations with their guards, all or none.

use std::collections::BTreeMap;
use std::sync::Arc;

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::{
    AcceptSeq, AttemptId, BulkId, KeyId, PayloadRef, PoolName, SessionKey, TaskId,
};
use orchestrator_core::idempotency::IdempotencyRecord;
use orchestrator_core::key::KeyRecord;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::PauseRecord;
use orchestrator_core::quota::{QuotaLevels, QuotaRecord, QuotaSubject};
use orchestrator_core::session::SessionRecord;
use orchestrator_core::task::{AttemptRecord, AttemptState, Sampling, TaskRecord, TaskState};
use store::{Commit, CommitError, CommitRow};

use crate::state::{State, StoredTask};

/// How to take one mutation back.
pub(crate) enum Undo {
    Attempt(AttemptId, Option<Box<AttemptRecord>>),
    Bulk(BulkId, Option<Box<BulkRecord>>),
    /// Numbers to take out, and rows to put back.
    Idempotency(Option<u64>, BTreeMap<u64, IdempotencyRecord>),
    Key(KeyId, Option<Box<KeyRecord>>),
    Pause(Option<PoolName>, Option<Box<PauseRecord>>),
    Quota(QuotaSubject, Option<Box<QuotaRecord>>),
    QuotaLevels(QuotaSubject, Option<QuotaLevels>),
    Session(SessionKey, Option<Box<SessionRecord>>),
    Task(AcceptSeq, TaskId, Option<Box<StoredTask>>),
}

impl State {
    /// Applies a commit whole, or leaves everything as it was.
    pub(crate) fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        if commit.epoch != self.epoch || commit.commit_seq != self.commit_seq + 1 {
            return Err(CommitError::Fenced(format!(
                "commit {} of term {} meets commit {} of term {}",
                commit.commit_seq, commit.epoch.0, self.commit_seq, self.epoch.0
            )));
        }
        let accept_seq = self.accept_seq;
        let mut undo = Vec::new();
        for mutation in &commit.mutations {
            if let Err(error) = self.apply(commit, mutation, &mut undo) {
                undo.into_iter().rev().for_each(|step| self.take_back(step));
                self.accept_seq = accept_seq;
                return Err(error);
            }
        }
        self.commit_seq = commit.commit_seq;
        self.log.push(CommitRow {
            commit_seq: commit.commit_seq,
            epoch: commit.epoch,
            at: commit.at,
            events: commit.events.clone(),
        });
        Ok(())
    }

    fn apply(
        &mut self,
        commit: &Commit,
        mutation: &Mutation,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        match mutation {
            Mutation::AttemptInsert(record) => self.attempt_insert(record, undo),
            Mutation::AttemptUpdate(record) => self.attempt_update(record, undo),
            Mutation::BulkForget(bulk) => self.bulk_forget(*bulk, undo),
            Mutation::BulkPut(record) => self.bulk_put(record, undo),
            Mutation::ChunkAppend {
                task,
                attempt,
                from,
                to,
                chunk,
            } => self.chunk_append(commit, (*task, *attempt), (*from, *to), *chunk, undo),
            Mutation::IdempotencyBind(record) => self.idempotency_bind(record, undo),
            Mutation::IdempotencyForget { through } => self.idempotency_forget(*through, undo),
            Mutation::KeyPut(record) => self.key_put(record, undo),
            Mutation::PausePut(record) => {
                let pool = &record.pool;
                let before = self.pauses.insert(pool.clone(), PauseRecord::clone(record));
                undo.push(Undo::Pause(pool.clone(), before.map(Box::new)));
                Ok(())
            }
            Mutation::QuotaLevelsPut(levels) => {
                let before = self.quota_levels.insert(levels.subject, **levels);
                undo.push(Undo::QuotaLevels(levels.subject, before));
                Ok(())
            }
            Mutation::QuotaPut(record) => self.quota_put(record, undo),
            Mutation::SessionDelete(session) => {
                let before = self.sessions.remove(session).ok_or_else(|| {
                    broken(format!(
                        "session {} to delete does not exist",
                        session.session
                    ))
                })?;
                undo.push(Undo::Session(*session, Some(Box::new(before))));
                Ok(())
            }
            Mutation::SessionPut(record) => {
                let before = self
                    .sessions
                    .insert(record.key(), SessionRecord::clone(record));
                undo.push(Undo::Session(record.key(), before.map(Box::new)));
                Ok(())
            }
            Mutation::TaskInsert { record, body } => self.task_insert(commit, record, *body, undo),
            Mutation::TaskUpdate(record) => self.task_update(record, undo),
            Mutation::TextPut { task, text } => self.text_put(commit, *task, *text, undo),
        }
    }

    fn idempotency_bind(
        &mut self,
        record: &IdempotencyRecord,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let newest = self.idempotency.last_key_value().map(|(number, _)| *number);
        if newest >= Some(record.number) {
            return Err(broken(format!(
                "idempotency key {} does not come last",
                record.number
            )));
        }
        self.idempotency.insert(record.number, *record);
        undo.push(Undo::Idempotency(Some(record.number), BTreeMap::new()));
        Ok(())
    }

    fn idempotency_forget(
        &mut self,
        through: u64,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let kept = match through.checked_add(1) {
            Some(next) => self.idempotency.split_off(&next),
            None => BTreeMap::new(),
        };
        let gone = std::mem::replace(&mut self.idempotency, kept);
        if gone.is_empty() {
            return Err(broken(format!(
                "there is no idempotency key up to number {through}"
            )));
        }
        undo.push(Undo::Idempotency(None, gone));
        Ok(())
    }

    fn attempt_insert(
        &mut self,
        record: &AttemptRecord,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        if self.attempts.contains_key(&record.id) {
            return Err(broken(format!("attempt {} exists already", record.id)));
        }
        let numbers = self
            .task(record.task)
            .ok_or_else(|| {
                broken(format!(
                    "task {} of attempt {} does not exist",
                    record.task, record.id
                ))
            })?
            .attempts
            .iter()
            .map(|attempt| self.attempts[attempt].number);
        if numbers.max() >= Some(record.number) {
            return Err(broken(format!(
                "attempt {} of task {} is out of order",
                record.number, record.task
            )));
        }
        self.remember(record.task, undo)?.attempts.push(record.id);
        self.attempts.insert(record.id, record.clone());
        undo.push(Undo::Attempt(record.id, None));
        Ok(())
    }

    fn attempt_update(
        &mut self,
        record: &AttemptRecord,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        match self.attempts.get_mut(&record.id) {
            Some(kept) if kept.state == AttemptState::Live && kept.task == record.task => {
                let before = std::mem::replace(kept, record.clone());
                undo.push(Undo::Attempt(record.id, Some(Box::new(before))));
                Ok(())
            }
            _ => Err(broken(format!(
                "attempt {} of task {} is not live",
                record.id, record.task
            ))),
        }
    }

    fn chunk_append(
        &mut self,
        commit: &Commit,
        (task, attempt): (TaskId, AttemptId),
        (from, to): (u64, u64),
        chunk: PayloadRef,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let text = commit.chunk(chunk, from, to)?;
        let live = self
            .attempts
            .get(&attempt)
            .is_some_and(|kept| kept.task == task && kept.state == AttemptState::Live);
        if !live {
            return Err(broken(format!(
                "attempt {attempt} of task {task} is not live"
            )));
        }
        let kept = self.remember(task, undo)?;
        let appended: u64 = kept.chunks.iter().map(|chunk| chunk.tokens()).sum();
        if kept.text.is_some() || kept.record.position != from || appended != from {
            return Err(broken(format!(
                "tokens {from} to {to} of task {task} do not follow its text"
            )));
        }
        kept.chunks.push(Arc::new(text.clone()));
        Ok(())
    }

    fn task_insert(
        &mut self,
        commit: &Commit,
        record: &TaskRecord,
        body: PayloadRef,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let body = commit.body(body)?;
        if self.task_seqs.contains_key(&record.id) || record.seq <= self.accept_seq {
            return Err(broken(format!(
                "task {} or accept sequence {} exists already",
                record.id, record.seq.0
            )));
        }
        if record.revision != 1 {
            return Err(broken(format!(
                "task {} does not begin at revision 1",
                record.id
            )));
        }
        self.tasks.insert(
            record.seq,
            StoredTask {
                record: record.clone(),
                body: Arc::new(body.clone()),
                attempts: Vec::new(),
                chunks: Vec::new(),
                text: None,
            },
        );
        self.task_seqs.insert(record.id, record.seq);
        self.accept_seq = record.seq;
        undo.push(Undo::Task(record.seq, record.id, None));
        Ok(())
    }

    fn task_update(
        &mut self,
        record: &TaskRecord,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let kept = self.remember(record.id, undo)?;
        if kept.record.revision + 1 != record.revision {
            return Err(broken(format!(
                "task {} is at revision {}, not just before {}",
                record.id, kept.record.revision, record.revision
            )));
        }
        if fixed_part(&kept.record) != fixed_part(record) {
            return Err(broken(format!(
                "an update of task {} changes what is fixed at acceptance",
                record.id
            )));
        }
        kept.record = record.clone();
        Ok(())
    }

    fn text_put(
        &mut self,
        commit: &Commit,
        task: TaskId,
        text: PayloadRef,
        undo: &mut Vec<Undo>,
    ) -> Result<(), CommitError> {
        let text = commit.text(text)?;
        let kept = self.remember(task, undo)?;
        if kept.text.is_some() {
            return Err(broken(format!("task {task} has its text already")));
        }
        kept.text = Some(Arc::new(text.clone()));
        kept.chunks.clear();
        Ok(())
    }

    /// Notes a task as it is, for the way back, and gives it out for change.
    fn remember(
        &mut self,
        task: TaskId,
        undo: &mut Vec<Undo>,
    ) -> Result<&mut StoredTask, CommitError> {
        let kept = self
            .task_mut(task)
            .ok_or_else(|| broken(format!("task {task} does not exist")))?;
        undo.push(Undo::Task(
            kept.record.seq,
            task,
            Some(Box::new(kept.clone())),
        ));
        Ok(kept)
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Attempt(id, Some(before)) => drop(self.attempts.insert(id, *before)),
            Undo::Attempt(id, None) => drop(self.attempts.remove(&id)),
            Undo::Bulk(id, Some(before)) => drop(self.bulks.insert(id, *before)),
            Undo::Bulk(id, None) => drop(self.bulks.remove(&id)),
            Undo::Idempotency(added, gone) => {
                added.map(|number| self.idempotency.remove(&number));
                self.idempotency.extend(gone);
            }
            Undo::Key(id, Some(before)) => drop(self.keys.insert(id, *before)),
            Undo::Key(id, None) => drop(self.keys.remove(&id)),
            Undo::Pause(pool, Some(before)) => drop(self.pauses.insert(pool, *before)),
            Undo::Pause(pool, None) => drop(self.pauses.remove(&pool)),
            Undo::Quota(subject, Some(before)) => drop(self.quotas.insert(subject, *before)),
            Undo::Quota(subject, None) => drop(self.quotas.remove(&subject)),
            Undo::QuotaLevels(subject, Some(before)) => {
                self.quota_levels.insert(subject, before);
            }
            Undo::QuotaLevels(subject, None) => drop(self.quota_levels.remove(&subject)),
            Undo::Session(id, Some(before)) => drop(self.sessions.insert(id, *before)),
            Undo::Session(id, None) => drop(self.sessions.remove(&id)),
            Undo::Task(seq, _, Some(before)) => drop(self.tasks.insert(seq, *before)),
            Undo::Task(seq, id, None) => {
                self.tasks.remove(&seq);
                self.task_seqs.remove(&id);
            }
        }
    }
}

/// The record with everything that may change set alike: what an update must leave as it is. The doubles
/// are given as bits, since one that is not a number would equal nothing.
fn fixed_part(record: &TaskRecord) -> (TaskRecord, [u64; 4]) {
    let sampling = record.spec.sampling;
    let bits = [
        sampling.temperature,
        sampling.top_p,
        sampling.min_p,
        sampling.repeat_penalty,
    ]
    .map(f64::to_bits);
    let mut fixed = TaskRecord {
        revision: 0,
        state: TaskState::Queued,
        attempts: 0,
        failures: 0,
        interruptions: 0,
        attempt: None,
        replica_set: None,
        started: None,
        position: 0,
        not_before: None,
        ended_at: None,
        end: None,
        ..record.clone()
    };
    fixed.spec.sampling = Sampling {
        temperature: 0.0,
        top_p: 0.0,
        min_p: 0.0,
        repeat_penalty: 0.0,
        ..sampling
    };
    (fixed, bits)
}

pub(crate) fn broken(what: String) -> CommitError {
    CommitError::Broken(what)
}
