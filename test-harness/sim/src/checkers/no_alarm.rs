//! Owner and store never disagree.

use orchestratord::owner::Notice;

use super::book::Book;
use super::court::Checker;
use super::sight::Sight;

/// Watches that no owner ever steps down with an alarm: that is what it does when a guard of the store fails
/// although its fence holds.
#[derive(Debug, Default)]
pub(super) struct NoAlarm;

impl Checker for NoAlarm {
    fn property(&self) -> &'static str {
        "owner and store agree"
    }

    fn promise(&self) -> &'static str {
        "no guard of the store ever fails for an owner whose fence holds"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        match sight {
            Sight::Notice {
                notice:
                    Notice::SteppedDown {
                        detail,
                        alarm: true,
                    },
                ..
            } => Err(detail.clone()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_seen() {
        let mut checker = NoAlarm;
        let mut notice = |alarm| {
            let notice = Notice::SteppedDown {
                detail: "a guard failed".to_owned(),
                alarm,
            };
            let sight = Sight::Notice {
                daemon: 0,
                notice: &notice,
            };
            checker.see(&sight, &Book::default())
        };
        assert_eq!(notice(false), Ok(()));
        assert!(notice(true).is_err());
    }
}
