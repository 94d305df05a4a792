//! The conformance suite of all stores, on the simulated one.

use test_harness_sim::world::SimStore;
use test_harness_store_suite::{Bench, store_suite};

struct Simulated(SimStore);

impl Bench for Simulated {
    type Owner = SimStore;
    type Reader = SimStore;

    fn new() -> Self {
        Self(SimStore::new(None))
    }

    fn owner(&mut self) -> &mut SimStore {
        &mut self.0
    }

    fn reader(&self) -> SimStore {
        self.0.clone()
    }

    fn reopened(self) -> Self {
        Self(self.0.snapshot())
    }
}

store_suite!(Simulated);
