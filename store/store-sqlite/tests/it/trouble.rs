//! What SQLite says when the world is in the way.

use std::collections::HashMap;
use std::sync::Arc;

use orchestrator_core::id::PayloadRef;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::time::WallMs;
use rusqlite::Connection;
use store::{Commit, CommitError, OwnerStore, Payload, ReadError, ReadStore, TaskBody};
use store_sqlite::{SqliteReader, SqliteStore};
use test_harness_store_suite::task;

fn commit(store: &mut SqliteStore, prompt: &str) -> Commit {
    let loaded = store.load().unwrap();
    let body = TaskBody {
        prompt: prompt.to_owned(),
        metadata: vec![],
    };
    Commit {
        epoch: loaded.epoch,
        commit_seq: loaded.commit_seq + 1,
        at: WallMs(1),
        mutations: vec![Mutation::TaskInsert {
            record: Arc::new(task(1)),
            body: PayloadRef(1),
        }],
        payloads: HashMap::from([(PayloadRef(1), Payload::Body(body))]),
        events: vec![],
    }
}

#[test]
fn a_busy_file_is_not_applied_and_the_same_commit_passes_later() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), "me").unwrap();
    let commit = commit(&mut store, "p");
    let other = Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let outcome = store.commit(&commit);
    assert!(
        matches!(outcome, Err(CommitError::NotApplied(_))),
        "{outcome:?}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    store.commit(&commit).unwrap();
    assert_eq!(store.load().unwrap().tasks, [task(1)]);
}

#[test]
fn a_task_of_a_class_that_no_configuration_can_name_is_no_task() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), "me").unwrap();
    let commit = commit(&mut store, "p");
    store.commit(&commit).unwrap();
    let other = Connection::open(store.path()).unwrap();
    let write = |class: &str| {
        let written = other.execute("UPDATE task SET priority = ?1", [class]);
        assert_eq!(written.unwrap(), 1);
    };
    write("never-configured");
    let task = store.load().unwrap().tasks.remove(0);
    assert_eq!(task.spec.priority.as_str(), "never-configured");
    write("Of No Class");
    let ReadError(said) = store.load().unwrap_err();
    assert!(
        said.contains("no class of any configuration is called Of No Class"),
        "{said}"
    );
}

#[test]
fn an_open_reader_does_not_hold_up_commits() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), "me").unwrap();
    let commit = commit(&mut store, "p");
    let reader = Connection::open(store.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT * FROM task").unwrap();
    store.commit(&commit).unwrap();
    let seen: u32 = reader
        .query_row("SELECT count(*) FROM task", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, 0, "it still sees its snapshot");
}

#[test]
fn a_file_that_was_moved_away_takes_nothing_until_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("here"), dir.path().join("there"));
    let mut store = SqliteStore::open(&here, "me").unwrap();
    let commit = commit(&mut store, "p");
    std::fs::rename(&here, &there).unwrap();
    let assert_refused = |store: &mut SqliteStore| {
        let Err(CommitError::NotApplied(why)) = store.commit(&commit) else {
            panic!("a file that nobody finds again took a commit");
        };
        assert!(why.contains("moved or deleted"), "{why}");
        assert!(store.load().is_err());
        let probed = store.probe(commit.epoch);
        assert!(matches!(probed, Err(CommitError::Unknown(_))), "{probed:?}");
    };
    assert_refused(&mut store);
    // Another file in its place is no better.
    std::fs::create_dir(&here).unwrap();
    std::fs::write(here.join("orchestrator.db"), "another").unwrap();
    assert_refused(&mut store);
    std::fs::remove_dir_all(&here).unwrap();
    std::fs::rename(&there, &here).unwrap();
    store.commit(&commit).unwrap();
    assert_eq!(store.load().unwrap().tasks, [task(1)]);
}

#[test]
fn readers_read_nothing_that_was_put_in_the_place_of_their_file() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("here"), dir.path().join("there"));
    let mut store = SqliteStore::open(&here, "me").unwrap();
    let ours = commit(&mut store, "p");
    store.commit(&ours).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let read = |reader: &SqliteReader| {
        let found = reader.task_body(task(1).id);
        runtime.block_on(found).map(|body| body.map(|it| it.prompt))
    };
    let (used, fresh) = (store.reader(), store.reader());
    assert_eq!(read(&used).unwrap().as_deref(), Some("p"));
    std::fs::rename(&here, &there).unwrap();
    let mut other = SqliteStore::open(&here, "another").unwrap();
    let theirs = commit(&mut other, "of another store");
    other.commit(&theirs).unwrap();
    for reader in [&used, &fresh] {
        let Err(ReadError(why)) = read(reader) else {
            panic!("what another store holds was read");
        };
        assert!(why.contains("moved or deleted"), "{why}");
    }
    assert!(store.cold().is_err());
    drop(other);
    std::fs::remove_dir_all(&here).unwrap();
    std::fs::rename(&there, &here).unwrap();
    for reader in [&used, &fresh] {
        assert_eq!(read(reader).unwrap().as_deref(), Some("p"));
    }
}

#[test]
fn a_log_that_was_deleted_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), "me").unwrap();
    let commit = commit(&mut store, "p");
    std::fs::remove_file(dir.path().join("orchestrator.db-wal")).unwrap();
    let Err(CommitError::NotApplied(why)) = store.commit(&commit) else {
        panic!("a log that is gone with the process took a commit");
    };
    assert!(why.contains("-wal was moved or deleted"), "{why}");
}
