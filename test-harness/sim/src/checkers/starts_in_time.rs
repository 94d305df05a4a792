//! Nothing starts before its time.

use orchestrator_core::time::WallMs;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;
use crate::story::Name;

/// Watches that no task that was accepted for later has an attempt before the wall clock of some owner has shown its
/// time. A clock that is set back afterwards takes nothing back, and owners whose clocks differ believe each their own.
#[derive(Debug, Default)]
pub(super) struct StartsInTime {
    latest: WallMs,
}

impl Checker for StartsInTime {
    fn property(&self) -> &'static str {
        "starts in time"
    }

    fn promise(&self) -> &'static str {
        "a task that is accepted for a time has no attempt before an owner's wall clock has shown that time"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        if let Sight::Clock { wall } = sight {
            self.latest = self.latest.max(*wall);
        }
        let Sight::Machine { machine, .. } = sight else {
            return Ok(());
        };
        let early = machine
            .records()
            .filter(|row| row.attempts > 0)
            .find(|row| row.spec.run_at > Some(self.latest));
        match early {
            None => Ok(()),
            Some(row) => Err(format!(
                "{} has an attempt, and its time has been shown by no clock",
                Name(row.id)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::testing::{Bench, setup};

    #[test]
    fn an_attempt_before_its_time_is_seen() {
        let setup = setup();
        let right = Bench::new(&setup, 1_000, &mut StartsInTime::default()).one_runs_later(0);
        assert_eq!(right, Ok(()));
        let early = Bench::new(&setup, 1_000, &mut StartsInTime::default()).one_runs_later(60_000);
        assert!(early.is_err());
    }
}
