//! No session uses more than it was given.

use orchestrator_core::mutation::Mutation;
use orchestrator_core::session::SessionRecord;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::plan::PUT_TOKENS;
use crate::world::{SESSION_TOKENS, brings_budget};

/// Watches that nobody is taken into a session that could make it use more than it was given: what its ended tasks have
/// used and its live ones may use is at most that, until somebody puts it with less. And that what it was given, and how
/// long it lives, is what tasks brought or somebody put.
#[derive(Debug, Default)]
pub(super) struct SessionBudgets;

impl Checker for SessionBudgets {
    fn property(&self) -> &'static str {
        "budgets never exceeded"
    }

    fn promise(&self) -> &'static str {
        "who is taken into a session fits what that was given last, beside what its ended tasks have used and its live \
         ones may use, and what it was given stands until the next word"
    }

    fn see(&mut self, sight: &Sight<'_>, book: &Book) -> Result<(), String> {
        let Sight::Applied {
            durable, commit, ..
        } = sight
        else {
            return Ok(());
        };
        for session in &durable.sessions {
            given(session)?;
            let before = book.sessions.get(&session.key());
            let is_new_word = before.is_none_or(|before| before.put != session.put);
            let joins = commit.mutations.iter().any(|mutation| {
                matches!(mutation, Mutation::TaskInsert { record, .. }
                    if record.session_key() == Some(session.key()))
            });
            let Some(limit) = session.budget.tokens else {
                continue;
            };
            // By a put it may have used more than it has, and whoever comes then is refused.
            if session.put.is_some() && (is_new_word || !joins) {
                continue;
            }
            let live = durable
                .tasks
                .iter()
                .filter(|row| row.session_key() == Some(session.key()) && row.seq >= session.began);
            let reserved: u64 = live.map(|row| u64::from(row.spec.cost())).sum();
            let used = session.spent.tokens + reserved;
            if used > limit {
                return Err(format!(
                    "session {} has used or reserved {used} of {limit} tokens",
                    session.id
                ));
            }
        }
        Ok(())
    }
}

/// Is what a session was given what somebody gave?
fn given(session: &SessionRecord) -> Result<(), String> {
    let brought = brings_budget(Some(session.id)).then_some(SESSION_TOKENS);
    let was_put = session.put.is_some();
    let fits = match session.budget.tokens {
        None => was_put || brought.is_none(),
        Some(tokens) => brought == Some(tokens) || was_put && PUT_TOKENS.contains(&tokens),
    };
    if !fits {
        let tokens = session.budget.tokens;
        return Err(format!(
            "session {} has a budget of {tokens:?}, which nobody gave it",
            session.id
        ));
    }
    if session.ttl_ms.is_some() && !was_put {
        return Err(format!(
            "session {} has a life that nobody gave it",
            session.id
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use orchestrator_core::id::{AcceptSeq, PayloadRef, PrincipalId, SessionId, TenantId};
    use orchestrator_core::session::{Amounts, SessionBudget};
    use orchestrator_core::task::TaskState;
    use orchestrator_core::time::WallMs;

    use super::*;
    use crate::checkers::testing::{commit, loaded, task};

    fn session(tokens: u64, limit: Option<u64>, put: bool) -> SessionRecord {
        SessionRecord {
            id: SessionId(2),
            tenant: TenantId::DEFAULT,
            turns: 1,
            replica: None,
            began: AcceptSeq(1),
            budget: SessionBudget {
                tokens: limit,
                ..SessionBudget::default()
            },
            spent: Amounts {
                tokens,
                ..Amounts::default()
            },
            ttl_ms: None,
            put: put.then_some((PrincipalId::SYSTEM, WallMs(1))),
            touched_at: WallMs(0),
        }
    }

    /// A commit after which the store holds such a session, which was the same before or not there. `joins`: a task
    /// comes into it.
    fn see(row: &SessionRecord, was_there: bool, joins: bool) -> Result<(), String> {
        let mut task = task(1, TaskState::Queued);
        task.tenant = TenantId::DEFAULT;
        task.spec.session = Some(row.id);
        let join = Mutation::TaskInsert {
            record: Arc::new(task.clone()),
            body: PayloadRef(0),
        };
        let mut book = Book::default();
        if was_there {
            let put = Mutation::SessionPut(Box::new(row.clone()));
            book.apply(&commit(1, 1, vec![put]));
        }
        let mut durable = loaded(if joins { vec![task] } else { vec![] });
        durable.sessions = vec![row.clone()];
        let applied = Sight::Applied {
            at: 0,
            daemon: 0,
            commit: &commit(1, 2, if joins { vec![join] } else { vec![] }),
            durable: &durable,
        };
        SessionBudgets.see(&applied, &book)
    }

    #[test]
    fn one_token_too_many_is_seen() {
        let brought = Some(SESSION_TOKENS);
        assert_eq!(
            see(&session(SESSION_TOKENS, brought, false), true, false),
            Ok(())
        );
        assert!(see(&session(SESSION_TOKENS + 1, brought, false), true, false).is_err());
    }

    #[test]
    fn who_was_put_with_less_than_is_used_takes_nobody_in() {
        let less = session(SESSION_TOKENS, Some(PUT_TOKENS[0]), true);
        assert_eq!(see(&less, false, true), Ok(()), "it was put after that");
        assert_eq!(see(&less, true, false), Ok(()));
        assert!(see(&less, true, true).is_err());
    }

    #[test]
    fn a_budget_that_nobody_gave_is_seen() {
        let odd = session(0, Some(SESSION_TOKENS - 1), true);
        assert!(see(&odd, true, false).is_err());
        assert!(see(&session(0, None, false), true, false).is_err());
        assert_eq!(see(&session(0, None, true), true, false), Ok(()));
    }
}
