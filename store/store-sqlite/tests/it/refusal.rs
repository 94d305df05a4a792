//! Files that are not ours, damaged or of a newer version are refused and left as they were.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use store::{OpenError, OwnerStore};
use store_sqlite::SqliteStore;
use tempfile::TempDir;

fn with_file(content: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("orchestrator.db");
    fs::write(&path, content).unwrap();
    (dir, path)
}

fn used_store() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), "me").unwrap();
    store.load().unwrap();
    let path = store.path().to_owned();
    drop(store);
    fs::read(path).unwrap()
}

#[track_caller]
fn refused(content: &[u8], why: &str) {
    let (dir, path) = with_file(content);
    let error = SqliteStore::open(dir.path(), "me").unwrap_err();
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert!(text.contains(why), "{text}");
    assert!(
        text.contains("another data directory"),
        "it says what to do: {text}"
    );
    assert_eq!(fs::read(&path).unwrap(), content, "the file is as it was");
    let log = dir.path().join("orchestrator.db-wal");
    assert!(
        !log.exists() || fs::read(log).unwrap().is_empty(),
        "nothing was written beside it"
    );
}

#[test]
fn a_file_that_is_not_sqlite() {
    refused(b"{\"this\": \"is JSON\"}", "not an SQLite file");
    refused(&[0; 8192], "not an SQLite file");
}

#[test]
fn a_file_that_is_cut_short() {
    let whole = used_store();
    refused(&whole[..50], "within its header");
    refused(&whole[..4096], "cut short");
    refused(&whole[..whole.len() - 100], "cut short");
}

#[test]
fn a_file_whose_schema_is_damaged() {
    let mut damaged = used_store();
    damaged[100..4096].fill(0xee);
    refused(&damaged, "malformed");
}

#[test]
fn a_file_of_a_newer_version() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), "me").unwrap();
    let path = store.path().to_owned();
    drop(store);
    let connection = Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "user_version", 9_999)
        .unwrap();
    drop(connection);
    refused(&fs::read(&path).unwrap(), "version 9999");
}

#[test]
fn a_file_of_another_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("theirs.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(connection);
    refused(&fs::read(&path).unwrap(), "another program");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("DROP TABLE theirs; PRAGMA application_id = 77")
        .unwrap();
    drop(connection);
    refused(&fs::read(&path).unwrap(), "another program");
}

#[test]
fn a_file_of_a_newer_version_that_only_its_log_tells() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), "me").unwrap();
    let path = store.path().to_owned();
    drop(store);
    let connection = Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "user_version", 9_999)
        .unwrap();
    // A copy taken while the writer lives has the change in its log only, as after a crash.
    let copy = tempfile::tempdir().unwrap();
    for name in ["orchestrator.db", "orchestrator.db-wal"] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let before = fs::read(copy.path().join("orchestrator.db")).unwrap();
    let log = fs::read(copy.path().join("orchestrator.db-wal")).unwrap();
    assert!(!log.is_empty());
    let error = SqliteStore::open(copy.path(), "me").unwrap_err();
    assert!(error.to_string().contains("version 9999"), "{error}");
    assert_eq!(
        fs::read(copy.path().join("orchestrator.db")).unwrap(),
        before
    );
    assert_eq!(
        fs::read(copy.path().join("orchestrator.db-wal")).unwrap(),
        log
    );
}

#[test]
fn an_empty_file_is_a_new_store() {
    let (dir, _) = with_file(b"");
    let mut store = SqliteStore::open(dir.path(), "me").unwrap();
    assert_eq!(store.load().unwrap().commit_seq, 0);
}
