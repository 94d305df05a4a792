//! The pages that lead through the house name no room that is not there.

use std::collections::BTreeSet;

use crate::tidy::finding::Finding;
use crate::tidy::house::House;

/// Endings by which a span is taken for a file, even if its first folder is unknown.
const FILES: [&str; 12] = [
    ".gguf", ".json", ".lock", ".md", ".proto", ".py", ".rs", ".sh", ".snap", ".sql", ".toml",
    ".yaml",
];

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let roots: BTreeSet<&str> = house
        .tree
        .files()
        .filter_map(|(path, _)| path.split('/').next())
        .collect();
    let mut findings = Vec::new();
    for (page, text) in house.tree.texts().filter(|(path, _)| is_map(path)) {
        for (line, span) in spans(text) {
            if let Some(path) = repository_path(span, &roots)
                && !exists(house, page, path)
            {
                findings.push(Finding::new(
                    page,
                    line,
                    format!("`{span}` is not there"),
                    "name the path as it is now, or drop the sentence",
                ));
            }
        }
    }
    findings
}

/// Pages that describe the present; records of decisions describe their day.
fn is_map(path: &str) -> bool {
    let in_docs = path
        .strip_prefix("docs/")
        .is_some_and(|name| !name.contains('/'));
    matches!(path, "ARCHITECTURE.md" | "README.md") || (in_docs && path.ends_with(".md"))
}

/// Code spans outside fenced blocks, with their lines.
fn spans(text: &str) -> Vec<(usize, &str)> {
    let mut spans = Vec::new();
    let mut fenced = false;
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let inside = line.split('`').skip(1).step_by(2);
            spans.extend(inside.map(|span| (i + 1, span)));
        }
    }
    spans
}

/// The path that a span names, up to its first placeholder; `None` if it does not look like one.
fn repository_path<'s>(span: &'s str, roots: &BTreeSet<&str>) -> Option<&'s str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let placeholder = |c: char| "<{*$…".contains(c);
    let path = match span.find(placeholder) {
        Some(at) => &span[..span[..at].rfind('/')? + 1],
        // `path:12` names a line.
        None => span.split_once(':').map_or(span, |(path, line)| {
            if line.chars().all(|c| c.is_ascii_digit()) {
                path
            } else {
                span
            }
        }),
    };
    let (first, _) = path.split_once('/')?;
    let known = roots.contains(first) || FILES.iter().any(|end| path.ends_with(end));
    (path.chars().all(plain) && !first.is_empty() && known).then_some(path)
}

/// From the root, from the page's folder, or as the end of a longer path.
fn exists(house: &House<'_>, page: &str, path: &str) -> bool {
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let end = format!("/{path}");
    house.tree.has(path)
        || house.tree.has(&format!("{folder}/{path}"))
        || house.tree.files().any(|(file, _)| file.ends_with(&end))
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    fn page(text: &str) -> Vec<String> {
        let files = [
            ("ARCHITECTURE.md", text),
            ("store/store/src/records.rs", ""),
            ("contracts/openapi/data.yaml", ""),
            ("docs/decisions/1.md", "`store/gone.rs`"),
        ];
        said(check, &files)
    }

    #[test]
    fn a_path_that_is_gone_is_found_at_its_line() {
        assert_eq!(
            page("One.\nSee `store/store/src/record.rs`.\n"),
            [
                "ARCHITECTURE.md:2: `store/store/src/record.rs` is not there; name the path as it is now, or drop the sentence"
            ]
        );
        for gone in [
            "`store/sqlite`",
            "`store/x/`",
            "`console/src/main.rs`",
            "`store/y/<name>.rs`",
        ] {
            assert_eq!(page(gone).len(), 1, "{gone}");
        }
    }

    #[test]
    fn what_is_there_passes() {
        for there in [
            "`store/store/src/records.rs:12` and `store/` and `store/store`",
            "`src/records.rs` in its crate",
            "`contracts/openapi/*.yaml`, `store/store/src/<idea>.rs`, `contracts/openapi/{data,control}.yaml`",
            "`decisions/1.md` beside nothing, `docs/decisions/`",
        ] {
            assert_eq!(page(there), Vec::<String>::new(), "{there}");
        }
    }

    #[test]
    fn what_is_no_path_is_left_alone() {
        for other in [
            "`/v1/tasks/{id}`",
            "`application/problem+json` and `text/event-stream`",
            "`target/debug/orch`",
            "`cargo xtask test`, `a::b`, `x/y`",
            "```\nstore/gone.rs `store/gone.rs`\n```",
            "`config.toml`",
            "`store/<id>`",
        ] {
            assert_eq!(page(other), Vec::<String>::new(), "{other}");
        }
    }
}
