//! Every refusal and every wait has a listed reason.

use orchestrator_core::id::ModelRef;
use orchestrator_core::machine::{Machine, MachineConfig};
use orchestrator_core::queue::{ClassName, FullPolicy};
use orchestrator_core::quota::QuotaRefusal;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::task::{Engine, TaskState};
use orchestrator_core::time::Now;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::plan::{PUT_TOKENS, Setup};
use crate::story::Name;
use crate::world::SESSION_TOKENS;

/// Waits are explained after every so many looks.
const EXPLAIN_EVERY: u64 = 16;

/// Watches that refusals give true figures, that whoever waits is told why, and that nobody waits without a
/// reason: where a slot is free that the first in the queue could have, it is not the first for long.
#[derive(Debug)]
pub(super) struct Reasons {
    config: MachineConfig,
    unnamed: Option<ClassName>,
    looks: u64,
}

impl Reasons {
    pub(super) fn new(setup: &Setup) -> Self {
        Self {
            config: setup.machine.clone(),
            unnamed: setup.unnamed,
            looks: 0,
        }
    }

    /// How many tasks a class holds, and what happens beyond; none if there is no such class.
    fn class(&self, name: ClassName) -> Option<(u32, FullPolicy)> {
        let mut classes = self.config.classes.iter();
        let class = classes.find(|class| class.name == name)?;
        Some((class.capacity.max(1), class.full))
    }

    /// Is a class not among those that are known, and are those all there are but perhaps one, which a daemon's
    /// configuration does not name?
    fn lacks(&self, name: ClassName, known: &[ClassName]) -> bool {
        let by_all = |class: &ClassName| Some(*class) != self.unnamed;
        let all = self.config.classes.iter().map(|class| class.name);
        let known_to_all = known.iter().copied().filter(by_all);
        !known.contains(&name) && known_to_all.eq(all.filter(by_all))
    }

    fn refusal(&self, refusal: &Refusal) -> Result<(), String> {
        let fits = match refusal {
            Refusal::QueueFull {
                priority,
                capacity,
                full,
                retry_after_ms,
            } => Some((*capacity, *full)) == self.class(*priority) && *retry_after_ms > 0,
            Refusal::ClassUnknown { class, known, .. } => self.lacks(*class, known),
            Refusal::DeadlineBeforeStart {
                deadline_ms,
                start_ms,
            } => deadline_ms <= start_ms,
            Refusal::ScheduleFull {
                capacity,
                retry_after_ms,
            } => *capacity == self.config.scheduled_max && *retry_after_ms > 0,
            Refusal::DeadlineUnmet {
                forecast,
                retry_after_ms,
                ..
            } => {
                let needed = self.config.deadline_confidence_permille;
                forecast.on_time_permille < needed && *retry_after_ms > 0
            }
            // Clients here give tokens only.
            Refusal::BudgetSessionless => false,
            Refusal::BudgetSpent { short, .. } => {
                let limits = PUT_TOKENS.iter().chain([&SESSION_TOKENS]);
                limits.into_iter().any(|limit| *limit == short.limit) && short.asked > short.left
            }
            Refusal::SessionExhausted { turns_max, .. } => {
                *turns_max == self.config.session_turns_max
            }
            Refusal::ContextExceeded {
                tokens_least,
                ctx_asked,
                ctx_max,
            } => (tokens_least + 1).max(ctx_asked.unwrap_or(0).into()) > u64::from(*ctx_max),
            Refusal::ModelUnknown {
                model_ref,
                engine,
                known,
            } => !is_served(model_ref.as_ref(), *engine, known),
            Refusal::BulksFull { retry_after_ms } | Refusal::SessionsUnused { retry_after_ms } => {
                *retry_after_ms > 0
            }
            Refusal::Quota(refusal) => quota_fits(refusal),
            Refusal::IdempotencyMismatch { .. }
            | Refusal::KeyEnded { .. }
            | Refusal::KeyExpiryPast { .. }
            | Refusal::KeyLast { .. }
            | Refusal::KeyTaken { .. }
            | Refusal::KeyUnknown { .. }
            | Refusal::PoolUnavailable { .. }
            | Refusal::PoolUnknown { .. }
            | Refusal::SessionUnknown { .. }
            | Refusal::TaskEnded { .. }
            | Refusal::TaskIdConflict { .. }
            | Refusal::TaskUnknown { .. } => true,
        };
        if fits {
            Ok(())
        } else {
            Err(format!(
                "the figures of {refusal:?} are not those of the deployment"
            ))
        }
    }
}

/// Is a model, or an engine, that was asked for among those that are served?
fn is_served(
    model_ref: Option<&ModelRef>,
    engine: Option<Engine>,
    known: &[(ModelRef, Engine)],
) -> bool {
    known.iter().any(|(model, kind)| {
        model_ref.is_none_or(|asked| asked == model) && engine.is_none_or(|asked| asked == *kind)
    })
}

/// Do the figures of a quota's refusal say what they are given for?
fn quota_fits(refusal: &QuotaRefusal) -> bool {
    match refusal {
        QuotaRefusal::Exceeded {
            max,
            left,
            asked,
            retry_after_ms,
            ..
        } => asked > left && asked <= max && *retry_after_ms > 0,
        QuotaRefusal::Unmeetable { max, asked, .. } => asked.is_none_or(|asked| asked > *max),
        QuotaRefusal::Conflict {
            asked, revision, ..
        } => asked != revision,
        QuotaRefusal::Unenforceable { pools } => !pools.is_empty(),
    }
}

/// Why each task stands where it stands.
fn waits(machine: &Machine, now: Now, quiet: bool) -> Result<(), String> {
    for row in machine.records() {
        let name = Name(row.id);
        let Some(why) = machine.explain(now, row.id) else {
            return Err(format!("nobody can say where {name} stands"));
        };
        if why.summary.is_empty() {
            return Err(format!("{name} is {:?} for no reason", row.state));
        }
        match row.state {
            TaskState::Waiting(_) if why.wakes_in_ms.is_none() => {
                return Err(format!("{name} waits, and nothing will wake it"));
            }
            TaskState::Queued if quiet && why.summary.contains("a slot is free") => {
                return Err(format!("{name} waits although a slot is free for it"));
            }
            TaskState::Parked if row.end.is_none() => {
                return Err(format!("{name} was given up for no reason"));
            }
            TaskState::Dispatched | TaskState::Running | TaskState::CancelRequested
                if row.attempt.is_none() =>
            {
                return Err(format!("{name} is {:?}, and has no attempt", row.state));
            }
            _ => {}
        }
    }
    Ok(())
}

impl Checker for Reasons {
    fn property(&self) -> &'static str {
        "every refusal and wait has a reason"
    }

    fn promise(&self) -> &'static str {
        "refusals give the figures of the deployment, whoever waits is told why, and nobody waits while a slot is \
         free that it could have"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        match sight {
            Sight::Answer {
                reply: Ok(reply), ..
            } => match reply.refusal() {
                Some(refusal) => self.refusal(refusal),
                None => Ok(()),
            },
            Sight::Machine {
                now,
                machine,
                quiet,
                ..
            } => {
                self.looks += 1;
                if self.looks.is_multiple_of(EXPLAIN_EVERY) {
                    // An owner whose batch is under way takes no tick, and who is due is found with the next one.
                    let up_to_date = machine.next_wake().is_none_or(|at| at > now.mono);
                    waits(machine, *now, *quiet && up_to_date)
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use orchestrator_core::reply::Reply;

    use super::*;
    use crate::checkers::testing::{answer, setup};

    #[test]
    fn a_refusal_with_another_capacity_is_seen() {
        let setup = setup();
        let mut checker = Reasons::new(&setup);
        let class = setup.machine.classes[0];
        let mut refuse = |capacity| {
            let reply = Ok(Reply::Refused(Refusal::QueueFull {
                priority: class.name,
                capacity,
                full: class.full,
                retry_after_ms: 1,
            }));
            checker.see(&answer(&reply), &Book::default())
        };
        let capacity = class.capacity;
        assert_eq!(refuse(capacity), Ok(()));
        assert!(refuse(capacity + 1).is_err());
    }
}
