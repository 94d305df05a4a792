//! A store that cannot be used at all: the daemon says which file, why and what to do, and touches nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use rustix::process::geteuid;
use tempfile::TempDir;
use test_harness_support::{Daemon, DaemonOptions, Ended, binary};

use crate::world::{World, exactly};

/// The user that owns nothing.
const NOBODY: u32 = 65_534;

/// A folder that anyone may look into.
fn open_folder() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir
}

/// The store of a daemon that had a task under way when it was killed.
async fn used_store() -> Vec<u8> {
    let mut world = World::throttled(50.0).await;
    let task = world.create(exactly(400, 1)).await.task_id;
    world.raw.open(&task, None).await.up_to_token(5).await;
    world.daemon.kill();
    let path = world.daemon.data_dir().join("orchestrator.db");
    // What stands in the log is written back.
    let connection = Connection::open(&path).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(connection);
    fs::read(path).unwrap()
}

/// The bytes of a file of SQLite that these statements make.
fn made_by(bytes: Option<&[u8]>, statements: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    if let Some(bytes) = bytes {
        fs::write(&path, bytes).unwrap();
    }
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(statements).unwrap();
    drop(connection);
    fs::read(path).unwrap()
}

/// Which pages hold a table, from 1.
fn first_page_of(bytes: &[u8], table: &str) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    fs::write(&path, bytes).unwrap();
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: u32 = connection
        .query_row(sql, [table], |row| row.get(0))
        .unwrap();
    page as usize
}

fn page_bytes(bytes: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([bytes[16], bytes[17]]))
}

/// Starts a daemon over a file that it must refuse, and checks that the file is as it was.
#[track_caller]
fn refused(what: &str, bytes: &[u8], says: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("orchestrator.db");
    fs::write(&file, bytes).unwrap();
    let ended = Daemon::start_refused(DaemonOptions::default().data_dir(dir.path()));
    assert_eq!(ended.code, Some(1), "{what}: {}", ended.said);
    for word in [file.to_str().unwrap(), says, "another data directory"] {
        assert!(
            ended.said.contains(word),
            "{what}: no `{word}`: {}",
            ended.said
        );
    }
    assert!(!ended.said.contains("panicked"), "{what}: {}", ended.said);
    assert!(
        fs::read(&file).unwrap() == bytes,
        "{what}: the file was changed"
    );
    let log = dir.path().join("orchestrator.db-wal");
    let logged = fs::metadata(log).map_or(0, |log| log.len());
    assert_eq!(logged, 0, "{what}: something was written beside the file");
}

#[tokio::test]
async fn a_store_that_is_damaged_or_not_ours_is_refused_and_left_as_it_was() {
    let used = used_store().await;
    let page = page_bytes(&used);
    let with_page = |table: &str| {
        let from = (first_page_of(&used, table) - 1) * page;
        let mut damaged = used.clone();
        damaged[from..from + page].fill(0xee);
        damaged
    };
    let noise: Vec<u8> = (0..40_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    refused("noise", &noise, "not an SQLite file");
    refused("a file cut short", &used[..used.len() / 2], "cut short");
    refused(
        "another program's",
        &made_by(None, "CREATE TABLE theirs (x)"),
        "another program",
    );
    refused(
        "a newer version's",
        &made_by(Some(&used), "PRAGMA user_version = 9999"),
        "version 9999",
    );
    refused("a damaged table of tasks", &with_page("task"), "malformed");
    refused(
        "a damaged table of attempts",
        &with_page("attempt"),
        "malformed",
    );
    refused(
        "a damaged table of sessions",
        &with_page("session"),
        "malformed",
    );
    refused("a damaged fence", &with_page("ownership"), "malformed");
    refused(
        "nothing but its first page",
        &[&used[..page], &*vec![0xee; used.len() - page]].concat(),
        "malformed",
    );
}

#[tokio::test]
async fn a_store_that_another_program_holds_is_named_as_that() {
    let used = used_store().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("orchestrator.db");
    fs::write(&file, &used).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ended = Daemon::start_refused(DaemonOptions::default().data_dir(dir.path()));
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    for word in [
        file.to_str().unwrap(),
        "another program",
        "start the daemon again",
    ] {
        assert!(ended.said.contains(word), "no `{word}`: {}", ended.said);
    }
    assert!(
        !ended.said.contains("backup"),
        "nothing is damaged: {}",
        ended.said
    );
}

/// True if there is somebody without privileges to run a daemon.
fn can_be_nobody() -> bool {
    !geteuid().is_root() || Command::new("true").uid(NOBODY).status().is_ok()
}

/// Starts a daemon as somebody without privileges.
fn refused_to_nobody(data_dir: &Path) -> Ended {
    let privileged = geteuid().is_root();
    // The program may lie where only root may look.
    let place = open_folder();
    let program = place.path().join("orchestratord");
    let real = binary("orchestratord");
    if fs::hard_link(&real, &program).is_err() {
        fs::copy(&real, &program).unwrap();
    }
    let options = DaemonOptions {
        user: privileged.then_some(NOBODY),
        ..DaemonOptions::default()
    };
    Daemon::start_refused(options.program(&program).data_dir(data_dir))
}

#[track_caller]
fn assert_denied(ended: &Ended, path: &Path) {
    assert_eq!(ended.code, Some(1), "{}", ended.said);
    for word in [path.to_str().unwrap(), "denied", "another data directory"] {
        assert!(ended.said.contains(word), "no `{word}`: {}", ended.said);
    }
    assert!(!ended.said.contains("panicked"), "{}", ended.said);
}

/// Every file of a folder with its bytes.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_store_that_may_not_be_written_is_refused_and_left_as_it_was() {
    if !can_be_nobody() {
        eprintln!("skipped: whoever runs this may do everything, and be nobody else");
        return;
    }
    let used = used_store().await;
    let outer = open_folder();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();

    // A folder that may not be written, with a store in it, and one without.
    for (name, bytes) in [("with", Some(&used)), ("without", None)] {
        let dir = outer.path().join(name);
        fs::create_dir(&dir).unwrap();
        if let Some(bytes) = bytes {
            fs::write(dir.join("orchestrator.db"), bytes).unwrap();
            mode(&dir.join("orchestrator.db"), 0o644);
        }
        mode(&dir, 0o555);
        let before = contents(&dir);
        assert_denied(&refused_to_nobody(&dir), &dir);
        assert_eq!(contents(&dir), before, "{name}");
        mode(&dir, 0o755);
    }

    // A file that may not be written, in a folder that may.
    let dir = outer.path().join("file");
    fs::create_dir(&dir).unwrap();
    mode(&dir, 0o777);
    let file = dir.join("orchestrator.db");
    fs::write(&file, &used).unwrap();
    mode(&file, 0o444);
    assert_denied(&refused_to_nobody(&dir), &file);
    assert!(fs::read(&file).unwrap() == used);
    mode(&file, 0o000);
    assert_denied(&refused_to_nobody(&dir), &file);

    // A folder that cannot be made.
    let closed = outer.path().join("closed");
    fs::create_dir(&closed).unwrap();
    mode(&closed, 0o555);
    assert_denied(&refused_to_nobody(&closed.join("new")), &closed.join("new"));
    mode(&closed, 0o755);
}
