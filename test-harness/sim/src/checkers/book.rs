//! What is durable, kept by following the commits.

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::bulk::BulkRecord;
use orchestrator_core::id::{AttemptId, BulkId, KeyId, SessionKey, TaskId};
use orchestrator_core::idempotency::IdempotencyRecord;
use orchestrator_core::key::KeyRecord;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::queue::PauseRecord;
use orchestrator_core::quota::{QuotaRecord, QuotaSubject};
use orchestrator_core::session::SessionRecord;
use orchestrator_core::task::{AttemptRecord, TaskRecord, TaskState};
use store::Commit;

/// Everything durable, as the commits say. It knows nothing of guards: what they should have refused is here.
#[derive(Debug, Default)]
pub struct Book {
    pub(super) tasks: BTreeMap<TaskId, TaskRecord>,
    pub(super) attempts: BTreeMap<AttemptId, AttemptRecord>,
    pub(super) sessions: BTreeMap<SessionKey, SessionRecord>,
    pub(super) keys: BTreeMap<KeyId, KeyRecord>,
    pub(super) idempotency: BTreeMap<u64, IdempotencyRecord>,
    pub(super) bulks: BTreeMap<BulkId, BulkRecord>,
    /// Each bulk as it was durable last, those that are forgotten included: one commit may begin, end and forget it.
    pub(super) bulks_ever: BTreeMap<BulkId, BulkRecord>,
    /// Every switch of a queue that was ever durable, in their order.
    pub(super) switches: Vec<PauseRecord>,
    pub(super) quotas: BTreeMap<QuotaSubject, QuotaRecord>,
    pub(super) commits: u64,
    moves: BTreeSet<(String, String)>,
}

impl Book {
    pub(super) fn apply(&mut self, commit: &Commit) {
        self.commits = commit.commit_seq;
        for mutation in &commit.mutations {
            match mutation {
                Mutation::AttemptInsert(row) | Mutation::AttemptUpdate(row) => {
                    self.attempts.insert(row.id, AttemptRecord::clone(row));
                }
                Mutation::BulkForget(bulk) => {
                    self.bulks.remove(bulk);
                }
                Mutation::BulkPut(row) => {
                    self.bulks.insert(row.id, BulkRecord::clone(row));
                    self.bulks_ever.insert(row.id, BulkRecord::clone(row));
                }
                Mutation::IdempotencyBind(row) => {
                    self.idempotency.insert(row.number, *row);
                }
                Mutation::IdempotencyForget { through } => {
                    self.idempotency.retain(|number, _| number > through);
                }
                Mutation::KeyPut(row) => {
                    self.keys.insert(row.id, KeyRecord::clone(row));
                }
                Mutation::SessionDelete(session) => {
                    self.sessions.remove(session);
                }
                Mutation::SessionPut(row) => {
                    self.sessions.insert(row.key(), SessionRecord::clone(row));
                }
                Mutation::TaskInsert { record, .. } => self.task(record),
                Mutation::TaskUpdate(record) => self.task(record),
                Mutation::PausePut(row) => {
                    self.switches.push(PauseRecord::clone(row));
                }
                Mutation::QuotaPut(row) => {
                    self.quotas
                        .insert(row.of.subject(), QuotaRecord::clone(row));
                }
                Mutation::ChunkAppend { .. }
                | Mutation::QuotaLevelsPut(_)
                | Mutation::TextPut { .. } => {}
            }
        }
    }

    fn task(&mut self, record: &TaskRecord) {
        let before = self.tasks.insert(record.id, record.clone());
        let from = before.map_or(TaskState::Queued, |before| before.state);
        if from != record.state {
            self.moves
                .insert((from.name().to_owned(), record.state.name().to_owned()));
        }
    }

    pub(super) fn moves(&self) -> &BTreeSet<(String, String)> {
        &self.moves
    }
}
