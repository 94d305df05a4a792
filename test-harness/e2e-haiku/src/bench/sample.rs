//! Many measurements of one thing, and what they come to.

use std::time::Duration;

/// Measurements of one duration.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    sorted: bool,
    nanoseconds: Vec<u64>,
}

impl Sample {
    pub(super) fn add(&mut self, duration: Duration) {
        self.sorted = false;
        self.nanoseconds
            .push(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.sorted = false;
        self.nanoseconds.extend(&other.nanoseconds);
    }

    pub(super) fn count(&self) -> usize {
        self.nanoseconds.len()
    }

    /// The duration that a share of them does not exceed, in milliseconds; 0 of none.
    pub(super) fn ms(&mut self, share: f64) -> f64 {
        if !self.sorted {
            self.nanoseconds.sort_unstable();
            self.sorted = true;
        }
        // The nearest rank: a value that was measured, and none between two.
        let rank = (share * self.nanoseconds.len() as f64).ceil() as usize;
        let at = rank.max(1) - 1;
        self.nanoseconds.get(at).map_or(0.0, |it| *it as f64 / 1e6)
    }

    /// The same in microseconds.
    pub(super) fn us(&mut self, share: f64) -> f64 {
        self.ms(share) * 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_what_was_measured() {
        let mut sample = Sample::default();
        assert_eq!(sample.ms(0.5), 0.0);
        for ms in (1..=100).rev() {
            sample.add(Duration::from_millis(ms));
        }
        assert_eq!((sample.ms(0.5), sample.ms(0.99)), (50.0, 99.0));
        assert_eq!((sample.ms(0.999), sample.us(0.0)), (100.0, 1_000.0));
    }
}
