//! The conformance suite, on a real file.

use store_sqlite::{SqliteReader, SqliteStore};
use tempfile::TempDir;
use test_harness_store_suite::{Bench, store_suite};

struct Sqlite {
    // Closed before its directory goes.
    store: SqliteStore,
    dir: TempDir,
}

impl Sqlite {
    fn open(dir: TempDir) -> Self {
        let store = SqliteStore::open(dir.path(), "the conformance suite").unwrap();
        Self { store, dir }
    }
}

impl Bench for Sqlite {
    type Owner = SqliteStore;
    type Reader = SqliteReader;

    fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap())
    }

    fn owner(&mut self) -> &mut SqliteStore {
        &mut self.store
    }

    fn reader(&self) -> SqliteReader {
        self.store.reader()
    }

    fn reopened(self) -> Self {
        let Self { store, dir } = self;
        drop(store);
        Self::open(dir)
    }
}

store_suite!(Sqlite);
