//! Will it be in time? In whole numbers, so that every machine computes the same.

/// A length of time that is not certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// On average, in milliseconds.
    pub mean_ms: u64,
    /// How far single ones lie from the average, on average, in milliseconds.
    pub deviation_ms: u64,
}

/// When a task would start and how long it would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Milliseconds to the start.
    pub start_ms: u64,
    /// How long it holds its slot then.
    pub service: Spread,
    /// Probability that it has ended by then, in thousandths.
    pub on_time_permille: u32,
}

/// The forecast for a task that must end within `left_ms`, with `ahead` tasks before it over `slots` slots. As
/// many services as are before it add their uncertainty, shared by the slots; sums of many are taken to be normal.
pub(crate) fn forecast(
    left_ms: u64,
    start_ms: u64,
    service: Spread,
    ahead: u64,
    slots: u64,
) -> Forecast {
    // The deviation of a normal distribution is 1.2533 times the mean distance from its mean.
    let sigma = u128::from(service.deviation_ms) * 12_533 / 10_000;
    let slots = u128::from(slots.max(1));
    let before = if start_ms == 0 {
        0
    } else {
        (u128::from(ahead) + 1) * sigma * sigma / (slots * slots)
    };
    let spread = (sigma * sigma + before).isqrt();
    let expected = u128::from(start_ms) + u128::from(service.mean_ms);
    let left = u128::from(left_ms);
    let off = left.abs_diff(expected) * 100;
    let hundredths = off
        .checked_div(spread)
        .unwrap_or(if off == 0 { 0 } else { u128::MAX });
    let beyond = tail_permille(hundredths);
    Forecast {
        start_ms,
        service,
        on_time_permille: if left >= expected {
            1_000 - beyond
        } else {
            beyond
        },
    }
}

/// Thousandths of a normal distribution that lie more than so many hundredths of its deviation to one side.
fn tail_permille(hundredths: u128) -> u32 {
    /// At 0.0, 0.2, 0.4 … 3.2 deviations.
    const TAIL: [u32; 17] = [
        500, 421, 345, 274, 212, 159, 115, 81, 55, 36, 23, 14, 8, 5, 3, 1, 1,
    ];
    const STEP: u128 = 20;
    let index = usize::try_from(hundredths / STEP).unwrap_or(usize::MAX);
    let (Some(low), Some(high)) = (TAIL.get(index), TAIL.get(index.saturating_add(1))) else {
        return 0;
    };
    let part = u32::try_from(hundredths % STEP).unwrap_or(0);
    low - (low - high) * part / 20
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SERVICE: Spread = Spread {
        mean_ms: 1_000,
        deviation_ms: 100,
    };

    fn on_time(left_ms: u64, ahead: u64) -> u32 {
        forecast(left_ms, ahead * 1_000, SERVICE, ahead, 1).on_time_permille
    }

    #[test]
    fn the_middle_and_the_ends() {
        assert_eq!(on_time(1_000, 0), 500);
        assert_eq!(on_time(1_125, 0), 841, "one deviation late");
        assert_eq!(on_time(875, 0), 159);
        assert_eq!(on_time(5_000, 0), 1_000);
        assert_eq!(on_time(0, 0), 0);
        let certain = Spread {
            deviation_ms: 0,
            ..SERVICE
        };
        assert_eq!(forecast(999, 0, certain, 0, 1).on_time_permille, 0);
        assert_eq!(forecast(1_001, 0, certain, 0, 1).on_time_permille, 1_000);
    }

    #[test]
    fn a_long_queue_makes_it_less_certain() {
        let close = on_time(2_200, 1);
        let far = on_time(101_200, 100);
        assert!(close > far && far > 500, "{close} {far}");
    }

    proptest! {
        #[test]
        fn more_time_is_never_worse(
            left in 0u64..1_000_000, more in 0u64..1_000_000, start in 0u64..1_000_000,
            mean_ms in 0u64..100_000, deviation_ms in 0u64..100_000, ahead in 0u64..10_000, slots in 0u64..100,
        ) {
            let service = Spread { mean_ms, deviation_ms };
            let less = forecast(left, start, service, ahead, slots).on_time_permille;
            let more = forecast(left + more, start, service, ahead, slots).on_time_permille;
            prop_assert!(less <= more && more <= 1_000);
        }

        #[test]
        fn nothing_overflows(left: u64, start: u64, mean_ms: u64, deviation_ms in 0..u64::MAX / 4, ahead: u64, slots: u64) {
            let service = Spread { mean_ms, deviation_ms };
            // Squares of such lengths times such a queue are beyond any clock; only what a clock can show counts.
            let ahead = ahead % 1_000_000;
            let service = Spread { deviation_ms: service.deviation_ms % (1 << 50), ..service };
            forecast(left, start, service, ahead, slots);
        }
    }
}
