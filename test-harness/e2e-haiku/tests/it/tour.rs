//! The tour that a newcomer takes, as a program.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use test_harness_support::{Signal, binary, children_of, memory_of, signal};

/// The tour, started with these arguments.
fn demo(args: &[&str]) -> Child {
    Command::new(binary("demo"))
        .args(args)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the tour says under a label.
fn fact<'a>(text: &'a str, label: &str) -> &'a str {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(label));
    line.unwrap_or_else(|| panic!("no `{label}` in:\n{text}"))
        .trim()
}

/// The data directory that it names.
fn dir_of(text: &str) -> &Path {
    Path::new(fact(text, "data").split_whitespace().next().unwrap())
}

#[test]
fn it_shows_a_checked_poem_accounts_for_it_and_leaves_nothing() {
    let output = demo(&["--exit", "--full-speed"])
        .wait_with_output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{text}\n{errors}");
    assert_eq!(errors, "");
    // Nobody sees colours here.
    assert!(!text.contains('\u{1b}'), "{text}");
    let checked = fact(&text, "checked");
    assert_eq!(checked.matches('✓').count(), 3, "{text}");
    for label in ["queue wait", "first token", "generation", "engine", "seed"] {
        assert!(!fact(&text, label).is_empty(), "{text}");
    }
    assert!(fact(&text, "model").starts_with("sha256:"), "{text}");
    assert!(fact(&text, "counted").contains("went from 0 to "), "{text}");
    assert!(!dir_of(&text).exists(), "{text}");
}

#[test]
fn what_it_kept_is_where_it_says() {
    let output = demo(&["--exit", "--full-speed", "--keep"])
        .wait_with_output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let dir = dir_of(&text);
    assert_eq!(fact(&text, "kept"), dir.to_str().unwrap());
    assert!(dir.join("data/orchestrator.db").is_file(), "{text}");
    assert!(dir.join("daemon.log").is_file(), "{text}");
    std::fs::remove_dir_all(dir).unwrap();
}

#[test]
fn it_stays_until_it_is_told_to_end_and_takes_the_daemon_with_it() {
    let mut demo = demo(&["--full-speed"]);
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let mut text = String::new();
    for line in lines.by_ref() {
        text.push_str(&line.unwrap());
        text.push('\n');
        if text.contains("Ctrl-C") {
            break;
        }
    }
    for place in [
        "/v1/tasks",
        "/openapi/data.json",
        "/metrics",
        "--server http://",
    ] {
        assert!(text.contains(place), "no {place} in:\n{text}");
    }
    let daemons = children_of(demo.id()).unwrap();
    assert_eq!(daemons.len(), 1, "{daemons:?}");
    signal(demo.id(), Signal::Interrupt).unwrap();
    assert!(demo.wait().unwrap().success());
    assert!(memory_of(daemons[0]).is_err());
    assert!(!dir_of(&text).exists());
}

#[test]
fn what_does_not_work_is_said_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    let alone = dir.path().join("demo");
    std::fs::copy(binary("demo"), &alone).unwrap();
    let output = Command::new(alone).arg("--exit").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("orchestratord is missing"), "{errors}");
    assert!(errors.contains("cargo build"), "{errors}");
}
