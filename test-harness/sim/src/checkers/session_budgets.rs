//! No session uses more than it was given.

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::world::SESSION_TOKENS;

/// Watches that what ended tasks of a session have used and what live ones may use is never more than its budget.
#[derive(Debug, Default)]
pub(super) struct SessionBudgets;

impl Checker for SessionBudgets {
    fn property(&self) -> &'static str {
        "budgets never exceeded"
    }

    fn promise(&self) -> &'static str {
        "what a session's ended tasks have used and its live ones may use is at most what it was given"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        let Sight::Applied { durable, .. } = sight else {
            return Ok(());
        };
        for session in &durable.sessions {
            if session.budget.tokens != Some(SESSION_TOKENS) {
                return Err(format!("session {} has lost its budget", session.id));
            }
            let live = durable
                .tasks
                .iter()
                .filter(|row| row.session_key() == Some(session.key()) && row.seq >= session.began);
            let reserved: u64 = live.map(|row| u64::from(row.spec.cost())).sum();
            let used = session.spent.tokens + reserved;
            if used > SESSION_TOKENS {
                return Err(format!(
                    "session {} has used or reserved {used} of {SESSION_TOKENS} tokens",
                    session.id
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orchestrator_core::id::{AcceptSeq, SessionId, TenantId};
    use orchestrator_core::session::{Amounts, SessionBudget, SessionRecord};
    use orchestrator_core::time::WallMs;

    use super::*;
    use crate::checkers::testing::{commit, loaded};

    #[test]
    fn one_token_too_many_is_seen() {
        let one = commit(1, 1, vec![]);
        let mut durable = loaded(vec![]);
        let mut see = |tokens| {
            durable.sessions = vec![SessionRecord {
                id: SessionId(1),
                tenant: TenantId::DEFAULT,
                turns: 1,
                replica: None,
                began: AcceptSeq(1),
                budget: SessionBudget {
                    tokens: Some(SESSION_TOKENS),
                    ..SessionBudget::default()
                },
                spent: Amounts {
                    tokens,
                    ..Amounts::default()
                },
                ttl_ms: None,
                put: None,
                touched_at: WallMs(0),
            }];
            let applied = Sight::Applied {
                at: 0,
                daemon: 0,
                commit: &one,
                durable: &durable,
            };
            SessionBudgets.see(&applied, &Book::default())
        };
        assert_eq!(see(SESSION_TOKENS), Ok(()));
        assert!(see(SESSION_TOKENS + 1).is_err());
    }
}
