//! Tasks that were turned away, kept for a while. In memory: a refusal costs no commit, and is forgotten with the
//! daemon.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use orchestrator_core::obstacle::Obstacle;
use orchestrator_core::refusal::RefusedTask;
use orchestrator_core::time::WallMs;
use uuid::Uuid;

use super::trouble::{Missing, Trouble};
use super::{App, Caller};
use crate::owner::{Clock, SystemClock};

/// Refusals on a page unless the caller says otherwise.
const PAGE_DEFAULT: u32 = 50;

/// A refusal that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptRefusal {
    /// What tells it from every other refusal.
    pub id: Uuid,
    /// Counts the refusals of this daemon, from 1.
    pub number: u64,
    /// Correlation id of the reply.
    pub correlation_id: String,
    /// True if the caller chose the task's id.
    pub named: bool,
    /// What stood in the way.
    pub obstacle: Obstacle,
    /// What was found.
    pub refused: Box<RefusedTask>,
}

/// A page of refusals.
#[derive(Clone, Debug, Default)]
pub struct ListedRefusals {
    /// The refusals, newest first.
    pub refusals: Vec<Arc<KeptRefusal>>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// The newest refusals, so many at most and none older than so long.
#[derive(Debug)]
pub struct Refusals {
    kept_max: usize,
    kept_ms: u64,
    kept: Mutex<Kept>,
}

/// From the oldest to the newest.
#[derive(Debug, Default)]
struct Kept {
    count: u64,
    all: VecDeque<Arc<KeptRefusal>>,
}

impl Refusals {
    /// None yet, of so many at most, each for so long.
    #[must_use]
    pub fn new(kept_max: u32, kept_ms: u64) -> Self {
        Self {
            kept_max: usize::try_from(kept_max).unwrap_or(usize::MAX),
            kept_ms,
            kept: Mutex::default(),
        }
    }

    /// Keeps one under a fresh id; false if nothing is kept. The time is that of the refusal itself.
    pub fn keep(
        &self,
        id: Uuid,
        correlation_id: &str,
        named: bool,
        refused: Box<RefusedTask>,
    ) -> bool {
        let obstacle = refused.refusal.obstacle().filter(|_| self.kept_max > 0);
        let Some(obstacle) = obstacle else {
            return false;
        };
        let correlation_id = correlation_id.to_owned();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut kept, refused.at);
        if kept.all.len() >= self.kept_max {
            kept.all.pop_front();
        }
        kept.count += 1;
        let number = kept.count;
        kept.all.push_back(Arc::new(KeptRefusal {
            id,
            number,
            correlation_id,
            named,
            obstacle,
            refused,
        }));
        true
    }

    /// The one of this id, or else the newest of a reply with this correlation id or of a task that was sent with this
    /// id; of those that may be seen.
    fn named(
        &self,
        now: WallMs,
        name: &str,
        seen: impl Fn(&KeptRefusal) -> bool,
    ) -> Option<Arc<KeptRefusal>> {
        let id = Uuid::parse_str(name).ok();
        let own = |one: &KeptRefusal| Some(one.id) == id && seen(one);
        let task = id.map(|id| id.as_u128());
        let others = |one: &KeptRefusal| {
            let of_task = one.named && Some(one.refused.task.0) == task;
            (one.correlation_id == name || of_task) && seen(one)
        };
        let found = self.find(now, own);
        found.or_else(|| self.find(now, others))
    }

    /// The newest that passes.
    fn find(&self, now: WallMs, wanted: impl Fn(&KeptRefusal) -> bool) -> Option<Arc<KeptRefusal>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut kept, now);
        kept.all.iter().rev().find(|one| wanted(one)).cloned()
    }

    /// The newest ones that pass, up to and without a number; at most so many.
    fn list(
        &self,
        now: WallMs,
        before: Option<u64>,
        most: usize,
        wanted: impl Fn(&KeptRefusal) -> bool,
    ) -> Vec<Arc<KeptRefusal>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&mut kept, now);
        let older = |one: &&Arc<KeptRefusal>| before.is_none_or(|before| one.number < before);
        let found = kept.all.iter().rev().filter(older);
        found
            .filter(|one| wanted(one))
            .take(most)
            .cloned()
            .collect()
    }

    fn forget(&self, kept: &mut Kept, now: WallMs) {
        while kept
            .all
            .front()
            .is_some_and(|oldest| now - oldest.refused.at >= self.kept_ms)
        {
            kept.all.pop_front();
        }
    }
}

impl App {
    /// The wall clock, by which refusals are dated.
    fn now(&self) -> WallMs {
        SystemClock::default().now().wall
    }

    /// Keeps a trouble under a fresh id if it is a task that was turned away; true if it is found by that id now.
    /// `named` says that the caller chose the task's id.
    pub fn refusal_keep(
        &self,
        id: Uuid,
        correlation_id: &str,
        named: bool,
        trouble: &Trouble,
    ) -> bool {
        let Trouble::TaskRefused(refused) = trouble else {
            return false;
        };
        let refused = refused.clone();
        self.refusals.keep(id, correlation_id, named, refused)
    }

    /// The refusal with this id, or else the newest of a reply with this correlation id, or of a task that was sent
    /// with this id. A live read.
    ///
    /// # Errors
    /// If none is kept.
    pub fn refusal_get(&self, caller: &Caller, id: &str) -> Result<Arc<KeptRefusal>, Trouble> {
        let seen = |one: &KeptRefusal| sees(caller, &one.refused);
        let found = self.refusals.named(self.now(), id, seen);
        found.ok_or_else(|| Trouble::Missing(Missing::Refusal(id.to_owned())))
    }

    /// A page of refusals. A live read.
    ///
    /// # Errors
    /// If the cursor is none.
    pub fn refusal_list(
        &self,
        caller: &Caller,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<ListedRefusals, Trouble> {
        let before = match cursor {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| Trouble::Cursor)?),
        };
        let limit = usize::try_from(limit.unwrap_or(PAGE_DEFAULT)).unwrap_or(usize::MAX);
        let wanted = |one: &KeptRefusal| sees(caller, &one.refused);
        let most = limit.saturating_add(1);
        let mut refusals = self.refusals.list(self.now(), before, most, wanted);
        let more = refusals.len() > limit;
        refusals.truncate(limit);
        let last = refusals.last().filter(|_| more);
        Ok(ListedRefusals {
            next: last.map(|one| one.number.to_string()),
            refusals,
        })
    }
}

/// Another tenant's refusals, and those of other projects than the key's, are not there for a caller.
fn sees(caller: &Caller, refused: &RefusedTask) -> bool {
    let own = caller.project().is_none_or(|own| own == refused.project);
    refused.tenant == caller.tenant() && own
}

#[cfg(test)]
mod tests;
