//! How much every flow has had of each group of pools that share processes: start-time fair queuing over tokens. A pool
//! that shares none is a group of its own.
//!
//! Each band of each group has a clock of its own that counts tokens over weight. Whoever is served next is charged
//! at once for what its task is expected to cost, and the charge is settled when the true cost is known. Where a
//! flow stands counts for as long as it waits without a break; one that had nothing waiting begins where the clock
//! stands: it has saved nothing up. While two flows both wait, what they get differs from the proportion of their
//! weights by no more than one task each and slot (Goyal, Vin, Cheng 1996).
//!
//! The clock follows those that are served in the order. Who is let go before others, because the model that it wants
//! is loaded, is charged all the same, and moves no clock: it has had its tokens early, and the others lose nothing.
//!
//! Soft: after a recovery every flow begins anew, and what was owed is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use crate::queue::order::{Band, Flow, VirtualTime};

/// Virtual time of one token at weight 1, so that a division by a weight loses nothing that matters.
const TOKEN: u128 = 1 << 20;

/// What a flow was charged for a task, until it is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    /// Of which group of pools, by its number.
    pub(crate) group: usize,
    /// In which band.
    pub(crate) band: Band,
    /// Whose.
    pub(crate) flow: Flow,
    /// Its weight then, at least 1.
    pub(crate) weight: u32,
    /// For how many tokens.
    pub(crate) tokens: u64,
}

/// Virtual time that so many tokens take at a weight.
pub(crate) fn span(tokens: u64, weight: u32) -> u128 {
    u128::from(tokens) * TOKEN / u128::from(weight.max(1))
}

/// Tokens that fit into a virtual time at a weight, rounded up.
pub(crate) fn tokens_in(span: u128, weight: u32) -> u128 {
    (span * u128::from(weight.max(1))).div_ceil(TOKEN)
}

/// The accounts of all groups.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fairness {
    accounts: BTreeMap<(usize, Band), Account>,
}

/// One band of one group.
#[derive(Clone, Debug, Default, PartialEq)]
struct Account {
    /// Where the flow stood that was served last.
    clock: u128,
    /// Where each flow stands that waits, or has had more than the clock says.
    stands: BTreeMap<Flow, u128>,
}

impl Fairness {
    /// How much a flow has had of a group.
    pub(crate) fn had(&self, group: usize, band: Band, flow: Flow) -> VirtualTime {
        let account = self.accounts.get(&(group, band));
        VirtualTime(account.map_or(0, |account| account.had(flow)))
    }

    /// A task of a flow is served, while tasks of all the flows in `waiting` compete for the slot. `in_order`: none of
    /// them was before it.
    pub(crate) fn charge(&mut self, charge: Charge, waiting: &BTreeSet<Flow>, in_order: bool) {
        let account = self
            .accounts
            .entry((charge.group, charge.band))
            .or_default();
        for flow in waiting {
            let begins = account.clock;
            account.stands.entry(*flow).or_insert(begins);
        }
        let start = account.had(charge.flow);
        if in_order {
            account.clock = account.clock.max(start);
        }
        let after = start + span(charge.tokens, charge.weight);
        account.stands.insert(charge.flow, after);
        let clock = account.clock;
        account
            .stands
            .retain(|flow, at| *at > clock || waiting.contains(flow));
    }

    /// What the task really cost is known.
    pub(crate) fn settle(&mut self, charge: Charge, used: u64) {
        let account = self.accounts.get_mut(&(charge.group, charge.band));
        // A flow that the clock has caught up with since has nothing to get back.
        if let Some(at) = account.and_then(|account| account.stands.get_mut(&charge.flow)) {
            let charged = span(charge.tokens, charge.weight);
            *at = (*at + span(used, charge.weight)).saturating_sub(charged);
        }
    }
}

impl Account {
    fn had(&self, flow: Flow) -> u128 {
        self.stands.get(&flow).map_or(self.clock, |at| *at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::TenantId;
    use crate::queue::classes::ClassRank;

    fn flow(tenant: u128) -> Flow {
        Flow {
            tenant: TenantId(tenant),
            class: ClassRank(0),
        }
    }

    fn charge(tenant: u128, weight: u32, tokens: u64) -> Charge {
        Charge {
            group: 0,
            band: Band::FIRST,
            flow: flow(tenant),
            weight,
            tokens,
        }
    }

    fn least(fair: &Fairness, tenants: &[u128]) -> u128 {
        let had = |tenant: &u128| (fair.had(0, Band::FIRST, flow(*tenant)), *tenant);
        tenants.iter().copied().min_by_key(had).unwrap()
    }

    proptest! {
        #[test]
        fn flows_that_always_wait_share_by_weight(
            weights in prop::collection::vec(1u32..20, 2..5),
            costs in prop::collection::vec((1u64..2_000, 0u64..2_000), 400..800),
        ) {
            let mut fair = Fairness::default();
            let tenants: Vec<u128> = (0..weights.len() as u128).collect();
            let all = tenants.iter().map(|tenant| flow(*tenant)).collect();
            let mut got = vec![0u64; weights.len()];
            let most = costs.iter().map(|(guess, used)| *guess.max(used)).max().unwrap();
            for (guess, used) in costs {
                let who = least(&fair, &tenants);
                let index = usize::try_from(who).unwrap();
                let charge = charge(who, weights[index], guess);
                fair.charge(charge, &all, true);
                fair.settle(charge, used);
                got[index] += used;
            }
            for (one, weight) in got.iter().zip(&weights) {
                for (other, other_weight) in got.iter().zip(&weights) {
                    let (one, other) = (one / u64::from(*weight), other / u64::from(*other_weight));
                    let bound = most / u64::from(*weight) + most / u64::from(*other_weight) + 2;
                    prop_assert!(one.abs_diff(other) <= bound, "{one} and {other} differ by more than {bound}");
                }
            }
        }
    }

    #[test]
    fn who_was_idle_has_saved_nothing_up() {
        let mut fair = Fairness::default();
        let (alone, both) = (
            BTreeSet::from([flow(1)]),
            BTreeSet::from([flow(1), flow(2)]),
        );
        for _ in 0..100 {
            fair.charge(charge(1, 1, 1_000), &alone, true);
        }
        // The newcomer is next, and after one task of the same cost they take turns.
        let mut served = Vec::new();
        for _ in 0..6 {
            let who = least(&fair, &[1, 2]);
            fair.charge(charge(who, 1, 1_000), &both, true);
            served.push(who);
        }
        assert_eq!(served, [2, 1, 2, 1, 2, 1]);
    }

    #[test]
    fn a_refund_counts_although_the_clock_went_on() {
        let mut fair = Fairness::default();
        let both = BTreeSet::from([flow(1), flow(2)]);
        let dear = charge(1, 1, 1_000);
        fair.charge(dear, &both, true);
        for _ in 0..5 {
            fair.charge(charge(2, 1, 100), &both, true);
        }
        fair.settle(dear, 100);
        // One has had 100 tokens by now and two 500.
        let served: Vec<_> = (0..5)
            .map(|_| {
                let who = least(&fair, &[1, 2]);
                fair.charge(charge(who, 1, 100), &both, true);
                who
            })
            .collect();
        assert_eq!(served, [1, 1, 1, 1, 1]);
    }

    #[test]
    fn flows_that_came_and_went_are_forgotten() {
        let mut fair = Fairness::default();
        for tenant in 0..10_000 {
            let both = BTreeSet::from([flow(tenant), flow(u128::MAX)]);
            fair.charge(charge(tenant, 1, 10), &both, true);
            fair.charge(charge(u128::MAX, 1, 10), &both, true);
        }
        let account = fair.accounts.get(&(0, Band::FIRST)).unwrap();
        assert!(account.stands.len() <= 3, "{}", account.stands.len());
    }
}
