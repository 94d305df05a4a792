//! Commands to the machine, and what becomes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use orchestrator_core::id::{PayloadRef, ProjectId, TaskId, TenantId};
use orchestrator_core::idempotency::IdempotencyKey;
use orchestrator_core::input::{Ask, TaskCreate};
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::TaskRecord;
use sha2::{Digest as _, Sha256};
use store::TaskBody;
use uuid::Uuid;

use super::tasks::{Created, NewTask};
use super::trouble::Trouble;
use super::{App, Caller, ClassOffer};
use crate::owner::OwnerUnavailable;

/// The owner knows the body's handle only once it has taken the command.
const OWNER_FILLS_IN: PayloadRef = PayloadRef(0);

impl App {
    /// Creates a task. `named` says that the caller chose its id.
    pub(super) async fn task_create_command(
        &self,
        caller: &Caller,
        task: NewTask,
        named: bool,
    ) -> Result<Created, Trouble> {
        let (id, keyed) = (task.id, named || task.key.is_some());
        let (ask, body) = create_ask(&self.classes, caller, task, named)?;
        let outcome = self.owner.command(ask, Some(body)).await;
        match settle(outcome, Some(id), keyed)? {
            Reply::TaskCreated { record, replayed } => {
                let left = self.budget_left(&record).await;
                Ok(Created {
                    record,
                    replayed,
                    left,
                })
            }
            other => Err(unexpected(other)),
        }
    }

    /// What a task's session may still use of what is limited; nothing is said where nobody knows.
    async fn budget_left(&self, record: &TaskRecord) -> SessionBudget {
        let Some(session) = record.session_key() else {
            return SessionBudget::default();
        };
        let view = self.owner.session(session).await.ok().flatten();
        view.map(|view| view.left).unwrap_or_default()
    }

    /// Cancels a task. Repeating it is always safe.
    pub(super) async fn task_cancel_command(&self, task: TaskId) -> Result<(), Trouble> {
        let outcome = self
            .owner
            .command(Ask::TaskCancel { task, cold: None }, None)
            .await;
        match settle(outcome, Some(task), true)? {
            Reply::TaskCancelled(_) => Ok(()),
            other => Err(unexpected_of(task, other)),
        }
    }

    /// What became of a command. `keyed` says that repeating it is safe whatever became of it.
    pub(super) async fn settled(&self, ask: Ask, keyed: bool) -> Result<Reply, Trouble> {
        settle(self.owner.command(ask, None).await, None, keyed)
    }

    /// Takes a parked task back into the queue. Repeating it is always safe.
    pub(super) async fn task_requeue_command(&self, task: TaskId) -> Result<(), Trouble> {
        let ask = Ask::TaskRequeue { task, cold: None };
        let outcome = self.owner.command(ask, None).await;
        match settle(outcome, Some(task), true)? {
            Reply::TaskRequeued(_) => Ok(()),
            other => Err(unexpected_of(task, other)),
        }
    }

    /// Forgets a session. Repeating it is always safe.
    pub(super) async fn session_delete_command(&self, ask: Ask) -> Result<(), Trouble> {
        match self.settled(ask, true).await? {
            Reply::SessionDeleted => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    /// Tells the owner how many readers a task has, whenever that changes. Readers that the daemon sends away, as it
    /// ends or because their key has ended, have not left.
    pub(super) fn readers_reporter(
        &self,
        task: TaskId,
        sent_away: Arc<AtomicBool>,
    ) -> impl Fn(u32) + Send + 'static {
        let owner = self.owner.clone();
        let closing = self.closing.subscribe();
        move |readers| {
            if !*closing.borrow() && !sent_away.load(Ordering::Relaxed) {
                owner.report_readers(task, readers);
            }
        }
    }
}

/// What to ask for a task to be created, in the highest class that the caller may use at most, and its body.
///
/// # Errors
/// If it may not go to its project.
pub(super) fn create_ask(
    classes: &ClassOffer,
    caller: &Caller,
    task: NewTask,
    named: bool,
) -> Result<(Ask, TaskBody), Trouble> {
    let NewTask {
        id,
        fingerprint,
        key,
        mut spec,
        project,
        budget,
        body,
    } = task;
    spec.priority = classes.capped(spec.priority, caller);
    let project = project_of(caller, project)?;
    let key = key.map(|text| idempotency_key(caller.tenant(), &text));
    let create = TaskCreate {
        id,
        fresh: !named,
        tenant: caller.tenant(),
        project,
        created_by: caller.principal(),
        fingerprint,
        key,
        spec,
        budget,
        body: OWNER_FILLS_IN,
    };
    let ask = Ask::TaskCreate {
        create: Box::new(create),
        cold: None,
    };
    Ok((ask, body))
}

/// The key as the machine knows it: what a tenant sends has nothing to do with what another does.
fn idempotency_key(tenant: TenantId, text: &str) -> IdempotencyKey {
    let mut hash = Sha256::new();
    hash.update(tenant.0.to_be_bytes());
    hash.update(text.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let half = digest.first_chunk().expect("a digest has 32 bytes");
    IdempotencyKey(u128::from_be_bytes(*half))
}

/// The project that a task goes to: the one it asks for if the key may use that, or else the key's own.
fn project_of(caller: &Caller, asked: Option<ProjectId>) -> Result<ProjectId, Trouble> {
    Ok(project_allowed(caller, asked)?.unwrap_or(ProjectId::DEFAULT))
}

/// The project that is asked for if the key may use it, or else the key's own, if it is bound to one.
///
/// # Errors
/// If the key is bound to another.
pub(super) fn project_allowed(
    caller: &Caller,
    asked: Option<ProjectId>,
) -> Result<Option<ProjectId>, Trouble> {
    match (caller.key(), caller.project()) {
        (Some(key), Some(project)) if asked.is_some_and(|asked| asked != project) => {
            Err(Trouble::ProjectForbidden {
                key: key.id,
                project,
            })
        }
        (_, own) => Ok(asked.or(own)),
    }
}

/// `keyed` says that repeating the command is safe whatever became of it.
fn settle(
    outcome: Result<Reply, OwnerUnavailable>,
    task: Option<TaskId>,
    keyed: bool,
) -> Result<Reply, Trouble> {
    let task = task.map(|task| Uuid::from_u128(task.0));
    outcome.map_err(|failed| match failed {
        OwnerUnavailable::Busy { retry_after_ms } => Trouble::Busy { retry_after_ms },
        OwnerUnavailable::NotApplied(_) => Trouble::Unresolved { task, safe: true },
        OwnerUnavailable::Unknown(_) => Trouble::Unresolved { task, safe: keyed },
    })
}

/// There is nobody to look at the machine now; nothing was done.
pub(super) fn unavailable(error: OwnerUnavailable) -> Trouble {
    match error {
        OwnerUnavailable::Busy { retry_after_ms } => Trouble::Busy { retry_after_ms },
        OwnerUnavailable::NotApplied(_) | OwnerUnavailable::Unknown(_) => Trouble::Unresolved {
            task: None,
            safe: true,
        },
    }
}

/// As [`unexpected`], of a task whose record was found. Who does not know such a task has lost the store and not
/// learned of it yet, so it is nobody to say that there is none.
fn unexpected_of(task: TaskId, reply: Reply) -> Trouble {
    match reply {
        Reply::Refused(Refusal::TaskUnknown { .. }) => Trouble::Unresolved {
            task: Some(Uuid::from_u128(task.0)),
            safe: true,
        },
        other => unexpected(other),
    }
}

/// A refusal, or the answer to another question, which the owner never gives.
pub(super) fn unexpected(reply: Reply) -> Trouble {
    match reply {
        Reply::Refused(refusal) => Trouble::Refused(refusal),
        Reply::TaskRefused(refused) => Trouble::TaskRefused(refused),
        Reply::BulkBegun(_)
        | Reply::KeyCreated(_)
        | Reply::KeyRevoked(_)
        | Reply::QueueSwitched(_)
        | Reply::QuotaPut(_)
        | Reply::SessionDeleted
        | Reply::SessionPut(_)
        | Reply::TaskCancelled(_)
        | Reply::TaskCreated { .. }
        | Reply::TaskRequeued(_) => {
            debug_assert!(false, "an answer to another question");
            Trouble::Unresolved {
                task: None,
                safe: false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use orchestrator_core::task::TaskState;

    use super::*;

    #[test]
    fn a_task_whose_record_was_found_is_never_said_to_be_missing() {
        let task = TaskId(7);
        let unknown = Reply::Refused(Refusal::TaskUnknown { task });
        let trouble = unexpected_of(task, unknown);
        let unresolved = matches!(
            trouble,
            Trouble::Unresolved { task: Some(it), safe: true } if it.as_u128() == task.0
        );
        assert!(unresolved, "{trouble:?}");
        let state = TaskState::Running;
        let ended = unexpected_of(task, Reply::Refused(Refusal::TaskEnded { task, state }));
        assert!(matches!(ended, Trouble::Refused(_)), "{ended:?}");
    }
}
