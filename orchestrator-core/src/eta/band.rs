//! Between when and when a task will start, four times of five.

use crate::eta::sketch::FINE;

/// The earliest and the latest time to a start that are still expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartBand {
    /// Milliseconds to the start, of which one in ten is shorter.
    pub low_ms: u64,
    /// Milliseconds to the start, of which one in ten is longer.
    pub high_ms: u64,
}

impl StartBand {
    /// Of who need not wait.
    pub(crate) const AT_ONCE: Self = Self {
        low_ms: 0,
        high_ms: 0,
    };

    /// As wide as it has to be for this to lie inside.
    pub(crate) fn with(self, ms: u64) -> Self {
        Self {
            low_ms: self.low_ms.min(ms),
            high_ms: self.high_ms.max(ms),
        }
    }

    /// The same, so much later.
    pub(crate) fn after(self, pause_ms: u64) -> Self {
        Self {
            low_ms: self.low_ms.saturating_add(pause_ms),
            high_ms: self.high_ms.saturating_add(pause_ms),
        }
    }
}

/// Slots that come free one after the other, as far as is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Departures {
    /// Time from one to the next on average, in 1/[`FINE`] ms.
    pub(crate) gap: u64,
    /// Variance of a service over the square of its mean, in 1/[`FINE`].
    pub(crate) dispersion: u64,
    /// Slots.
    pub(crate) slots: u64,
    /// Independent services that would know the mean as well as it is known.
    pub(crate) weight: u64,
}

/// How many deviations a bound lies off, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) low: u64,
    pub(crate) high: u64,
}

impl Departures {
    /// Milliseconds to the `nth` from now on average: the attempts under way are somewhere in their midst, and those
    /// that last longest are found most often.
    pub(crate) fn mean_ms(self, nth: u64) -> u64 {
        let gaps =
            2 * u128::from(nth) * u128::from(FINE) - u128::from(FINE) + u128::from(self.dispersion);
        let fine = u128::from(self.gap) * gaps / u128::from(2 * FINE);
        u64::try_from(fine / u128::from(FINE)).unwrap_or(u64::MAX)
    }

    /// The band around that. The time to the `nth` departure is taken to follow a gamma law with this mean, and with
    /// a variance of three parts: the services that end before it, how well their mean is known, and that nobody
    /// knows how far those under way have come.
    pub(crate) fn band(self, nth: u64, reach: Reach) -> StartBand {
        let fine = u128::from(FINE);
        let nth = u128::from(nth);
        let dispersion = u128::from(self.dispersion);
        let services = nth * dispersion;
        let unsure = services * nth / u128::from(self.weight.max(1));
        let regular = fine.saturating_sub(dispersion * dispersion / fine);
        let phase = ((2 * u128::from(self.slots) - 1) * regular / 12).min(nth * regular);
        // In squares of a gap, in 1/FINE.
        let variance = services + unsure + phase;
        // In gaps, in 1/FINE.
        let mean = nth * fine - fine / 2 + dispersion / 2;
        // Variance over the square of the mean, in 1/FINE²; where it is beyond 4 the law says nothing.
        let relative = (variance * fine * fine * fine / (mean * mean)).min(4 * fine * fine);
        let mean_fine = u128::from(self.gap) * mean / fine;
        let at = |reach: i128| {
            let ms = quantile(mean_fine, relative, reach) / fine;
            u64::try_from(ms).unwrap_or(u64::MAX)
        };
        let middle = self.mean_ms(u64::try_from(nth).unwrap_or(u64::MAX));
        StartBand {
            low_ms: at(-i128::from(reach.low)).min(middle),
            high_ms: at(i128::from(reach.high)).max(middle),
        }
    }
}

/// The value so many thousandths of a deviation from the middle of a gamma law, by Wilson and Hilferty: the cube root
/// of such a value is normal. `relative` is its variance over the square of its mean, in 1/[`FINE`]².
fn quantile(mean: u128, relative: u128, reach: i128) -> u128 {
    let one = i128::from(FINE) * i128::from(FINE);
    let relative = i128::try_from(relative).unwrap_or(one * 4);
    let deviation = i128::from(FINE) * relative.isqrt();
    let root = (one - relative / 9 + reach * deviation / 3_000).max(0);
    let root = u128::try_from(root / i128::from(FINE)).unwrap_or(0);
    let fine = u128::from(FINE);
    mean.saturating_mul(root * root / fine * root / fine) / fine
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REACH: Reach = Reach {
        low: 1_282,
        high: 1_282,
    };

    fn one_slot(mean_ms: u64, dispersion: u64) -> Departures {
        Departures {
            gap: mean_ms * FINE,
            dispersion,
            slots: 1,
            weight: u64::MAX,
        }
    }

    #[test]
    fn of_a_memoryless_service_the_rest_is_as_long_as_the_whole() {
        let law = one_slot(1_000, FINE);
        assert_eq!(law.mean_ms(1), 1_000);
        let StartBand { low_ms, high_ms } = law.band(1, REACH);
        // -ln 0.9 and -ln 0.1.
        assert!(low_ms.abs_diff(105) < 15, "{low_ms}");
        assert!(high_ms.abs_diff(2_303) < 50, "{high_ms}");
    }

    #[test]
    fn of_equal_services_half_a_one_is_left() {
        let law = one_slot(1_000, 0);
        assert_eq!((law.mean_ms(1), law.mean_ms(4)), (500, 3_500));
        let StartBand { low_ms, high_ms } = law.band(1, REACH);
        assert!((100..300).contains(&low_ms), "{low_ms}");
        assert!((800..950).contains(&high_ms), "{high_ms}");
        let StartBand { low_ms, high_ms } = law.band(4, REACH);
        assert!(low_ms > 3_000 && high_ms < 4_000, "{low_ms} {high_ms}");
    }

    #[test]
    fn what_is_known_badly_has_a_wide_band() {
        let known = one_slot(1_000, FINE);
        let unsure = Departures { weight: 4, ..known };
        assert!(unsure.band(20, REACH).high_ms > known.band(20, REACH).high_ms + 1_000);
    }

    proptest! {
        #[test]
        fn the_estimate_lies_inside(
            mean_ms in 1_u64..1_000_000, dispersion in 0..16 * FINE, nth in 1_u64..1_000_000,
            slots in 1_u64..10_000, weight in 1_u64..64, low in 0_u64..=16_000, high in 0_u64..=16_000,
        ) {
            let law = Departures { gap: mean_ms * FINE / slots, dispersion, slots, weight };
            let band = law.band(nth, Reach { low, high });
            let middle = law.mean_ms(nth);
            prop_assert!(band.low_ms <= middle && middle <= band.high_ms, "{band:?} {middle}");
        }

        #[test]
        fn nothing_overflows(
            gap in 0..=3_153_600_000_000 * FINE, dispersion in 0..=16 * FINE, nth in 1..=1_u64 << 32,
            slots in 1..=1_u64 << 32, weight: u64, low in 0_u64..=16_000, high in 0_u64..=16_000,
        ) {
            let law = Departures { gap, dispersion, slots, weight };
            law.band(nth, Reach { low, high });
        }
    }
}
