//! Nothing unfinished is left lying about.

use crate::tidy::finding::Finding;
use crate::tidy::house::House;
use crate::tidy::source::{Token, paths};

/// Marks of unfinished work, put together from parts so that this file does not hold them.
const MARKS: [&str; 2] = [concat!("FIX", "ME"), concat!("XX", "X")];

/// Macros that stand for code that is not there, or print by accident.
const MACROS: [&str; 3] = ["dbg", "todo", "unimplemented"];

/// Endings of files that tools leave behind when a person should decide.
const LEFTOVERS: [&str; 3] = [".orig", ".rej", ".snap.new"];

/// Endings of files other than Rust in which marks are looked for, whole lines.
const TEXTS: [&str; 5] = [".sh", ".sql", ".toml", ".yaml", ".yml"];

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &house.rust {
        for comment in &file.lexed.comments {
            findings.extend(marks(file.path, comment.line, comment.text));
        }
        for call in paths(&file.lexed.tokens).iter().filter(|path| path.bang) {
            if let Some(name) = call.segments.last().filter(|name| MACROS.contains(name)) {
                findings.push(Finding::new(
                    file.path,
                    call.line,
                    format!("`{name}!` is left in the code"),
                    "write what belongs there, or leave the feature out",
                ));
            }
        }
        for window in file
            .lexed
            .tokens
            .windows(4)
            .filter(|window| is_bare_ignore(window))
        {
            findings.push(Finding::new(
                file.path,
                window[0].line,
                "a test is ignored without a reason",
                "write `#[ignore = \"why\"]`, or repair the test",
            ));
        }
    }
    for (path, text) in house.tree.texts() {
        if TEXTS.iter().any(|end| path.ends_with(end)) {
            findings.extend(marks(path, 1, text));
        }
        if LEFTOVERS.iter().any(|end| path.ends_with(end)) {
            findings.push(Finding::new(
                path,
                1,
                "a left-over that waits for a decision",
                "accept what it holds or remove it",
            ));
        }
    }
    findings
}

fn is_bare_ignore(tokens: &[Token<'_>]) -> bool {
    tokens
        .iter()
        .zip(["#", "[", "ignore", "]"])
        .all(|(token, text)| token.is(text))
}

/// Marks in a text that begins on line `first`.
fn marks(path: &str, first: usize, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        for mark in words.filter(|word| MARKS.contains(word)) {
            findings.push(Finding::new(
                path,
                first + i,
                format!("the mark `{mark}`"),
                "finish it now, or say in plain words what is left and why",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    #[test]
    fn marks_are_found_in_comments() {
        let source = format!("fn a() {{}}\n/* one\n {}: two */\n", MARKS[0]);
        assert_eq!(
            said(check, &[("a/src/b.rs", &source)]),
            [format!(
                "a/src/b.rs:3: the mark `{}`; finish it now, or say in plain words what is left and why",
                MARKS[0]
            )]
        );
        let harmless = format!("let a = \"{}\"; // a{1}b {1}_y", MARKS[0], MARKS[1]);
        assert_eq!(
            said(check, &[("a/src/b.rs", &harmless)]),
            Vec::<String>::new()
        );
        let config = format!("# {} later\n", MARKS[1]);
        assert_eq!(said(check, &[("deny.toml", &config)]).len(), 1);
    }

    #[test]
    fn left_over_macros_are_found() {
        for name in MACROS {
            let source = format!("fn a() {{\n    std::{name}!(x);\n}}\n");
            let said = said(check, &[("a/src/b.rs", &source)]);
            assert!(
                said[0].starts_with(&format!("a/src/b.rs:2: `{name}!` is left")),
                "{said:?}"
            );
        }
        assert_eq!(
            said(check, &[("a/src/b.rs", "fn todo() { todo() }")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn undecided_snapshots_are_found() {
        let files = [("a/b.snap.new", "---\n"), ("a/b.snap", "---\n")];
        assert_eq!(
            said(check, &files),
            [
                "a/b.snap.new:1: a left-over that waits for a decision; accept what it holds or remove it"
            ]
        );
    }

    #[test]
    fn an_ignored_test_has_a_reason() {
        assert_eq!(
            said(check, &[("a/src/b.rs", "#[test]\n#[ignore]\nfn a() {}")]).len(),
            1
        );
        let reason = "#[test]\n#[ignore = \"needs a second host\"]\nfn a() {}";
        assert_eq!(said(check, &[("a/src/b.rs", reason)]), Vec::<String>::new());
    }
}
