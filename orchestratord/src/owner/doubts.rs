//! Tasks whose end nobody was told of, because it became durable while the owner had stepped down or was about
//! to: by the commit that was under way, whose outcome it did not learn, or by another owner that had a term in
//! between.
//!
//! Where the task has not ended, the next machine holds it again and will tell its end in time. Where it has, no
//! machine here ever emits that end, and whoever reads the task would wait for ever: so it is looked up, and
//! told as it is durable.

use std::collections::{BTreeSet, HashMap};

use orchestrator_core::effect::Effect;
use orchestrator_core::id::TaskId;
use orchestrator_core::task::TaskRecord;
use orchestrator_core::time::{MonoMs, Now};

use super::outlet::Notice;
use super::release::Release;
use super::state::{OwnerState, Phase};

#[derive(Default)]
pub(super) struct Doubts {
    tasks: BTreeSet<TaskId>,
    /// When they are to be looked up.
    due: MonoMs,
    /// Failed look-ups in a row.
    tries: u32,
}

impl Doubts {
    /// These may end, or have ended, without this owner's knowing.
    pub(super) fn add(&mut self, tasks: impl IntoIterator<Item = TaskId>) {
        self.tasks.extend(tasks);
    }

    /// There is a machine again: what it holds has not ended.
    pub(super) fn recovered(&mut self, now: Now, is_live: impl Fn(TaskId) -> bool) {
        self.tasks.retain(|task| !is_live(*task));
        self.due = now.mono;
        self.tries = 0;
    }

    /// A task's end was told, so that there is no doubt any more.
    pub(super) fn told(&mut self, task: TaskId) {
        self.tasks.remove(&task);
    }

    /// When there is something to look up.
    pub(super) fn due(&self) -> Option<MonoMs> {
        (!self.tasks.is_empty()).then_some(self.due)
    }
}

impl OwnerState {
    /// Tasks to look up in the store now, for [`OwnerState::doubts_resolved`] or, if that fails, for
    /// [`OwnerState::doubts_remain`].
    #[must_use]
    pub fn doubts(&self, now: Now) -> Vec<TaskId> {
        let serving = matches!(self.phase, Phase::Serving(_));
        let due = self.doubts.due().is_some_and(|at| at <= now.mono);
        if serving && due {
            self.doubts.tasks.iter().copied().collect()
        } else {
            Vec::new()
        }
    }

    /// Tells the end of each task that was found to have ended; a task that was not found never was. One that the
    /// machine knows was handed over again since, and its end is told with the batch that ends it.
    pub fn doubts_resolved(&mut self, found: &HashMap<TaskId, TaskRecord>) {
        for task in std::mem::take(&mut self.doubts.tasks) {
            let knows = |phase: &Phase| matches!(phase, Phase::Serving(term) if term.knows(task));
            let Some(record) = found.get(&task).filter(|_| !knows(&self.phase)) else {
                continue;
            };
            if let Some(ended) = Effect::task_ended(record) {
                let started = Effect::task_started(record);
                self.releases
                    .extend(started.into_iter().chain([ended]).map(Release::Effect));
            }
        }
    }

    /// They could not be looked up: they are asked for again after a pause.
    pub fn doubts_remain(&mut self, now: Now, detail: String) {
        self.doubts.tries += 1;
        self.doubts.due = now.mono + self.limits.store_pause(self.doubts.tries);
        self.notice(Notice::PrefetchFailed { detail });
    }
}
