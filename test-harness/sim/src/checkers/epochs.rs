//! No effect of a stale epoch.

use orchestrator_core::id::Epoch;
use orchestrator_core::mutation::Mutation;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;

/// Watches that only the newest term commits, and that commits are numbered without gap or repeat.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    newest: Epoch,
}

impl Checker for Epochs {
    fn property(&self) -> &'static str {
        "no effect of a stale epoch"
    }

    fn promise(&self) -> &'static str {
        "only the newest term commits, each commit follows the one before, and no attempt id is given twice"
    }

    fn see(&mut self, sight: &Sight<'_>, book: &Book) -> Result<(), String> {
        match sight {
            Sight::TermAllowed { epoch } => {
                if *epoch <= self.newest {
                    return Err(format!(
                        "term {} begins although {} has begun",
                        epoch.0, self.newest.0
                    ));
                }
                self.newest = *epoch;
                Ok(())
            }
            Sight::Applied { commit, .. } => {
                if commit.epoch != self.newest {
                    return Err(format!(
                        "commit {} of term {} is applied in term {}",
                        commit.commit_seq, commit.epoch.0, self.newest.0
                    ));
                }
                if commit.commit_seq != book.commits + 1 {
                    return Err(format!(
                        "commit {} follows commit {}",
                        commit.commit_seq, book.commits
                    ));
                }
                let again = commit.mutations.iter().find_map(|mutation| match mutation {
                    Mutation::AttemptInsert(row) => book.attempts.get(&row.id),
                    _ => None,
                });
                match again {
                    Some(row) => Err(format!("attempt {} begins a second time", row.id)),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::testing::{applied, commit};

    #[test]
    fn a_stale_commit_is_seen() {
        let mut epochs = Epochs::default();
        let book = Book::default();
        let allowed = |epoch| Sight::TermAllowed {
            epoch: Epoch(epoch),
        };
        assert!(epochs.see(&allowed(1), &book).is_ok());
        assert!(epochs.see(&applied(&commit(1, 1, vec![])), &book).is_ok());
        assert!(epochs.see(&allowed(2), &book).is_ok());
        assert!(epochs.see(&applied(&commit(1, 1, vec![])), &book).is_err());
        assert!(epochs.see(&allowed(2), &book).is_err());
    }

    #[test]
    fn a_gap_between_commits_is_seen() {
        let mut epochs = Epochs { newest: Epoch(1) };
        let book = Book::default();
        assert!(epochs.see(&applied(&commit(1, 2, vec![])), &book).is_err());
    }
}
