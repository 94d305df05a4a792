//! The store as the world has it: one database, several clients, one of them its holder.

use orchestrator_core::id::{Epoch, TaskId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::quota::UNITS_PER_TOKEN;
use orchestrator_core::task::{AttemptRecord, TaskEnd, TaskRecord};
use store::{
    ColdStore, Commit, CommitError, CommitRow, FeedStore, Loaded, OwnerStore, Probe, ReadError,
    ReadFuture, ReadStore, TaskBody, TaskPage, TaskQuery, TaskRow, TaskText,
};
use store_memory::MemoryStore;

use crate::plant::Plant;

/// The simulated store. Behind it is the memory store with its real guards and fences; in front of it is the
/// place where planted bugs of a store sit. Clones are further clients of the same database.
#[derive(Clone, Debug, Default)]
pub struct SimStore {
    inner: MemoryStore,
    plant: Option<Plant>,
    /// Where the fence stands, for the plant that ignores it.
    fence: (Epoch, u64),
    /// What a load found before the newest commit, for the plant that loads late.
    before: Option<Box<Loaded>>,
}

impl SimStore {
    /// An empty store, with a bug planted in it if it is one of a store's.
    #[must_use]
    pub fn new(plant: Option<Plant>) -> Self {
        Self {
            plant,
            ..Self::default()
        }
    }

    /// The disk as a crash would leave it, as a store of its own.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        Self {
            inner: self.inner.snapshot(),
            ..self.clone()
        }
    }

    /// What a load would find now, without beginning a term.
    #[must_use]
    pub fn peek(&self) -> Loaded {
        self.inner.peek()
    }

    /// Applies a commit whose client is gone before the answer. Whole, like any other; only the plant tears it.
    ///
    /// # Errors
    /// As [`OwnerStore::commit`].
    pub fn commit_orphaned(&mut self, commit: &Commit) -> Result<(), CommitError> {
        if self.plant == Some(Plant::TornCommit) {
            let mut torn = commit.clone();
            torn.mutations.truncate(commit.mutations.len() / 2);
            return self.commit(&torn);
        }
        self.commit(commit)
    }

    /// The commit as a planted bug changes it.
    fn bent(&self, commit: &Commit) -> Commit {
        let mut bent = commit.clone();
        match self.plant {
            Some(Plant::FenceSkipped) => {
                let (epoch, commit_seq) = self.fence;
                bent.epoch = epoch;
                bent.commit_seq = commit_seq + 1;
            }
            Some(Plant::TurnCountedTwice) => {
                let accepts = bent
                    .mutations
                    .iter()
                    .any(|mutation| matches!(mutation, Mutation::TaskInsert { .. }));
                for mutation in &mut bent.mutations {
                    if let (true, Mutation::SessionPut(session)) = (accepts, mutation) {
                        session.turns += 1;
                    }
                }
            }
            Some(Plant::RefundTwice) => refund_again(&mut bent.mutations),
            _ => {}
        }
        bent
    }
}

impl OwnerStore for SimStore {
    fn load(&mut self) -> Result<Loaded, ReadError> {
        let mut loaded = self.inner.load()?;
        self.fence = (loaded.epoch, loaded.commit_seq);
        if self.plant == Some(Plant::LoadOfYesterday)
            && let Some(before) = self.before.take()
        {
            loaded.tasks = before.tasks;
            loaded.attempts = before.attempts;
            loaded.sessions = before.sessions;
            loaded.keys = before.keys;
            loaded.quotas = before.quotas;
            loaded.quota_levels = before.quota_levels;
            loaded.pauses = before.pauses;
            loaded.bulks = before.bulks;
        }
        Ok(loaded)
    }

    fn cold(&self) -> Result<Box<dyn ColdStore>, ReadError> {
        self.inner.cold()
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        match self.plant {
            Some(Plant::FenceSkipped | Plant::RefundTwice | Plant::TurnCountedTwice) => {
                let bent = self.bent(commit);
                self.inner.commit(&bent)?;
                self.fence.1 = bent.commit_seq;
                Ok(())
            }
            Some(Plant::LoadOfYesterday) => {
                let before = self.inner.peek();
                self.inner.commit(commit)?;
                self.before = Some(Box::new(before));
                Ok(())
            }
            _ => self.inner.commit(commit),
        }
    }

    fn probe(&mut self, epoch: Epoch) -> Result<Probe, CommitError> {
        if self.plant == Some(Plant::ProbeFencesNothing) {
            let found = self.inner.peek();
            return Ok(Probe {
                epoch: found.epoch,
                commit_seq: found.commit_seq,
            });
        }
        let probe = self.inner.probe(epoch)?;
        self.fence = (probe.epoch, probe.commit_seq);
        Ok(probe)
    }
}

impl ColdStore for SimStore {
    fn prefetch(&mut self, tasks: &[TaskId]) -> Result<Vec<TaskRecord>, ReadError> {
        self.inner.prefetch(tasks)
    }
}

impl ReadStore for SimStore {
    fn task_get(
        &self,
        tenant: orchestrator_core::id::TenantId,
        task: TaskId,
    ) -> ReadFuture<'_, Option<TaskRow>> {
        self.inner.task_get(tenant, task)
    }

    fn task_list(&self, query: TaskQuery) -> ReadFuture<'_, TaskPage> {
        self.inner.task_list(query)
    }

    fn task_body(&self, task: TaskId) -> ReadFuture<'_, Option<TaskBody>> {
        self.inner.task_body(task)
    }

    fn task_text(&self, task: TaskId) -> ReadFuture<'_, Option<TaskText>> {
        let plant = self.plant;
        let read = self.inner.task_text(task);
        Box::pin(async move { Ok(read.await?.map(|text| bent_text(plant, text))) })
    }

    fn attempt_list(&self, task: TaskId) -> ReadFuture<'_, Vec<AttemptRecord>> {
        self.inner.attempt_list(task)
    }
}

impl FeedStore for SimStore {
    fn commit_list(&self, after: u64, limit: u32) -> ReadFuture<'_, Vec<CommitRow>> {
        self.inner.commit_list(after, limit)
    }
}

/// Takes what the tasks that end did not use off the levels that are written with them.
fn refund_again(mutations: &mut [Mutation]) {
    let unused = |mutation: &Mutation| match mutation {
        Mutation::TaskUpdate(row) => match &row.end {
            Some(TaskEnd::Finished {
                tokens_in,
                tokens_out,
                ..
            }) if row.state.is_final() => {
                let used = tokens_in + tokens_out;
                row.spec.tokens_most().saturating_sub(used)
            }
            _ => 0,
        },
        _ => 0,
    };
    let refund: u64 = mutations.iter().map(unused).sum();
    for mutation in mutations {
        if let Mutation::QuotaLevelsPut(levels) = mutation {
            let units = &mut levels.tokens.units;
            *units = units.saturating_sub(refund * UNITS_PER_TOKEN);
        }
    }
}

/// A text as a planted bug reads it back.
fn bent_text(plant: Option<Plant>, text: TaskText) -> TaskText {
    let last = text.ends.len().saturating_sub(1);
    match (plant, text.token(last)) {
        (Some(Plant::ChunkDoubled), Some(token)) => {
            let mut doubled = text.clone();
            doubled.push(token);
            doubled
        }
        (Some(Plant::ChunkSkipped), Some(_)) => {
            let mut short = TaskText::default();
            (0..last)
                .filter_map(|index| text.token(index))
                .for_each(|token| short.push(token));
            short
        }
        _ => text,
    }
}
