//! Is there another attempt after this one, and when?

use crate::entropy::{Entropy, Stream};
use crate::task::TaskFault;

/// How often, and after which pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryLimits {
    /// Attempts that an engine may fail; with the last of them the task fails. At least 1.
    pub failures: u32,
    /// Attempts that may be lost with their owner or runner; with the last of them the task is parked.
    /// At least 1.
    pub interruptions: u32,
    /// Longest pause before the second attempt, in milliseconds; doubles with every further one.
    pub backoff_base_ms: u64,
    /// Longest pause of all, in milliseconds.
    pub backoff_cap_ms: u64,
}

/// What follows an attempt that broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Nothing: the task fails.
    Fail,
    /// Another attempt after a pause.
    Later,
    /// Another attempt as soon as a slot is free.
    Now,
    /// Nothing until a person has looked.
    Park,
}

/// Decides by the fault and by how many attempts the task has lost so far, this one included.
///
/// The first interruption is followed by another attempt at once: it is nearly always a restart of the daemon,
/// and nothing suggests that the next attempt would meet it again. Every fault is named here, so that a new
/// one must decide.
#[must_use]
pub fn retry(fault: TaskFault, failures: u32, interruptions: u32, limits: &RetryLimits) -> Retry {
    match fault {
        TaskFault::DecodeTimeout | TaskFault::WorkerReset if failures >= limits.failures => {
            Retry::Fail
        }
        TaskFault::DecodeTimeout | TaskFault::WorkerReset => Retry::Later,
        TaskFault::Interrupted if interruptions >= limits.interruptions => Retry::Park,
        TaskFault::Interrupted if interruptions <= 1 => Retry::Now,
        TaskFault::Interrupted => Retry::Later,
        TaskFault::ContextExceeded
        | TaskFault::DeadlineUnmet
        | TaskFault::EngineRefused
        | TaskFault::PoolUnavailable
        | TaskFault::QueueFullDropLru
        | TaskFault::QueueFullShed
        | TaskFault::ReplicaSetGone
        | TaskFault::StreamDiverged => Retry::Fail,
    }
}

/// The pause before the next attempt, in milliseconds: anything from 1 to the bound, all equally likely
/// ("full jitter"). The bound is the base, doubled for every attempt lost after the first, up to the cap.
pub fn backoff_ms(lost: u32, limits: &RetryLimits, entropy: &mut dyn Entropy) -> u64 {
    let doublings = lost.saturating_sub(1).min(63);
    let bound = limits
        .backoff_base_ms
        .saturating_mul(1 << doublings)
        .min(limits.backoff_cap_ms)
        .max(1);
    // The bound is tiny beside 2^64, so the bias of the remainder is too.
    entropy.draw(Stream::Backoff) % bound + 1
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;

    const LIMITS: RetryLimits = RetryLimits {
        failures: 3,
        interruptions: 10,
        backoff_base_ms: 500,
        backoff_cap_ms: 30_000,
    };

    struct Fixed(u64);

    impl Entropy for Fixed {
        fn draw(&mut self, stream: Stream) -> u64 {
            assert_eq!(stream, Stream::Backoff);
            self.0
        }
    }

    #[test]
    fn every_fault() {
        let faults = [
            TaskFault::ContextExceeded,
            TaskFault::DeadlineUnmet,
            TaskFault::DecodeTimeout,
            TaskFault::EngineRefused,
            TaskFault::Interrupted,
            TaskFault::PoolUnavailable,
            TaskFault::QueueFullDropLru,
            TaskFault::QueueFullShed,
            TaskFault::ReplicaSetGone,
            TaskFault::StreamDiverged,
            TaskFault::WorkerReset,
        ];
        let mut table = String::new();
        for fault in faults {
            for lost in [1, 2, 3, 9, 10] {
                let verdict = retry(fault, lost, lost, &LIMITS);
                writeln!(table, "{:<17} {lost:>2} {verdict:?}", format!("{fault:?}"))
                    .expect("writing to a string cannot fail");
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn the_bound_doubles_up_to_the_cap() {
        let bounds: Vec<u64> = (1..=9)
            .map(|lost| {
                let bound = 500_u64.saturating_mul(1 << (lost - 1)).min(30_000);
                backoff_ms(lost, &LIMITS, &mut Fixed(bound - 1))
            })
            .collect();
        assert_eq!(
            bounds,
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
    }

    proptest! {
        #[test]
        fn a_pause_is_inside_the_bound(lost in any::<u32>(), draw in any::<u64>(), base in any::<u64>(), cap in any::<u64>()) {
            let limits = RetryLimits { backoff_base_ms: base, backoff_cap_ms: cap, ..LIMITS };
            let pause = backoff_ms(lost, &limits, &mut Fixed(draw));
            prop_assert!(1 <= pause && pause <= cap.max(1));
        }
    }
}
