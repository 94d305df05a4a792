//! What the owner is given as entropy.

use orchestrator_core::entropy::{Entropy, Stream};
use orchestratord::owner::Dice;

use crate::plant::Plant;

/// The product's dice, seeded by the world; each process has seeds of its own, unless that is the bug.
pub(crate) struct Drawn(Dice);

impl Drawn {
    pub(crate) fn new(seed: u64, process: u64, plant: Option<Plant>) -> Self {
        let process = if plant == Some(Plant::AttemptIdsRepeat) {
            0
        } else {
            process
        };
        Self(Dice::from_seed(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ process,
        ))
    }
}

impl Entropy for Drawn {
    fn draw(&mut self, stream: Stream) -> u64 {
        self.0.draw(stream)
    }
}
