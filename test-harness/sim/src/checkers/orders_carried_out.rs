//! What is ordered is carried out.

use std::collections::{BTreeMap, BTreeSet};

use orchestrator_core::effect::Effect;
use orchestrator_core::id::AttemptId;
use orchestrator_core::time::MonoMs;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;

/// How long an attempt that was told to stop may take to tell its end, by its process's clock. The end may stand behind
/// some commits, each of which a slow store takes seconds for.
const STOP_MAX_MS: u64 = 5_000;

/// Watches that an attempt which is ordered runs, and that one which is to stop tells its end.
#[derive(Debug, Default)]
pub(super) struct OrdersCarriedOut {
    /// Attempts under way, by daemon.
    running: BTreeMap<usize, BTreeSet<AttemptId>>,
    /// Ordered and not seen to run.
    ordered: BTreeMap<usize, BTreeSet<AttemptId>>,
    /// Told to stop, with the process's time at which that was first looked at.
    stopping: BTreeMap<usize, BTreeMap<AttemptId, Option<MonoMs>>>,
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
                        stopping.entry(*attempt).or_insert(None);
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
        for (attempt, since) in self.stopping.entry(daemon).or_default() {
            let since = *since.get_or_insert(now);
            if now - since > STOP_MAX_MS {
                return Err(format!(
                    "attempt {attempt} was told to stop {} ms ago, and has not ended",
                    now - since
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
}
