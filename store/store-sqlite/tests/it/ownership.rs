//! One directory, one owner.

use store::OpenError;
use store_sqlite::SqliteStore;

fn holder(error: OpenError) -> String {
    let OpenError::Held { holder, .. } = error else {
        panic!("{error} is another refusal")
    };
    holder
}

#[test]
fn a_second_owner_is_told_who_holds_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(dir.path(), "starting").unwrap();
    let pid = std::process::id();

    let refused = SqliteStore::open(dir.path(), "late").unwrap_err();
    let text = refused.to_string();
    assert!(text.contains(dir.path().to_str().unwrap()), "{text}");
    assert!(text.contains("another data directory"), "{text}");
    assert_eq!(holder(refused), format!("process {pid}, starting"));

    first
        .note()
        .set("listening on http://127.0.0.1:4000")
        .unwrap();
    let refused = SqliteStore::open(dir.path(), "late").unwrap_err();
    assert_eq!(
        holder(refused),
        format!("process {pid}, listening on http://127.0.0.1:4000")
    );
}

#[test]
fn a_dropped_store_leaves_the_directory_free() {
    let dir = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(dir.path(), "first, with a long name").unwrap();
    let (note, reader) = (first.note(), first.reader());
    drop(first);
    let second = SqliteStore::open(dir.path(), "second").unwrap();
    note.set("a ghost").unwrap();
    let refused = SqliteStore::open(dir.path(), "third").unwrap_err();
    assert_eq!(
        holder(refused),
        format!("process {}, second", std::process::id())
    );
    drop((second, reader));
}

#[test]
fn a_directory_that_does_not_exist_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a/b");
    let store = SqliteStore::open(&deep, "me").unwrap();
    assert_eq!(store.path(), deep.join("orchestrator.db"));
    assert!(store.path().is_file());
}

#[test]
fn a_directory_that_is_a_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    let refused = SqliteStore::open(&file, "me").unwrap_err();
    assert!(matches!(refused, OpenError::Io { .. }), "{refused}");
    assert!(
        refused.to_string().contains(file.to_str().unwrap()),
        "{refused}"
    );
}
