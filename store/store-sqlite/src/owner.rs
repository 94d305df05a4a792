//! The owner's face.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orchestrator_core::id::{Epoch, TaskId};
use orchestrator_core::key::KeyRecord;
use orchestrator_core::task::TaskRecord;
use rusqlite::{Connection, TransactionBehavior};
use store::{ColdStore, Commit, CommitError, Loaded, OpenError, OwnerStore, Probe, ReadError};

use crate::lock::DirLock;
use crate::place::Place;
use crate::{HolderNote, SqliteReader, commit, error, file, load};

/// Name of the file in its directory.
const FILE_NAME: &str = "orchestrator.db";

/// The store of one data directory, which it holds until it is dropped.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    place: Arc<Place>,
    lock: Arc<DirLock>,
}

impl SqliteStore {
    /// Opens the store in `dir`, both made if they do not exist, and holds the directory as `holder`.
    ///
    /// # Errors
    /// [`OpenError::Held`] if another process holds the directory; [`OpenError::Unusable`] if the file is
    /// damaged, not ours or of a newer version, in which case it is left as it was; [`OpenError::Io`] if
    /// the operating system refuses.
    pub fn open(dir: &Path, holder: &str) -> Result<Self, OpenError> {
        std::fs::create_dir_all(dir).map_err(|source| OpenError::Io {
            path: dir.to_owned(),
            source,
        })?;
        let lock = DirLock::take(dir, holder)?;
        let path = dir.join(FILE_NAME);
        let connection = file::open_writer(&path)?;
        let place = Place::of(&path).map_err(|source| OpenError::Io {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            connection,
            path,
            place: Arc::new(place),
            lock,
        })
    }

    /// Lets the holder say where it is once it knows.
    #[must_use]
    pub fn note(&self) -> HolderNote {
        HolderNote::new(&self.lock)
    }

    /// A reader of the same file, for any number of tasks.
    #[must_use]
    pub fn reader(&self) -> SqliteReader {
        SqliteReader::new(self.path.clone(), Arc::clone(&self.place))
    }

    /// Every key there ever was, without beginning a term: for whoever must know before there is an owner.
    ///
    /// # Errors
    /// [`ReadError`] if the store cannot be read.
    pub fn keys(&self) -> Result<Vec<KeyRecord>, ReadError> {
        load::keys(&self.connection).map_err(|error| error::reading(&error))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A read-only connection for what has ended.
struct SqliteCold(Connection);

impl ColdStore for SqliteCold {
    fn prefetch(&mut self, tasks: &[TaskId]) -> Result<Vec<TaskRecord>, ReadError> {
        load::ended(&self.0, tasks).map_err(|error| error::reading(&error))
    }
}

impl OwnerStore for SqliteStore {
    fn load(&mut self) -> Result<Loaded, ReadError> {
        if let Some(trouble) = self.place.trouble() {
            return Err(ReadError(trouble));
        }
        let loaded = load::load(&mut self.connection);
        // The load began a term, so there is a log now.
        self.place.with_log();
        loaded
            .and_then(|loaded| file::is_whole(&self.connection).map(|()| loaded))
            .map_err(|error| error::loading(&self.path, &error))
    }

    fn cold(&self) -> Result<Box<dyn ColdStore>, ReadError> {
        let connection = file::open_reader(&self.path).map_err(|error| error::reading(&error))?;
        // After it was opened, so that it is this file's.
        match self.place.trouble() {
            Some(trouble) => Err(ReadError(trouble)),
            None => Ok(Box::new(SqliteCold(connection))),
        }
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), CommitError> {
        if let Some(trouble) = self.place.trouble() {
            return Err(CommitError::NotApplied(trouble));
        }
        commit::commit(&self.connection, commit)
    }

    fn probe(&mut self, epoch: Epoch) -> Result<Probe, CommitError> {
        if let Some(trouble) = self.place.trouble() {
            // What is in a file that nobody finds again is not durable, and what will be found is not known yet.
            return Err(CommitError::Unknown(trouble));
        }
        let unknown = |error: rusqlite::Error| CommitError::Unknown(error.to_string());
        load::take_back(&self.connection).map_err(unknown)?;
        let term = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(unknown)?;
        let probe = load::next_term(&term, epoch).map_err(unknown)?;
        let Some(probe) = probe else {
            return Err(CommitError::Fenced(format!("term {} is over", epoch.0)));
        };
        term.commit().map_err(unknown)?;
        Ok(probe)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use orchestrator_core::id::PayloadRef;
    use orchestrator_core::mutation::Mutation;
    use orchestrator_core::time::WallMs;
    use store::{Payload, TaskBody};
    use test_harness_store_suite::task;

    use super::*;

    fn limit_pages(store: &SqliteStore, pages: u32) {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        store.connection.query_row(&pragma, [], |_| Ok(())).unwrap();
    }

    /// SQLite's own limit gives the same result code as a full disk.
    #[test]
    fn a_full_disk_is_not_applied_and_the_same_commit_passes_later() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(dir.path(), "me").unwrap();
        let body = TaskBody {
            prompt: "p".repeat(1 << 20),
            metadata: vec![],
        };
        let commit = Commit {
            epoch: store.load().unwrap().epoch,
            commit_seq: 1,
            at: WallMs(1),
            mutations: vec![Mutation::TaskInsert {
                record: Arc::new(task(1)),
                body: PayloadRef(1),
            }],
            payloads: HashMap::from([(PayloadRef(1), Payload::Body(body))]),
            events: vec![],
        };
        limit_pages(&store, 40);
        let outcome = store.commit(&commit);
        assert!(
            matches!(outcome, Err(CommitError::NotApplied(_))),
            "{outcome:?}"
        );
        limit_pages(&store, 1_000_000);
        store.commit(&commit).unwrap();
        let loaded = store.load().unwrap();
        assert_eq!((loaded.commit_seq, loaded.tasks), (1, vec![task(1)]));
    }

    fn pragma(connection: &Connection, name: &str) -> rusqlite::types::Value {
        let value = connection.pragma_query_value(None, name, |row| row.get(0));
        value.unwrap()
    }

    #[test]
    fn the_connection_syncs_every_commit() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), "me").unwrap();
        let pragma = |name| pragma(&store.connection, name);
        assert_eq!(pragma("journal_mode"), "wal".to_owned().into());
        assert_eq!(pragma("synchronous"), 2.into());
        assert_eq!(pragma("page_size"), 2_048.into());
        assert_eq!(pragma("wal_autocheckpoint"), 1_000.into());
    }

    /// As one that was made while pages had SQLite's own size.
    #[test]
    fn a_file_keeps_the_pages_that_it_was_made_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = SqliteStore::open(dir.path(), "me").unwrap().path.clone();
        Connection::open(path)
            .unwrap()
            .execute_batch("PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM")
            .unwrap();
        let mut store = SqliteStore::open(dir.path(), "me").unwrap();
        assert_eq!(pragma(&store.connection, "page_size"), 4_096.into());
        assert_eq!(store.load().unwrap().commit_seq, 0);
    }
}
