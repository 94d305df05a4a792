//! What happens next: events in order of virtual time, those of one moment in an order that the seed draws.

use std::collections::BTreeMap;

use crate::chance::{Chance, Lane};

/// Microseconds since the world began.
pub type Micros = u64;

/// One second.
pub const SECOND: Micros = 1_000_000;
/// One millisecond.
pub const MILLI: Micros = 1_000;

/// Events to come. The tie-break is drawn, so that every order of events at one moment is met by some seed.
#[derive(Debug)]
pub struct Agenda<E> {
    events: BTreeMap<(Micros, u64, u64), E>,
    ties: Chance,
    added: u64,
}

impl<E> Agenda<E> {
    /// Nothing to come.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            events: BTreeMap::new(),
            ties: Chance::new(seed, Lane::Ties),
            added: 0,
        }
    }

    /// Adds an event.
    pub fn add(&mut self, at: Micros, event: E) {
        self.added += 1;
        let tie = self.ties.bits();
        self.events.insert((at, tie, self.added), event);
    }

    /// Takes the next event.
    pub fn pop(&mut self) -> Option<(Micros, E)> {
        let ((at, ..), event) = self.events.pop_first()?;
        Some((at, event))
    }

    /// Events to come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(seed: u64) -> Vec<u32> {
        let mut agenda = Agenda::new(seed);
        for event in 0..6 {
            agenda.add(10, event);
        }
        agenda.add(5, 100);
        std::iter::from_fn(|| agenda.pop().map(|(_, event)| event)).collect()
    }

    #[test]
    fn time_comes_first_and_the_seed_decides_the_rest() {
        let one = order(1);
        assert_eq!(one[0], 100);
        assert_eq!(one, order(1));
        assert!((2..40).any(|seed| order(seed) != one));
    }
}
