//! Budgets of sessions: reserved as a task comes in, settled as it ends.

use crate::id::{AttemptId, PoolName, TaskId};
use crate::machine::driver::{LiveTask, Machine};
use crate::refusal::Refusal;
use crate::session::{Amounts, SessionBudget};
use crate::task::{TaskEnd, TaskRecord};
use crate::time::Now;

impl Machine {
    /// What a task may use at most; its time, as far as that can be told.
    pub(super) fn budget_claim(&self, live: &LiveTask) -> Amounts {
        let spec = &live.record.spec;
        let tokens = u64::from(spec.cost());
        let lane = live.lane();
        let price = |pool: &PoolName| self.config.prices.get(pool).copied().unwrap_or(0);
        let dearest = self.fleet.serving(&lane).map(|pool| price(&pool.name));
        let services = self
            .fleet
            .serving(&lane)
            .filter_map(|pool| self.service.service(&pool.name, spec.max_tokens));
        Amounts {
            tokens,
            time_ms: services.map(|service| service.mean_ms).max().unwrap_or(0),
            cost_micros: cost_micros(tokens, dearest.max().unwrap_or(0)),
        }
    }

    /// The refusal of a newcomer for which its session's budget does not suffice.
    pub(super) fn budget_refusal(&self, now: Now, live: &LiveTask) -> Option<Refusal> {
        let Some(session) = live.record.session_key() else {
            return live.budget.as_ref().map(|_| Refusal::BudgetSessionless);
        };
        let brought = live.budget.as_deref().copied();
        let short = self
            .sessions
            .shortfall(session, now.mono, brought, live.claim)?;
        Some(Refusal::BudgetSpent {
            session: session.session,
            short,
        })
    }

    /// What a live task's session may still use of what is limited.
    pub(super) fn budget_left(&self, now: Now, row: &TaskRecord) -> SessionBudget {
        let view = row.session_key().and_then(|key| self.session(now, key));
        // Another session may have begun under the same id since.
        let own = view.filter(|view| view.record.began <= row.seq);
        own.map(|view| view.left).unwrap_or_default()
    }

    /// A task has ended: what it might have used is free again, and what it used is gone.
    pub(super) fn settle_budget(&mut self, task: TaskId) {
        let Some(live) = self.tasks.get(&task) else {
            return;
        };
        let Some(session) = live.record.session_key() else {
            return;
        };
        let (seq, claim, used) = (live.record.seq, live.claim, self.used(live));
        self.sessions.settle(session, seq, claim, used);
    }

    /// An attempt held a slot for so long, which is gone whatever became of it.
    pub(super) fn spend_time(&mut self, task: TaskId, ms: u64) {
        let Some(row) = self.tasks.get(&task).map(|live| &live.record) else {
            return;
        };
        if let Some(session) = row.session_key()
            && self.sessions.spend_time(session, row.seq, ms)
        {
            self.step.sessions.insert(session);
        }
    }

    /// Tokens and money that a task that ends has used: nothing if it never ran, and never more than was reserved.
    fn used(&self, live: &LiveTask) -> Amounts {
        let TaskRecord {
            spec,
            attempts,
            position,
            started,
            end,
            ..
        } = &*live.record;
        if *attempts == 0 {
            return Amounts::default();
        }
        let generated = match end {
            Some(TaskEnd::Finished { tokens_out, .. }) => *tokens_out,
            _ => *position,
        };
        let tokens = (spec.prompt.tokens_estimate + generated).min(live.claim.tokens);
        let pool = started
            .as_ref()
            .and_then(|started| self.fleet.replica(&started.replica))
            .map(|replica| &replica.pool);
        let price = pool.and_then(|pool| self.config.prices.get(pool)).copied();
        Amounts {
            tokens,
            time_ms: 0,
            cost_micros: cost_micros(tokens, price.unwrap_or(0)).min(live.claim.cost_micros),
        }
    }

    /// What live tasks of earlier machines have reserved.
    pub(super) fn restore_claims(&mut self) {
        let claims: Vec<_> = self
            .tasks
            .values()
            .filter_map(|live| {
                let session = live.record.session_key()?;
                Some((
                    live.record.id,
                    live.record.seq,
                    session,
                    self.budget_claim(live),
                ))
            })
            .collect();
        for (task, seq, session, claim) in claims {
            self.sessions.reserve(session, seq, claim);
            if let Some(live) = self.tasks.get_mut(&task) {
                live.claim = claim;
            }
        }
    }

    /// The task of an attempt that is closed, and how long that held its slot.
    pub(super) fn spend_attempt(&mut self, now: Now, attempt: AttemptId) {
        let held = self
            .attempts
            .get(&attempt)
            .map(|live| (live.record.task, live.since.elapsed(now.mono)));
        if let Some((task, ms)) = held {
            self.spend_time(task, ms);
        }
    }
}

/// What so many tokens cost at a price for a thousand, in millionths, rounded up.
fn cost_micros(tokens: u64, per_thousand: u64) -> u64 {
    let cost = (u128::from(tokens) * u128::from(per_thousand)).div_ceil(1_000);
    u64::try_from(cost).unwrap_or(u64::MAX)
}
