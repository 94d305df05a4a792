//! The conformance suite.

use store_memory::MemoryStore;
use test_harness_store_suite::{Bench, store_suite};

struct Memory(MemoryStore);

impl Bench for Memory {
    type Owner = MemoryStore;
    type Reader = MemoryStore;

    fn new() -> Self {
        Self(MemoryStore::new())
    }

    fn owner(&mut self) -> &mut MemoryStore {
        &mut self.0
    }

    fn reader(&self) -> MemoryStore {
        self.0.clone()
    }

    fn reopened(self) -> Self {
        Self(self.0.snapshot())
    }
}

store_suite!(Memory);
