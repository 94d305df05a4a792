//! Tasks handed over together.

use orchestrator_core::quota::QuotaRefusal;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::Engine;

use super::commands::{create_ask, unexpected};
use super::tasks::{Created, NewTask};
use super::trouble::Trouble;
use super::{App, Caller};
use crate::names;
use crate::owner::OwnerUnavailable;

impl App {
    /// Accepts tasks in one commit, in their order; each comes with whether the caller chose its id. What became of
    /// each, in the same order.
    ///
    /// # Errors
    /// If none was accepted because there is no owner, or nobody knows of any.
    pub async fn task_create_batch(
        &self,
        caller: &Caller,
        tasks: Vec<(NewTask, bool)>,
    ) -> Result<Vec<Result<Created, Trouble>>, Trouble> {
        let safe = tasks.iter().all(|(_, named)| *named);
        let engines: Vec<_> = tasks.iter().map(|(task, _)| task.spec.engine).collect();
        let mut asks = Vec::with_capacity(tasks.len());
        let mut refused = Vec::with_capacity(tasks.len());
        for (task, named) in tasks {
            match create_ask(&self.classes, caller, task, named) {
                Ok((ask, body)) => {
                    asks.push((ask, Some(body)));
                    refused.push(None);
                }
                Err(trouble) => refused.push(Some(trouble)),
            }
        }
        let replies = self.owner.command_batch(asks).await;
        let mut replies = replies
            .map_err(|unavailable| unresolved(unavailable, safe))?
            .into_iter();
        let mut outcomes = Vec::with_capacity(refused.len());
        for (engine, trouble) in engines.into_iter().zip(refused) {
            let outcome = match trouble {
                Some(trouble) => Err(trouble),
                None => created(replies.next()),
            };
            self.count_refusal(engine, &outcome);
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    /// Counts a task that was refused.
    pub(super) fn count_refusal(&self, engine: Option<Engine>, outcome: &Result<Created, Trouble>) {
        match outcome {
            Err(Trouble::Refused(refusal)) => self.count_code(engine, refusal),
            Err(Trouble::TaskRefused(refused)) => {
                self.count_code(engine, &refused.refusal);
                if let Some(obstacle) = refused.refusal.obstacle() {
                    self.meter.task_refused(refused.priority, obstacle);
                }
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn count_code(&self, engine: Option<Engine>, refusal: &Refusal) {
        let full = match refusal {
            Refusal::QueueFull { full, .. } => Some(*full),
            _ => None,
        };
        if let Refusal::Quota(
            QuotaRefusal::Exceeded { limit, .. } | QuotaRefusal::Unmeetable { limit, .. },
        ) = refusal
        {
            self.meter.quota_refused(*limit);
        }
        self.meter
            .task_rejected(engine, names::refusal_code(refusal), full);
    }
}

fn created(reply: Option<Reply>) -> Result<Created, Trouble> {
    match reply {
        // What is left of a session's budget is told where tasks are handed over one by one.
        Some(Reply::TaskCreated { record, replayed }) => Ok(Created {
            record,
            replayed,
            left: SessionBudget::default(),
        }),
        Some(other) => Err(unexpected(other)),
        // The owner answers each ask, or none.
        None => Err(Trouble::Unresolved {
            task: None,
            safe: false,
        }),
    }
}

fn unresolved(unavailable: OwnerUnavailable, safe: bool) -> Trouble {
    match unavailable {
        OwnerUnavailable::Busy { retry_after_ms } => Trouble::Busy { retry_after_ms },
        OwnerUnavailable::NotApplied(_) => Trouble::Unresolved {
            task: None,
            safe: true,
        },
        OwnerUnavailable::Unknown(_) => Trouble::Unresolved { task: None, safe },
    }
}
