//! How much may be under way.

/// Bounds of the owner's lanes, batches and patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerLimits {
    /// Inputs stepped into one batch at most. Commands that were handed over together are stepped into it whole once
    /// there is room for one, so that they are in one commit: such a batch may exceed every bound by all of them.
    pub batch_inputs: usize,
    /// Mutations at which a batch takes no further input; the last input may exceed it by its own few.
    pub batch_mutations: usize,
    /// Mutations from which a commit is made beside the owner's thread, which steps the next batch meanwhile.
    pub commit_beside_mutations: usize,
    /// Microseconds that the last commit must have stayed below for a command that comes alone, soon after another, to be
    /// carried out by who brings it, without waking the owner's thread; 0: never. Whoever brings it can do nothing else
    /// meanwhile; see [`Outlet::relief`](super::Outlet::relief).
    pub stand_in_commit_us: u64,
    /// How soon after the last turn it must come for that, in milliseconds; and how long it may take before the relief is
    /// called.
    pub stand_in_watch_ms: u64,
    /// Bytes of prompts and texts at which a batch takes no further input.
    pub batch_bytes: usize,
    /// Of those inputs, how many are kept for commands when reports press.
    pub batch_commands_least: usize,
    /// Commands that may wait.
    pub command_lane: usize,
    /// Batches of commands that may wait, however many commands they are.
    pub batch_lane: usize,
    /// Cancels that may wait, in the lane of the reports.
    pub cancel_lane: usize,
    /// Reports that may wait; further reporters wait in turn.
    pub report_lane: usize,
    /// Live reads that may wait.
    pub live_lane: usize,
    /// Milliseconds after which a turned-away command may be worth trying again.
    pub retry_after_ms: u64,
    /// Times that a commit is tried, or its outcome probed, before the owner steps down.
    pub store_tries: u32,
    /// Pause after the first failed try, doubled with each, in milliseconds.
    pub store_pause_ms: u64,
    /// Longest such pause.
    pub store_pause_max_ms: u64,
    /// Pause before the first recovery after stepping down, doubled while no commit succeeds.
    pub recovery_pause_ms: u64,
    /// Longest such pause.
    pub recovery_pause_max_ms: u64,
}

impl Default for OwnerLimits {
    fn default() -> Self {
        Self {
            batch_inputs: 1_024,
            batch_mutations: 2_048,
            commit_beside_mutations: 128,
            stand_in_commit_us: 0,
            stand_in_watch_ms: 5,
            batch_bytes: 8 << 20,
            batch_commands_least: 128,
            command_lane: 1_024,
            batch_lane: 128,
            cancel_lane: 256,
            report_lane: 1_024,
            live_lane: 1_024,
            retry_after_ms: 1_000,
            store_tries: 8,
            store_pause_ms: 10,
            store_pause_max_ms: 1_000,
            recovery_pause_ms: 100,
            recovery_pause_max_ms: 10_000,
        }
    }
}

impl OwnerLimits {
    /// Pause after so many failed tries of the store.
    pub(super) fn store_pause(&self, tries: u32) -> u64 {
        doubled(self.store_pause_ms, tries, self.store_pause_max_ms)
    }

    /// Pause before a recovery after so many that came to nothing.
    pub(super) fn recovery_pause(&self, failed: u32) -> u64 {
        doubled(
            self.recovery_pause_ms,
            failed + 1,
            self.recovery_pause_max_ms,
        )
    }
}

/// `first`, doubled for each time after the first, `most` at most.
fn doubled(first: u64, times: u32, most: u64) -> u64 {
    let factor = 1u64
        .checked_shl(times.saturating_sub(1))
        .unwrap_or(u64::MAX);
    first.saturating_mul(factor).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound() {
        let pauses: Vec<_> = (1..=6).map(|times| doubled(10, times, 100)).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 100, 100]);
        assert_eq!(doubled(10, 200, 100), 100);
    }
}
