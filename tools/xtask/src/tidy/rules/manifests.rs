//! Every manifest follows the workspace: its lints, its versions, one binary of integration tests.

use std::collections::BTreeSet;

use crate::tidy::finding::Finding;
use crate::tidy::house::{Crate, House, ROOT_MANIFEST};
use crate::tidy::manifest::Entry;

use super::crate_edges::dependency;

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let mut findings: Vec<_> = house.workspace.iter().filter_map(pin).collect();
    for member in &house.crates {
        let path = format!("{}/Cargo.toml", member.folder);
        findings.extend(lints(member, &path));
        findings.extend(
            member
                .entries
                .iter()
                .filter_map(|entry| version(entry, &path)),
        );
        findings.extend(test_binaries(house, member, &path));
    }
    findings
}

/// A pinned version must be one, from the registry or from this repository.
fn pin(entry: &Entry) -> Option<Finding> {
    if entry.table != "workspace.dependencies" {
        return None;
    }
    let foreign = ["git =", "git=", "registry =", "registry="]
        .iter()
        .any(|source| entry.value.contains(source));
    if foreign || entry.value.contains("\"*\"") {
        return Some(Finding::new(
            ROOT_MANIFEST,
            entry.line,
            format!("`{}` is not pinned to a published version", entry.key),
            "name a version; a fork or a branch cannot be built again next year",
        ));
    }
    None
}

fn lints(member: &Crate, path: &str) -> Option<Finding> {
    let inherits = member
        .entries
        .iter()
        .any(|e| e.table == "lints" && e.key == "workspace" && e.value == "true");
    (!inherits).then(|| {
        Finding::new(
            path,
            1,
            format!("`{}` does not take the lints of the workspace", member.name),
            "add `[lints]` with `workspace = true`",
        )
    })
}

/// A dependency takes its version from the workspace; features may be added.
fn version(entry: &Entry, path: &str) -> Option<Finding> {
    let (_, name) = dependency(&entry.table, &entry.key)?;
    let (_, sub_table) = entry.table.split_once("dependencies").unwrap_or_default();
    let inherits = if sub_table.is_empty() {
        entry.key == format!("{name}.workspace") && entry.value == "true"
            || entry.value.replace(' ', "").contains("workspace=true")
    } else {
        // `[dependencies.a]` with one key a line: only its version would be a fault of its own.
        !matches!(entry.key.as_str(), "version" | "path" | "git")
    };
    (!inherits).then(|| {
        Finding::new(
            path,
            entry.line,
            format!("`{name}` does not take its version from the workspace"),
            format!(
                "pin it in the root's [workspace.dependencies] and write `{name}.workspace = true`"
            ),
        )
    })
}

/// Each file in `tests/` links everything once more, so a crate has at most one.
fn test_binaries(house: &House<'_>, member: &Crate, path: &str) -> Option<Finding> {
    let folder = format!("{}/tests/", member.folder);
    let binaries: BTreeSet<_> = house
        .tree
        .files()
        .filter_map(|(path, _)| path.strip_prefix(&folder))
        .filter(|inside| {
            let main = inside.ends_with("/main.rs") && inside.matches('/').count() == 1;
            main || (inside.ends_with(".rs") && !inside.contains('/'))
        })
        .collect();
    (binaries.len() > 1).then(|| {
        Finding::new(
            path,
            1,
            format!(
                "`{}` has {} binaries of integration tests ({})",
                member.name,
                binaries.len(),
                binaries.into_iter().collect::<Vec<_>>().join(", ")
            ),
            "make them modules of tests/it/main.rs",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    const ROOT: (&str, &str) = (
        "Cargo.toml",
        "[workspace]\nmembers = [\"a\"]\n[workspace.dependencies]\nserde = \"1\"\n",
    );
    const GOOD: &str = "[package]\nname = \"a\"\n[lints]\nworkspace = true\n";

    fn with(rest: &str) -> Vec<String> {
        said(check, &[ROOT, ("a/Cargo.toml", &format!("{GOOD}{rest}"))])
    }

    #[test]
    fn inherited_versions_pass() {
        for good in [
            "[dependencies]\nserde.workspace = true\n",
            "[dev-dependencies]\nserde = { workspace = true, features = [\"derive\"] }\n",
            "[target.'cfg(unix)'.dependencies]\nserde = { workspace = true, features = [\n\"rc\",\n] }\n",
            "[dependencies.serde]\nworkspace = true\nfeatures = [\"rc\"]\n",
        ] {
            assert_eq!(with(good), Vec::<String>::new(), "{good}");
        }
    }

    #[test]
    fn own_versions_are_found() {
        for bad in [
            "[dependencies]\nserde = \"1\"\n",
            "[build-dependencies]\nserde = { version = \"1\" }\n",
            "[dependencies]\nserde = { path = \"../serde\" }\n",
            "[dependencies]\nserde.version = \"1\"\n",
            "[dependencies]\n[dependencies.serde]\nversion = \"1\"\n",
        ] {
            let said = with(bad);
            assert_eq!(said.len(), 1, "{bad}: {said:?}");
            assert!(
                said[0].contains("`serde` does not take its version from the workspace; pin it"),
                "{said:?}"
            );
        }
    }

    #[test]
    fn lints_are_inherited() {
        let said = said(
            check,
            &[
                ROOT,
                (
                    "a/Cargo.toml",
                    "[package]\nname = \"a\"\n[lints.rust]\nx = \"warn\"\n",
                ),
            ],
        );
        assert_eq!(
            said,
            [
                "a/Cargo.toml:1: `a` does not take the lints of the workspace; add `[lints]` with `workspace = true`"
            ]
        );
    }

    #[test]
    fn pins_are_versions() {
        for bad in [
            "\"*\"",
            "{ git = \"https://example.org/x\" }",
            "{ version = \"*\" }",
        ] {
            let root = format!("[workspace.dependencies]\nx = {bad}\n");
            let said = said(check, &[("Cargo.toml", &root)]);
            assert_eq!(said.len(), 1, "{bad}");
            assert!(
                said[0].starts_with("Cargo.toml:2: `x` is not pinned"),
                "{said:?}"
            );
        }
    }

    #[test]
    fn one_binary_of_integration_tests() {
        let manifest = ("a/Cargo.toml", GOOD);
        let it = ("a/tests/it/main.rs", "");
        let module = ("a/tests/it/queue.rs", "");
        assert_eq!(
            said(check, &[ROOT, manifest, it, module]),
            Vec::<String>::new()
        );
        let said = said(check, &[ROOT, manifest, it, ("a/tests/more.rs", "")]);
        assert!(
            said[0].contains("has 2 binaries of integration tests (it/main.rs, more.rs)"),
            "{said:?}"
        );
    }
}
