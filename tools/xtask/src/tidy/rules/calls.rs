//! Calls that do not belong where they stand.
//!
//! The machine takes time, chance and the world as arguments. Elsewhere, threads and tasks start in few,
//! known places, and tests wait for a signal instead of sleeping.

use std::collections::BTreeSet;

use super::bans::{BANS, Ban, Scope};
use crate::tidy::cargo_facts::CORE;
use crate::tidy::finding::Finding;
use crate::tidy::golden::Golden;
use crate::tidy::house::{House, RustFile};
use crate::tidy::source::{PathUse, paths};

/// Files in which a call that is banned elsewhere was decided to be right: path, kind of call.
pub(crate) const ALLOWED: Golden = Golden {
    path: "tools/xtask/allowed-calls.txt",
    header: &[
        "Files that may make a call which is banned elsewhere: path, kind of call.",
        "`spawn` starts a thread or task, `sleep` waits for time in a test, `hash` iterates in hash order.",
    ],
};

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let allowed = ALLOWED.read(house.tree);
    let is_allowed = |path: &str, kind| {
        allowed
            .keys()
            .any(|row| matches!(row.as_slice(), [p, k] if p == path && k == kind))
    };
    let mut findings = Vec::new();
    let mut needed = BTreeSet::new();
    for (file, path, ban) in violations(house) {
        if let Some(kind) = ban.kind {
            // The decision is about the file, so its first call speaks for all.
            let first = needed.insert(vec![file.path.to_owned(), kind.to_owned()]);
            if !first || is_allowed(file.path, kind) {
                continue;
            }
        }
        let bang = if path.bang { "!" } else { "" };
        findings.push(Finding::new(
            file.path,
            path.line,
            format!("`{}{bang}` {}", path.segments.join("::"), ban.what),
            ban.instead,
        ));
    }
    findings.extend(ALLOWED.stale(&allowed, |row| needed.contains(row)));
    findings
}

pub(crate) fn rows(house: &House<'_>) -> Vec<Vec<String>> {
    let rows: BTreeSet<_> = violations(house)
        .filter_map(|(file, _, ban)| Some(vec![file.path.to_owned(), ban.kind?.to_owned()]))
        .collect();
    rows.into_iter().collect()
}

fn violations<'h, 'a: 'h>(
    house: &'h House<'a>,
) -> impl Iterator<Item = (&'h RustFile<'a>, PathUse<'a>, &'static Ban)> {
    house.rust.iter().flat_map(|file| {
        paths(&file.lexed.tokens).into_iter().flat_map(move |path| {
            let hits: Vec<_> = BANS
                .iter()
                .filter(|ban| holds(&ban.scope, file, path.line))
                .filter(|ban| ban.patterns.iter().any(|pattern| matches(pattern, &path)))
                .collect();
            hits.into_iter().map(move |ban| {
                (
                    file,
                    PathUse {
                        segments: path.segments.clone(),
                        ..path
                    },
                    ban,
                )
            })
        })
    })
}

fn holds(scope: &Scope, file: &RustFile<'_>, line: usize) -> bool {
    let test = file.is_test(line);
    match scope {
        Scope::Core => {
            !test
                && file
                    .path
                    .strip_prefix(CORE)
                    .is_some_and(|p| p.starts_with("/src/"))
        }
        Scope::Code => !test,
        Scope::Tests => test,
    }
}

fn matches(pattern: &str, path: &PathUse<'_>) -> bool {
    if let Some(name) = pattern.strip_suffix('!') {
        return path.bang && path.segments.last() == Some(&name);
    }
    if let Some(name) = pattern.strip_prefix("::") {
        // A single word may be a variable; a crate is named by a longer path or an import.
        return path.segments.first() == Some(&name) && (path.imported || path.segments.len() > 1);
    }
    let wanted: Vec<&str> = pattern.split("::").collect();
    path.segments
        .windows(wanted.len())
        .any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    const IN_CORE: &str = "orchestrator-core/src/queue/order.rs";

    fn in_core(source: &str) -> Vec<String> {
        said(check, &[(IN_CORE, source)])
    }

    #[test]
    fn the_replacement_is_in_the_message() {
        assert_eq!(
            in_core("//! Doc.\nfn a() -> std::time::Instant {\n}\n"),
            [
                "orchestrator-core/src/queue/order.rs:2: `std::time::Instant` reads a clock in the machine; take `now` as an argument"
            ]
        );
    }

    #[test]
    fn every_wall_of_the_machine_is_noticed() {
        for bad in [
            "use std::{collections::BTreeMap, fs};",
            "use std::time::{Duration, SystemTime};",
            "use std::time; fn a() { time::Instant::now(); }",
            "fn a() { std::env::var(\"X\"); }",
            "use std::net::SocketAddr;",
            "use std::thread;",
            "use tokio::sync::mpsc;",
            "fn a() { rand::random::<u8>(); }",
            "fn a() { uuid::Uuid::new_v4(); }",
            "#[derive(serde::Serialize)] struct A;",
            "fn a() { println!(\"x\"); }",
            "fn a() { std::eprintln!(\"x\"); }",
            "use std::collections::HashMap;",
            "fn a(x: std::collections::HashSet<u8>) {}",
        ] {
            assert!(!in_core(bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn harmless_code_passes() {
        for good in [
            "use std::collections::BTreeMap; use std::time::Duration; use std::fmt;",
            "// std::fs and println! in a comment\nfn a() -> &'static str { \"tokio::spawn\" }",
            "fn a(rand: u8) -> u8 { rand + 1 }",
            "fn a(now: Now) { now.mono; process(now); }",
            "#[cfg(test)] mod tests { use std::collections::HashMap; use std::fs; }",
        ] {
            assert_eq!(in_core(good), Vec::<String>::new(), "{good}");
        }
        let outside = [
            (
                "store/store-sqlite/src/lib.rs",
                "use std::fs; use std::time::Instant;",
            ),
            ("orchestrator-core/tests/it/main.rs", "use std::fs;"),
        ];
        assert_eq!(said(check, &outside), Vec::<String>::new());
    }

    #[test]
    fn spawning_needs_a_row_and_the_row_needs_spawning() {
        let driver = (
            "orchestratord/src/owner/driver.rs",
            "fn a() { std::thread::spawn(f); std::thread::spawn(g); }",
        );
        let row = "orchestratord/src/owner/driver.rs  spawn\n";
        assert_eq!(
            said(check, &[driver]),
            [
                "orchestratord/src/owner/driver.rs:1: `std::thread::spawn` starts a thread or task outside the known drivers; let a driver start it, or put this file into tools/xtask/allowed-calls.txt"
            ]
        );
        assert_eq!(
            said(check, &[driver, (ALLOWED.path, row)]),
            Vec::<String>::new()
        );
        let stale = said(check, &[(ALLOWED.path, row)]);
        assert!(stale[0].contains("nothing needs"), "{stale:?}");
        let process = ("a/src/b.rs", "fn a() { Command::new(\"x\").spawn(); }");
        assert_eq!(said(check, &[process]), Vec::<String>::new());
    }

    #[test]
    fn tests_do_not_sleep() {
        let test = (
            "a/tests/it/main.rs",
            "async fn a() { tokio::time::sleep(x).await; }",
        );
        assert!(said(check, &[test])[0].contains("a test sleeps; wait for a signal"));
        let code = (
            "a/src/b.rs",
            "async fn a() { tokio::time::sleep(x).await; }",
        );
        assert_eq!(said(check, &[code]), Vec::<String>::new());
    }

    #[test]
    fn a_wall_cannot_be_allowed() {
        let table = format!("{IN_CORE}  clock\n");
        let files = [(IN_CORE, "use std::time::Instant;"), (ALLOWED.path, &table)];
        let said = said(check, &files);
        assert_eq!(said.len(), 2, "the call and the useless row: {said:?}");
    }
}
