//! Chance, always passed in, in named streams so that one more draw moves nothing else.

/// What a draw is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Ids of attempts.
    AttemptId,
    /// Jitter of retries.
    Backoff,
}

/// Source of random bits. Production seeds it from the operating system, tests and simulation from a number.
pub trait Entropy {
    /// The next 64 bits of a stream.
    fn draw(&mut self, stream: Stream) -> u64;
}
