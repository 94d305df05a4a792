//! Who depends on whom, as a table whose diff is a decision.

use std::collections::BTreeSet;

use crate::tidy::cargo_facts::CORE;
use crate::tidy::finding::Finding;
use crate::tidy::golden::Golden;
use crate::tidy::house::{Crate, House};
use crate::tidy::manifest;

/// The edges that were decided.
pub(crate) const EDGES: Golden = Golden {
    path: "tools/xtask/crate-edges.txt",
    header: &[
        "Which crate of the workspace sees which other; `dev` and `build` edges say so.",
        "For the core and the store trait the crates from outside are listed too.",
    ],
};

/// Crates whose foreign dependencies are decisions as well.
const WATCHED: [&str; 2] = [CORE, "store"];

/// One dependency of one crate.
pub(crate) struct Edge<'a> {
    pub(crate) from: &'a Crate,
    /// The package it names.
    pub(crate) to: String,
    /// Where that package lies, if it is one of the workspace.
    pub(crate) folder: Option<String>,
    /// `dev`, `build` or empty.
    kind: &'static str,
    /// The line in the manifest.
    pub(crate) line: usize,
}

impl Edge<'_> {
    fn row(&self) -> Vec<String> {
        let mut marks = Vec::new();
        if self.folder.is_none() {
            marks.push("external");
        }
        if !self.kind.is_empty() {
            marks.push(self.kind);
        }
        let mut row = vec![format!("{} -> {}", self.from.name, self.to)];
        if !marks.is_empty() {
            row.push(marks.join(", "));
        }
        row
    }

    fn listed(&self) -> bool {
        self.folder.is_some() || WATCHED.contains(&self.from.name.as_str())
    }
}

/// Every dependency that a manifest of the workspace declares.
pub(crate) fn edges<'h>(house: &'h House<'_>) -> Vec<Edge<'h>> {
    let mut edges = Vec::new();
    for from in &house.crates {
        for entry in &from.entries {
            let Some((kind, name)) = dependency(&entry.table, &entry.key) else {
                continue;
            };
            let pin = pin(house, name);
            edges.push(Edge {
                from,
                to: pin.package,
                folder: pin.folder,
                kind,
                line: entry.line,
            });
        }
    }
    edges
}

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let decided = EDGES.read(house.tree);
    let mut needed = BTreeSet::new();
    let mut findings = Vec::new();
    for edge in edges(house).into_iter().filter(Edge::listed) {
        let row = edge.row();
        if !decided.contains_key(&row) {
            findings.push(Finding::new(
                &format!("{}/Cargo.toml", edge.from.folder),
                edge.line,
                format!("the edge `{}` is new", row.join("  ")),
                format!(
                    "if it is meant, run `cargo xtask tidy --bless` and let {} be reviewed",
                    EDGES.path
                ),
            ));
        }
        needed.insert(row);
    }
    findings.extend(EDGES.stale(&decided, |row| needed.contains(row)));
    findings
}

pub(crate) fn rows(house: &House<'_>) -> Vec<Vec<String>> {
    let rows: BTreeSet<_> = edges(house)
        .iter()
        .filter(|e| e.listed())
        .map(Edge::row)
        .collect();
    rows.into_iter().collect()
}

/// The kind and name of the dependency that an entry declares, in any of the spellings cargo takes.
pub(crate) fn dependency<'e>(table: &'e str, key: &'e str) -> Option<(&'static str, &'e str)> {
    // `target.'cfg(…)'.dependencies` means the same as `dependencies` here.
    let table = table.strip_prefix("target.").map_or(table, |rest| {
        // The platform is quoted if it may hold dots.
        let end = if rest.starts_with('\'') { "'." } else { "." };
        rest.split_once(end).map_or("", |(_, table)| table)
    });
    let (head, sub_table) = table.split_once('.').unwrap_or((table, ""));
    let kind = match head {
        "dependencies" => "",
        "dev-dependencies" => "dev",
        "build-dependencies" => "build",
        _ => return None,
    };
    let name = if sub_table.is_empty() {
        key.split('.').next()?
    } else {
        sub_table
    };
    Some((kind, name.trim_matches('"')))
}

/// What the workspace says a dependency's name stands for.
struct Pin {
    package: String,
    folder: Option<String>,
}

fn pin(house: &House<'_>, name: &str) -> Pin {
    let value = house
        .workspace
        .iter()
        .find(|e| e.table == "workspace.dependencies" && e.key == name)
        .map_or("", |e| e.value.as_str());
    let folder = manifest::inline(value, "path").map(str::to_owned);
    let package = match &folder {
        Some(path) => house
            .crates
            .iter()
            .find(|c| c.folder == *path)
            .map(|c| c.name.clone()),
        None => manifest::inline(value, "package").map(str::to_owned),
    };
    Pin {
        package: package.unwrap_or_else(|| name.to_owned()),
        folder,
    }
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    const ROOT: (&str, &str) = (
        "Cargo.toml",
        "[workspace]\nmembers = [\"app\", \"orchestrator-core\", \"t/support\"]\n\
         [workspace.dependencies]\norchestrator-core = { path = \"orchestrator-core\" }\n\
         t-support = { path = \"t/support\" }\nsha2 = \"1\"\n",
    );
    const SUPPORT: (&str, &str) = ("t/support/Cargo.toml", "[package]\nname = \"t-support\"\n");
    const CORE_MANIFEST: (&str, &str) = (
        "orchestrator-core/Cargo.toml",
        "[package]\nname = \"orchestrator-core\"\n[dependencies]\nsha2.workspace = true\n",
    );
    const APP: (&str, &str) = (
        "app/Cargo.toml",
        "[package]\nname = \"app\"\n[dependencies]\norchestrator-core.workspace = true\n\
         sha2.workspace = true\n[dev-dependencies]\nt-support = { workspace = true }\n",
    );
    const DECIDED: &str = "app -> orchestrator-core\napp -> t-support  dev\n\
                           orchestrator-core -> sha2  external\n";

    #[test]
    fn decided_edges_pass_and_only_watched_crates_list_foreign_ones() {
        let files = [ROOT, SUPPORT, CORE_MANIFEST, APP, (EDGES.path, DECIDED)];
        assert_eq!(said(check, &files), Vec::<String>::new());
    }

    #[test]
    fn a_new_edge_is_found_at_its_line() {
        let table = DECIDED.replace("app -> t-support  dev\n", "");
        let files = [ROOT, SUPPORT, CORE_MANIFEST, APP, (EDGES.path, &table)];
        assert_eq!(
            said(check, &files),
            [
                "app/Cargo.toml:7: the edge `app -> t-support  dev` is new; if it is meant, run `cargo xtask tidy --bless` and let tools/xtask/crate-edges.txt be reviewed"
            ]
        );
    }

    #[test]
    fn an_edge_that_is_gone_leaves_the_table() {
        let files = [ROOT, SUPPORT, CORE_MANIFEST, (EDGES.path, DECIDED)];
        let said = said(check, &files);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].starts_with("tools/xtask/crate-edges.txt:1: nothing needs"));
    }

    #[test]
    fn every_spelling_of_a_dependency_is_read() {
        for (table, key, read) in [
            ("dependencies", "a.workspace", Some(("", "a"))),
            ("dev-dependencies", "a", Some(("dev", "a"))),
            ("build-dependencies.a", "workspace", Some(("build", "a"))),
            (
                "target.'cfg(unix)'.dependencies",
                "a.workspace",
                Some(("", "a")),
            ),
            (
                "target.'cfg(a = \"b.c\")'.dev-dependencies.d",
                "workspace",
                Some(("dev", "d")),
            ),
            (
                "target.x86_64-unknown-linux-gnu.dependencies",
                "a",
                Some(("", "a")),
            ),
            ("package", "name", None),
            ("workspace.dependencies", "a", None),
        ] {
            assert_eq!(dependency(table, key), read, "{table} {key}");
        }
    }
}
