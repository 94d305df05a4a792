//! How good the bands are, and what is learned from it.

use std::collections::BTreeMap;

use crate::eta::band::{Reach, StartBand};
use crate::queue::ClassRank;

/// Where a start lay that a band had been promised for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartOutcome {
    /// Before the band.
    Early,
    /// In the band, its ends included.
    Inside,
    /// After the band.
    Late,
}

impl StartOutcome {
    /// Its name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::Inside => "inside",
            Self::Late => "late",
        }
    }
}

impl StartBand {
    /// Where a start after so many milliseconds lies.
    #[must_use]
    pub fn judge(self, start_ms: u64) -> StartOutcome {
        if start_ms < self.low_ms {
            StartOutcome::Early
        } else if start_ms > self.high_ms {
            StartOutcome::Late
        } else {
            StartOutcome::Inside
        }
    }
}

/// Bands promised at acceptance, by what became of them. Tasks that were dispatched as they were accepted are none
/// of them, nor are those that ended before they started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Predictions {
    /// Starts before the band.
    pub early: u64,
    /// Starts in the band.
    pub inside: u64,
    /// Starts after the band.
    pub late: u64,
}

impl Predictions {
    fn add(&mut self, outcome: StartOutcome) {
        match outcome {
            StartOutcome::Early => self.early += 1,
            StartOutcome::Inside => self.inside += 1,
            StartOutcome::Late => self.late += 1,
        }
    }
}

/// Each end of a band is to be missed by one start in ten. It moves away by nine parts at a miss and back by one at
/// each other start, so that in the long run it is, whatever the law of services knows nothing of: tasks that come
/// later and go first, clients that act on what they are told.
/// A part of the reach, and at least so many thousandths.
const STEP: u64 = 5;
const STEP_PART: u64 = 400;

/// A tenth of a normal distribution lies beyond so many thousandths of its deviation.
const REACH_FIRST: u64 = 1_282;

/// Beyond it a band would say nothing.
const REACH_MAX: u64 = 16_000;

/// What is learned, for each class. Soft: a new machine begins anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Calibration {
    /// Nothing is learned yet of those that are not here.
    classes: BTreeMap<ClassRank, Learned>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Learned {
    reach: Reach,
    seen: Predictions,
}

impl Default for Learned {
    fn default() -> Self {
        Self {
            reach: Reach {
                low: REACH_FIRST,
                high: REACH_FIRST,
            },
            seen: Predictions::default(),
        }
    }
}

impl Calibration {
    /// How far the ends of a class's bands lie off.
    pub(crate) fn reach(&self, class: ClassRank) -> Reach {
        self.of(class).reach
    }

    /// What became of a class's bands.
    pub(crate) fn seen(&self, class: ClassRank) -> Predictions {
        self.of(class).seen
    }

    /// A task of a class has started.
    pub(crate) fn add(&mut self, class: ClassRank, outcome: StartOutcome) {
        let class = self.classes.entry(class).or_default();
        class.seen.add(outcome);
        learn(&mut class.reach.low, outcome == StartOutcome::Early);
        learn(&mut class.reach.high, outcome == StartOutcome::Late);
    }

    fn of(&self, class: ClassRank) -> Learned {
        self.classes.get(&class).copied().unwrap_or_default()
    }
}

fn learn(reach: &mut u64, missed: bool) {
    let step = STEP.max(*reach / STEP_PART);
    *reach = if missed {
        (*reach + 9 * step).min(REACH_MAX)
    } else {
        reach.saturating_sub(step)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERACTIVE: ClassRank = ClassRank(0);
    const BATCH: ClassRank = ClassRank(1);

    #[test]
    fn the_ends_belong_to_the_band() {
        let band = StartBand {
            low_ms: 10,
            high_ms: 20,
        };
        let judged = [9, 10, 20, 21].map(|ms| band.judge(ms));
        use StartOutcome::{Early, Inside, Late};
        assert_eq!(judged, [Early, Inside, Inside, Late]);
    }

    #[test]
    fn one_miss_in_ten_on_each_side_leaves_it_as_it_is() {
        let mut calibration = Calibration::default();
        let before = calibration.reach(BATCH);
        for _ in 0..100 {
            calibration.add(BATCH, StartOutcome::Early);
            calibration.add(BATCH, StartOutcome::Late);
            for _ in 0..8 {
                calibration.add(BATCH, StartOutcome::Inside);
            }
        }
        assert_eq!(calibration.reach(BATCH), before);
        let seen = calibration.seen(BATCH);
        assert_eq!((seen.early, seen.inside, seen.late), (100, 800, 100));
        assert_eq!(calibration.seen(INTERACTIVE), Predictions::default());
    }

    #[test]
    fn who_is_always_late_gets_a_later_end_and_who_never_is_a_nearer_one() {
        let mut calibration = Calibration::default();
        for _ in 0..1_000 {
            calibration.add(BATCH, StartOutcome::Late);
            calibration.add(INTERACTIVE, StartOutcome::Inside);
        }
        assert_eq!(calibration.reach(BATCH).high, REACH_MAX);
        assert_eq!(calibration.reach(BATCH).low, 0);
        assert_eq!(calibration.reach(INTERACTIVE).high, 0);
    }
}
