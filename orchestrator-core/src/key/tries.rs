//! How often one address may be wrong.
//!
//! A key has 256 bits, so nobody guesses one; what is bounded here is the noise that trying makes: log lines, and
//! answers that invite another try. Whoever has a right key is let in whatever others at the same address do, so
//! only a try that has failed is counted.

use std::collections::BTreeMap;

use crate::time::MonoMs;

/// An address, as whoever knows addresses writes it in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub u128);

/// How often is too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TriesLimits {
    /// Failed tries that are answered as such in a row; at least 1.
    pub burst: u32,
    /// Milliseconds after which one more is; at least 1.
    pub refill_ms: u64,
    /// Addresses that are remembered; at least 1.
    pub peers_max: usize,
}

impl Default for TriesLimits {
    fn default() -> Self {
        Self {
            burst: 10,
            refill_ms: 6_000,
            peers_max: 4_096,
        }
    }
}

/// The failed tries of each address, as a bucket that fills again with time. One that is full again is forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tries {
    limits: TriesLimits,
    /// When each bucket will be full again.
    full_at: BTreeMap<PeerKey, MonoMs>,
}

impl Tries {
    /// Nobody has failed yet.
    #[must_use]
    pub fn new(limits: TriesLimits) -> Self {
        Self {
            limits,
            full_at: BTreeMap::new(),
        }
    }

    /// A try has failed.
    ///
    /// # Errors
    /// Too many have: milliseconds until the next one is answered as what it is. This one does not count.
    pub fn failed(&mut self, now: MonoMs, peer: PeerKey) -> Result<(), u64> {
        let TriesLimits {
            burst,
            refill_ms,
            peers_max,
        } = self.limits;
        let full_at = self.full_at.get(&peer).copied().unwrap_or(now).max(now);
        let after = full_at + refill_ms;
        let empty_at = now + refill_ms.saturating_mul(u64::from(burst));
        if after > empty_at {
            return Err(after - empty_at);
        }
        if self.full_at.len() >= peers_max && !self.full_at.contains_key(&peer) {
            self.make_room(now);
        }
        self.full_at.insert(peer, after);
        Ok(())
    }

    /// Addresses that are remembered.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.full_at.len()
    }

    /// Forgets whoever has a full bucket again; if nobody has, who has the fullest.
    fn make_room(&mut self, now: MonoMs) {
        let before = self.full_at.len();
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() == before {
            let fullest = self.full_at.iter().min_by_key(|(_, full_at)| **full_at);
            if let Some((peer, _)) = fullest.map(|(peer, at)| (*peer, *at)) {
                self.full_at.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: TriesLimits = TriesLimits {
        burst: 3,
        refill_ms: 100,
        peers_max: 2,
    };

    #[test]
    fn a_burst_is_answered_and_then_one_for_each_refill() {
        let mut tries = Tries::new(LIMITS);
        let mut fail = |at| tries.failed(MonoMs(at), PeerKey(1));
        assert_eq!([fail(0), fail(0), fail(0)], [Ok(()); 3]);
        assert_eq!([fail(0), fail(30)], [Err(100), Err(70)]);
        assert_eq!([fail(100), fail(100)], [Ok(()), Err(100)]);
        // Long after, the whole burst is there again.
        assert_eq!([fail(9_000), fail(9_000), fail(9_000)], [Ok(()); 3]);
        assert_eq!(fail(9_000), Err(100));
    }

    #[test]
    fn one_address_is_not_another() {
        let mut tries = Tries::new(LIMITS);
        for _ in 0..4 {
            let _counted = tries.failed(MonoMs(0), PeerKey(1));
        }
        assert_eq!(tries.failed(MonoMs(0), PeerKey(2)), Ok(()));
        assert_eq!(tries.failed(MonoMs(0), PeerKey(1)), Err(100));
    }

    #[test]
    fn who_has_failed_least_is_forgotten_for_a_newcomer() {
        let mut tries = Tries::new(LIMITS);
        for _ in 0..3 {
            assert_eq!(tries.failed(MonoMs(0), PeerKey(1)), Ok(()));
        }
        assert_eq!(tries.failed(MonoMs(0), PeerKey(2)), Ok(()));
        assert_eq!(tries.failed(MonoMs(0), PeerKey(3)), Ok(()));
        assert_eq!(tries.peers(), 2);
        assert!(tries.failed(MonoMs(0), PeerKey(1)).is_err());
    }

    proptest! {
        /// In no stretch of time are more failures answered than the burst and what came back meanwhile, and never
        /// is more remembered than may be.
        #[test]
        fn no_more_are_answered_than_the_limits_say(
            waits in prop::collection::vec((0_u64..150, 0_u128..2), 1..200),
        ) {
            let mut tries = Tries::new(LIMITS);
            let mut now = 0;
            let mut answered: Vec<(u64, u128)> = Vec::new();
            for (wait, peer) in waits {
                now += wait;
                if tries.failed(MonoMs(now), PeerKey(peer)).is_ok() {
                    answered.push((now, peer));
                }
                prop_assert!(tries.peers() <= LIMITS.peers_max);
            }
            for peer in 0..2 {
                let at: Vec<u64> = answered.iter().filter(|(_, who)| *who == peer).map(|(at, _)| *at).collect();
                for (first, from) in at.iter().enumerate() {
                    for (last, to) in at.iter().enumerate().skip(first) {
                        let most = u64::from(LIMITS.burst) + (to - from) / LIMITS.refill_ms;
                        prop_assert!((last - first + 1) as u64 <= most + 1);
                    }
                }
            }
        }
    }
}
