//! What becomes of the program when nobody reads what it prints.

use std::process::{Command, Output, Stdio};

/// The program, whose standard output is closed before it writes.
fn unread(args: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sim"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.wait_with_output().unwrap()
}

#[test]
fn a_reader_that_has_seen_enough_changes_neither_words_nor_exit_code() {
    for args in [&["--seed", "1", "--trace"][..], &["--seed", "1", "--json"]] {
        let Output { status, stderr, .. } = unread(args);
        assert_eq!(String::from_utf8_lossy(&stderr), "", "{args:?}");
        assert_eq!(status.code(), Some(0), "{args:?}");
    }
}
