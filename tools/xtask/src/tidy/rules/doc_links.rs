//! Links between the pages of the repository lead somewhere.

use crate::tidy::finding::Finding;
use crate::tidy::house::House;

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (page, text) in house.tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, target) in links(text) {
            if let Some(what) = broken(house, page, target) {
                findings.push(Finding::new(
                    page,
                    line,
                    what,
                    "point it at what is there now, or remove it",
                ));
            }
        }
    }
    findings
}

/// The targets of inline links outside fenced blocks and code spans, with their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut fenced = false;
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let prose = line.split('`').step_by(2);
            let targets = prose.flat_map(|part| part.split("](").skip(1));
            let closed = targets.filter_map(|rest| rest.split_once(')'));
            links.extend(
                closed.map(|(target, _)| (i + 1, target.split(' ').next().unwrap_or(target))),
            );
        }
    }
    links
}

/// Why a link leads nowhere, if it is one inside the repository.
fn broken(house: &House<'_>, page: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        Some(page.to_owned())
    } else {
        resolve(page, path)
    };
    let Some(path) = path.filter(|path| house.tree.has(path)) else {
        return Some(format!("the link `{target}` leads nowhere"));
    };
    let text = house.tree.text(&path).filter(|_| path.ends_with(".md"))?;
    let found = anchor.is_empty() || headings(text).iter().any(|slug| slug == anchor);
    (!found).then(|| format!("`{path}` has no heading for the link `{target}`"))
}

/// The path from the root; `None` if it leaves the repository.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The anchors that forges derive from headings: small letters, spaces to dashes, marks dropped.
fn headings(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .map(|c| {
                    if c == ' ' {
                        '-'
                    } else {
                        c.to_ascii_lowercase()
                    }
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    fn page(text: &str) -> Vec<String> {
        let files = [
            ("docs/a.md", text),
            ("docs/decisions/1.md", "# The `Store` trait, first\n"),
            ("README.md", "# R\n"),
        ];
        said(check, &files)
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        for good in [
            "[a](decisions/1.md) [b](../README.md#r) [c](./decisions/) [d](/docs/a.md)",
            "[a](decisions/1.md#the-store-trait-first \"title\")",
            "# Here\n[a](#here) [b](https://example.org/x.md) [c](mailto:a@example.org)",
            "`[a](gone.md)`\n```\n[a](gone.md)\n```\n",
        ] {
            assert_eq!(page(good), Vec::<String>::new(), "{good}");
        }
    }

    #[test]
    fn broken_links_are_found_at_their_line() {
        assert_eq!(
            page("x\n\n[a](decisions/2.md)"),
            [
                "docs/a.md:3: the link `decisions/2.md` leads nowhere; point it at what is there now, or remove it"
            ]
        );
        assert_eq!(
            page("[a](decisions/1.md#second)"),
            [
                "docs/a.md:1: `docs/decisions/1.md` has no heading for the link `decisions/1.md#second`; point it at what is there now, or remove it"
            ]
        );
        for bad in ["[a](../../x.md)", "[a](#nowhere)", "![p](picture.svg)"] {
            assert_eq!(page(bad).len(), 1, "{bad}");
        }
    }
}
