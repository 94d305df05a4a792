//! What is remembered of many measured lengths: how many, their mean and their variance, in whole numbers.

/// Parts of a millisecond in which a sketch counts.
pub(crate) const FINE: u64 = 1_024;

/// Lengths that weigh: a plain mean of up to so many, from then on a moving one in which each new length weighs as
/// much as one of so many.
const WINDOW: u64 = 32;

/// Lengths from which on a spread is believed.
const SPREAD_LEAST: u64 = 4;

/// A bounded summary of lengths of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sketch {
    /// Lengths seen, at most [`WINDOW`].
    count: u64,
    /// In 1/[`FINE`] ms.
    mean: u64,
    /// In squares of that.
    variance: u128,
}

impl Sketch {
    /// One more length; at most a century.
    pub(crate) fn add(&mut self, ms: u64) {
        let value = ms.saturating_mul(FINE);
        self.count = (self.count + 1).min(WINDOW);
        let n = u128::from(self.count);
        let off = u128::from(value.abs_diff(self.mean));
        self.variance = (self.variance + off * off / n) * (n - 1) / n;
        let moved = value.abs_diff(self.mean) / self.count;
        self.mean = if value >= self.mean {
            self.mean + moved
        } else {
            self.mean - moved
        };
    }

    /// The mean, in 1/[`FINE`] ms.
    pub(crate) fn mean(&self) -> u64 {
        self.mean
    }

    /// The variance over the square of the mean, in 1/[`FINE`]; `None` while too little is measured.
    pub(crate) fn dispersion(&self) -> Option<u64> {
        if self.count < SPREAD_LEAST {
            return None;
        }
        let n = u128::from(self.count);
        // What is seen of few lies closer together than all do.
        let variance = self.variance * n / (n - 1);
        let square = u128::from(self.mean.max(1)).pow(2);
        let ratio = variance.saturating_mul(u128::from(FINE)) / square;
        // More than any law of service times in use; beyond it the mean says nothing.
        Some(u64::try_from(ratio).unwrap_or(u64::MAX).min(16 * FINE))
    }

    /// Independent lengths that would know the mean as well.
    pub(crate) fn weight(&self) -> u64 {
        if self.count < WINDOW {
            self.count
        } else {
            2 * WINDOW - 1
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(lengths: impl IntoIterator<Item = u64>) -> Sketch {
        let mut sketch = Sketch::default();
        for ms in lengths {
            sketch.add(ms);
        }
        sketch
    }

    #[test]
    fn of_few_nothing_is_said_and_of_equal_ones_that_they_are_equal() {
        assert_eq!(of([7, 9, 11]).dispersion(), None);
        let equal = of([50; 100]);
        assert_eq!((equal.mean(), equal.dispersion()), (50 * FINE, Some(0)));
    }

    #[test]
    fn a_window_forgets() {
        let moved = of([1_000; 40].into_iter().chain([100; 400]));
        assert!(moved.mean().abs_diff(100 * FINE) < FINE, "{moved:?}");
        assert!(moved.dispersion() < Some(FINE / 50), "{moved:?}");
    }

    proptest! {
        #[test]
        fn few_are_summed_up_exactly(lengths in prop::collection::vec(1_u64..1_000_000, 4..32)) {
            let sketch = of(lengths.iter().copied());
            let n = lengths.len() as f64;
            let mean = lengths.iter().sum::<u64>() as f64 / n;
            let variance = lengths.iter().map(|x| (*x as f64 - mean).powi(2)).sum::<f64>() / (n - 1.0);
            let fine = FINE as f64;
            prop_assert!((sketch.mean() as f64 / fine - mean).abs() < 0.1);
            let ratio = sketch.dispersion().unwrap() as f64 / fine;
            prop_assert!((ratio - variance / mean.powi(2)).abs() < 0.01, "{ratio}");
        }

        #[test]
        fn nothing_overflows(lengths in prop::collection::vec(0_u64..=3_153_600_000_000, 0..80)) {
            let sketch = of(lengths);
            prop_assert!(sketch.dispersion().is_none_or(|ratio| ratio <= 16 * FINE));
        }
    }
}
