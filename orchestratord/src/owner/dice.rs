//! Where chance comes from.

use orchestrator_core::entropy::{Entropy, Stream};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// One generator for each named stream.
#[derive(Clone, Debug)]
pub struct Dice {
    attempt_id: ChaCha8Rng,
    backoff: ChaCha8Rng,
}

impl Dice {
    /// Seeded by the operating system.
    #[must_use]
    pub fn from_os() -> Self {
        Self {
            attempt_id: ChaCha8Rng::from_os_rng(),
            backoff: ChaCha8Rng::from_os_rng(),
        }
    }

    /// Seeded by a number, the same numbers each time.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let stream = |number| {
            let mut generator = ChaCha8Rng::seed_from_u64(seed);
            generator.set_stream(number);
            generator
        };
        Self {
            attempt_id: stream(0),
            backoff: stream(1),
        }
    }
}

impl Entropy for Dice {
    fn draw(&mut self, stream: Stream) -> u64 {
        match stream {
            Stream::AttemptId => self.attempt_id.next_u64(),
            Stream::Backoff => self.backoff.next_u64(),
        }
    }
}
