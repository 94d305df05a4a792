//! Files, functions and tables of contents stay small enough to hold in the head.

use super::measures::{Measure, too_big};
use crate::tidy::finding::Finding;
use crate::tidy::golden::Golden;
use crate::tidy::house::House;

/// What is too big today: path, `file`, `fn:name` or `items`, how big.
pub(crate) const RATCHET: Golden = Golden {
    path: "tools/xtask/ratchet.txt",
    header: &[
        "What is bigger than the house likes: path, what, how big.",
        "`file` and `fn:name` are counted in lines, `items` are those of a lib.rs or mod.rs.",
        "The numbers only go down: what got smaller lowers its row or leaves.",
    ],
};

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let known = RATCHET.read(house.tree);
    let big = too_big(house);
    let mut findings: Vec<_> = big
        .iter()
        .filter_map(|((path, what), measure)| {
            let row = known
                .iter()
                .find(|(row, _)| row[..row.len() - 1] == [path.as_str(), what]);
            judge(path, what, measure, row)
        })
        .collect();
    findings.extend(RATCHET.stale(&known, |row| match row {
        [path, what, _] => big.contains_key(&(path.clone(), what.clone())),
        _ => false,
    }));
    findings
}

pub(crate) fn rows(house: &House<'_>) -> Vec<Vec<String>> {
    too_big(house)
        .into_iter()
        .map(|((path, what), measure)| vec![path, what, measure.value.to_string()])
        .collect()
}

fn judge(
    path: &str,
    what: &str,
    measure: &Measure,
    row: Option<(&Vec<String>, &usize)>,
) -> Option<Finding> {
    let Measure {
        line,
        value,
        limit,
        subject,
        unit,
        advice,
    } = measure;
    let unit = if *value == 1 {
        unit.trim_end_matches('s')
    } else {
        unit
    };
    let Some((row, row_line)) = row else {
        return Some(Finding::new(
            path,
            *line,
            format!("{subject} has {value} {unit}, the house allows {limit}"),
            *advice,
        ));
    };
    let allowed: usize = row.last().and_then(|n| n.parse().ok()).unwrap_or(0);
    if *value > allowed {
        Some(Finding::new(
            path,
            *line,
            format!("{subject} grew from {allowed} to {value} {unit}"),
            *advice,
        ))
    } else if *value < allowed {
        Some(Finding::new(
            RATCHET.path,
            *row_line,
            format!("{path} {what} got better: {value} {unit} instead of {allowed}"),
            "lower its row, or run `cargo xtask tidy --bless`",
        ))
    } else {
        None
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
