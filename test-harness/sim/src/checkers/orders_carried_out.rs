//! What is ordered is carried out.

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::effect::Effect;
use orchestrator_core::id::AttemptId;
use orchestrator_core::time::MonoMs;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;

/// How long an attempt that was told to stop may take to tell its end, by its process's clock, less the time for which
/// the store has a commit in hand: the end may stand behind some commits, and a slow store takes seconds for each.
const STOP_MAX_MS: u64 = 2_000;

/// Watches that an attempt which is ordered runs, and that one which is to stop tells its end.
#[derive(Debug, Default)]
pub(super) struct OrdersCarriedOut {
    /// Attempts under way, by daemon.
    running: BTreeMap<usize, BTreeSet<AttemptId>>,
    /// Ordered and not seen to run.
    ordered: BTreeMap<usize, BTreeSet<AttemptId>>,
    /// Told to stop, with how long the process has had for it since that was first looked at, in ms.
    stopping: BTreeMap<usize, BTreeMap<AttemptId, u64>>,
    /// The commits that are still with the store, by daemon.
    committing: BTreeMap<usize, u64>,
    /// Those that had a commit there since they were looked at last.
    committed: BTreeSet<usize>,
    /// When a daemon was last looked at, by its process's clock.
    looked: BTreeMap<usize, MonoMs>,
}

impl Checker for OrdersCarriedOut {
    fn property(&self) -> &'static str {
        "orders are carried out"
    }

    fn promise(&self) -> &'static str {
        "an attempt that is ordered, also again after a recovery, runs once; one that is to stop tells its end"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        match sight {
            Sight::Effect { daemon, effect, .. } => match effect {
                Effect::AttemptStart(order) => {
                    let runs = self.running.entry(*daemon).or_default();
                    if !runs.contains(&order.attempt) {
                        self.ordered
                            .entry(*daemon)
                            .or_default()
                            .insert(order.attempt);
                    }
                }
                Effect::AttemptCancel { attempt, .. } => {
                    let runs = self.running.entry(*daemon).or_default();
                    if runs.contains(attempt) {
                        let stopping = self.stopping.entry(*daemon).or_default();
                        stopping.entry(*attempt).or_insert(0);
                    }
                }
                _ => {}
            },
            Sight::Runs { daemon, attempt } => {
                self.ordered.entry(*daemon).or_default().remove(attempt);
                if !self.running.entry(*daemon).or_default().insert(*attempt) {
                    return Err(format!("attempt {attempt} runs a second time"));
                }
            }
            Sight::Reported {
                daemon, attempt, ..
            } => {
                self.running.entry(*daemon).or_default().remove(attempt);
                self.stopping.entry(*daemon).or_default().remove(attempt);
            }
            Sight::Gone { daemon, .. } => {
                self.running.remove(daemon);
                self.ordered.remove(daemon);
                self.stopping.remove(daemon);
                self.committing.remove(daemon);
                self.committed.remove(daemon);
                self.looked.remove(daemon);
            }
            Sight::Sealed { daemon, commit, .. } => {
                self.committing.insert(*daemon, *commit);
                self.committed.insert(*daemon);
            }
            // The next one may be on its way before this one is known.
            Sight::Known { daemon, commit, .. }
                if self.committing.get(daemon) == Some(&commit.commit_seq) =>
            {
                self.committing.remove(daemon);
            }
            // A commit whose answer never came is over when the owner has read the store anew.
            Sight::Term { daemon, .. } => {
                self.committing.remove(daemon);
            }
            Sight::Machine { daemon, now, .. } => return self.look(*daemon, now.mono),
            _ => {}
        }
        Ok(())
    }
}

impl OrdersCarriedOut {
    fn look(&mut self, daemon: usize, now: MonoMs) -> Result<(), String> {
        if let Some(attempt) = self.ordered.get(&daemon).and_then(BTreeSet::first) {
            return Err(format!("attempt {attempt} was ordered, and does not run"));
        }
        let before = self.looked.insert(daemon, now).unwrap_or(now);
        let committing = self.committing.contains_key(&daemon);
        if self.committed.contains(&daemon) {
            if !committing {
                self.committed.remove(&daemon);
            }
            return Ok(());
        }
        for (attempt, had) in self.stopping.entry(daemon).or_default() {
            *had += now - before;
            if *had > STOP_MAX_MS {
                return Err(format!(
                    "attempt {attempt} was told to stop, has had {had} ms for it, and has not ended"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use orchestrator_core::id::TaskId;

    use super::*;
    use crate::checkers::testing::order;

    #[test]
    fn a_second_run_is_seen() {
        let mut checker = OrdersCarriedOut::default();
        let runs = Sight::Runs {
            daemon: 0,
            attempt: AttemptId(1),
        };
        assert_eq!(checker.see(&runs, &Book::default()), Ok(()));
        assert!(checker.see(&runs, &Book::default()).is_err());
    }

    #[test]
    fn an_order_that_nobody_carries_out_is_seen() {
        let mut checker = OrdersCarriedOut::default();
        let effect = Effect::AttemptStart(Box::new(order(1)));
        let ordered = Sight::Effect {
            daemon: 0,
            life: 1,
            effect: &effect,
        };
        assert_eq!(checker.see(&ordered, &Book::default()), Ok(()));
        assert!(checker.look(0, MonoMs(1)).is_err());
    }

    #[test]
    fn an_attempt_that_goes_on_is_seen_and_a_slow_store_is_not_held_against_it() {
        let mut checker = OrdersCarriedOut::default();
        let stop = Effect::AttemptCancel {
            attempt: AttemptId(1),
            task: TaskId(1),
        };
        let sights = [
            Sight::Runs {
                daemon: 0,
                attempt: AttemptId(1),
            },
            Sight::Effect {
                daemon: 0,
                life: 1,
                effect: &stop,
            },
        ];
        for sight in &sights {
            assert_eq!(checker.see(sight, &Book::default()), Ok(()));
        }
        assert_eq!(checker.look(0, MonoMs(1)), Ok(()));
        checker.committing.insert(0, 7);
        checker.committed.insert(0);
        assert_eq!(checker.look(0, MonoMs(30_000)), Ok(()));
        checker.committing.remove(&0);
        assert_eq!(checker.look(0, MonoMs(60_000)), Ok(()));
        assert_eq!(checker.look(0, MonoMs(60_000 + STOP_MAX_MS)), Ok(()));
        assert!(checker.look(0, MonoMs(60_001 + STOP_MAX_MS)).is_err());
    }
}
