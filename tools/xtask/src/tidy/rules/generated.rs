//! What a tool writes says so.

use crate::tidy::finding::Finding;
use crate::tidy::house::{House, is_generated};

/// Endings of files that can hold a comment.
const COMMENTABLE: [&str; 6] = [".rs", ".sql", ".toml", ".yaml", ".yml", ".md"];

/// The start of every command that generates.
const COMMAND: &str = "cargo xtask regen-";

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    house
        .tree
        .texts()
        .filter(|(path, _)| is_generated(path) && COMMENTABLE.iter().any(|end| path.ends_with(end)))
        .filter(|(_, text)| !text.lines().next().is_some_and(|first| first.contains(COMMAND)))
        .map(|(path, _)| {
            Finding::new(
                path,
                1,
                "a generated file does not name its command",
                format!(
                    "let the tool write a first line with `{COMMAND}…`; what is written by hand lies elsewhere"
                ),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    #[test]
    fn the_first_line_names_the_command() {
        let good = (
            "a/src/generated/b.rs",
            "// Written by `cargo xtask regen-openapi`.\n",
        );
        let late = (
            "a/src/generated/c.rs",
            "//! Doc.\n// cargo xtask regen-openapi\n",
        );
        let data = ("a/generated/d.json", "{}");
        let by_hand = ("a/src/e.rs", "//! Doc.\n");
        assert_eq!(
            said(check, &[good, late, data, by_hand]),
            [
                "a/src/generated/c.rs:1: a generated file does not name its command; let the tool write a first line with `cargo xtask regen-…`; what is written by hand lies elsewhere"
            ]
        );
    }
}
