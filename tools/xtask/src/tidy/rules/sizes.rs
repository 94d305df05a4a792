//! Files and functions stay small enough to hold in the head.

use std::collections::BTreeMap;

use crate::tidy::finding::Finding;
use crate::tidy::golden::Golden;
use crate::tidy::house::{House, RustFile, is_test_file};
use crate::tidy::source::functions;

/// Lines of a hand-written file.
const FILE: usize = 400;
/// Lines of a file of tests.
const TEST_FILE: usize = 700;
/// Lines of an entry point, which only wires things together.
const MAIN_FILE: usize = 60;
/// Lines of a function, from `fn` to its closing brace.
const FUNCTION: usize = 70;
/// Lines of the page that a newcomer reads first.
const ARCHITECTURE: usize = 200;

/// What is too long today: path, `file` or `fn:name`, lines.
pub(crate) const RATCHET: Golden = Golden {
    path: "tools/xtask/ratchet.txt",
    header: &[
        "Files and functions that are longer than the house likes: path, what, lines.",
        "The numbers only go down: what got shorter lowers its row or leaves.",
    ],
};

/// Something that is longer than its limit.
struct Long {
    line: usize,
    lines: usize,
    limit: usize,
}

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let known = RATCHET.read(house.tree);
    let long = measure(house);
    let mut findings: Vec<_> = long
        .iter()
        .filter_map(|((path, what), long)| {
            let row = known
                .iter()
                .find(|(row, _)| row[..row.len() - 1] == [path.as_str(), what]);
            judge(path, what, long, row)
        })
        .collect();
    findings.extend(RATCHET.stale(&known, |row| match row {
        [path, what, _] => long.contains_key(&(path.clone(), what.clone())),
        _ => false,
    }));
    findings
}

pub(crate) fn rows(house: &House<'_>) -> Vec<Vec<String>> {
    measure(house)
        .into_iter()
        .map(|((path, what), long)| vec![path, what, long.lines.to_string()])
        .collect()
}

fn judge(
    path: &str,
    what: &str,
    long: &Long,
    row: Option<(&Vec<String>, &usize)>,
) -> Option<Finding> {
    let Long { line, lines, limit } = *long;
    let Some((row, row_line)) = row else {
        return Some(Finding::new(
            path,
            line,
            format!(
                "{} has {lines} lines, the house allows {limit}",
                spoken(what)
            ),
            advice(path, what),
        ));
    };
    let allowed: usize = row.last().and_then(|n| n.parse().ok()).unwrap_or(0);
    if lines > allowed {
        Some(Finding::new(
            path,
            line,
            format!("{} grew from {allowed} to {lines} lines", spoken(what)),
            advice(path, what),
        ))
    } else if lines < allowed {
        Some(Finding::new(
            RATCHET.path,
            *row_line,
            format!("{path} {what} got better: {lines} lines instead of {allowed}"),
            "lower its row, or run `cargo xtask tidy --bless`",
        ))
    } else {
        None
    }
}

fn spoken(what: &str) -> String {
    match what.strip_prefix("fn:") {
        Some(name) => format!("function `{name}`"),
        None => "the file".to_owned(),
    }
}

fn advice(path: &str, what: &str) -> &'static str {
    if what.starts_with("fn:") {
        "move a part that deserves a name into a function of its own"
    } else if path.ends_with(".md") {
        "move detail into docs/ and keep the map"
    } else if path.ends_with("/main.rs") {
        "wire up in modules and only call them here"
    } else {
        "give the second idea its own file; inline tests can move to tests.rs beside it"
    }
}

/// Everything that is too long, by path and `file` or `fn:name`; of functions with one name the longest.
fn measure(house: &House<'_>) -> BTreeMap<(String, String), Long> {
    let mut found: BTreeMap<(String, String), Long> = BTreeMap::new();
    let mut add = |path: &str, what: String, long: Long| {
        if long.lines > long.limit {
            let known = found
                .entry((path.to_owned(), what))
                .or_insert(Long { lines: 0, ..long });
            if long.lines > known.lines {
                *known = long;
            }
        }
    };
    for file in &house.rust {
        let whole = Long {
            line: 1,
            lines: file.text.lines().count(),
            limit: limit(file),
        };
        add(file.path, "file".to_owned(), whole);
        for function in functions(&file.lexed.tokens) {
            let long = Long {
                line: function.line,
                lines: function.lines,
                limit: FUNCTION,
            };
            add(file.path, format!("fn:{}", function.name), long);
        }
    }
    if let Some(text) = house.tree.text("ARCHITECTURE.md") {
        let whole = Long {
            line: 1,
            lines: text.lines().count(),
            limit: ARCHITECTURE,
        };
        add("ARCHITECTURE.md", "file".to_owned(), whole);
    }
    found
}

fn limit(file: &RustFile<'_>) -> usize {
    if is_test_file(file.path) {
        TEST_FILE
    } else if file.path.ends_with("src/main.rs") {
        MAIN_FILE
    } else {
        FILE
    }
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    fn lines(count: usize) -> String {
        "// x\n".repeat(count)
    }

    fn function(name: &str, count: usize) -> String {
        format!("fn {name}() {{\n{}}}\n", "    x();\n".repeat(count - 2))
    }

    #[test]
    fn a_long_file_is_found_and_the_limit_depends_on_the_place() {
        let files = [
            ("a/src/long.rs", lines(401)),
            ("a/src/just.rs", lines(400)),
            ("a/src/main.rs", lines(61)),
            ("a/tests/it/main.rs", lines(700)),
            ("a/src/generated/types.rs", lines(9_000)),
        ];
        let files: Vec<_> = files.iter().map(|(p, t)| (*p, t.as_str())).collect();
        assert_eq!(
            said(check, &files),
            [
                "a/src/long.rs:1: the file has 401 lines, the house allows 400; give the second idea its own file; inline tests can move to tests.rs beside it",
                "a/src/main.rs:1: the file has 61 lines, the house allows 60; wire up in modules and only call them here",
            ]
        );
    }

    #[test]
    fn a_long_function_is_found_at_its_line() {
        let text = format!("{}{}", function("fits", 70), function("long", 71));
        assert_eq!(
            said(check, &[("a/src/b.rs", &text)]),
            [
                "a/src/b.rs:71: function `long` has 71 lines, the house allows 70; move a part that deserves a name into a function of its own"
            ]
        );
    }

    #[test]
    fn the_ratchet_is_checked_both_ways() {
        let long = function("long", 80);
        let with = |row: &str| said(check, &[("a/src/b.rs", &long), (RATCHET.path, row)]);
        assert_eq!(with("a/src/b.rs  fn:long  80\n"), Vec::<String>::new());
        assert!(
            with("a/src/b.rs  fn:long  75\n")[0]
                .contains("function `long` grew from 75 to 80 lines")
        );
        assert_eq!(
            with("# x\na/src/b.rs  fn:long  90\n"),
            [
                "tools/xtask/ratchet.txt:2: a/src/b.rs fn:long got better: 80 lines instead of 90; lower its row, or run `cargo xtask tidy --bless`"
            ]
        );
        let gone = said(check, &[(RATCHET.path, "a/src/b.rs  fn:long  80\n")]);
        assert!(
            gone[0].contains("nothing needs `a/src/b.rs  fn:long  80` any more"),
            "{gone:?}"
        );
        let broken = said(check, &[(RATCHET.path, "what is this\n")]);
        assert_eq!(broken.len(), 1, "{broken:?}");
    }

    #[test]
    fn blessed_rows_satisfy_the_rule() {
        use crate::tidy::cargo_facts::CargoFacts;
        use crate::tidy::tree::Tree;
        // Two functions of one name share a row, which then holds the longer.
        let text = format!("{}{}", function("long", 90), function("long", 75));
        let tree = Tree::of(&[("a/src/b.rs", &text)]);
        let table = RATCHET.render(rows(&House::read(&tree, CargoFacts::default())));
        let after = said(check, &[("a/src/b.rs", &text), (RATCHET.path, &table)]);
        assert_eq!(after, Vec::<String>::new(), "{table}");
    }
}
