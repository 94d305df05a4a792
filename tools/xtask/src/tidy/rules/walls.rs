//! Walls between crates. No table can open them.

use crate::tidy::cargo_facts::CORE;
use crate::tidy::finding::Finding;
use crate::tidy::house::House;

use super::crate_edges::{Edge, edges};

/// What the machine must not see, at any depth.
const NOT_IN_CORE: [&str; 5] = ["axum", "serde", "serde_json", "sqlx", "tokio"];

/// Where tools live.
const TOOLS: &str = "tools/";

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let direct = edges(house).into_iter().filter_map(|edge| {
        let (what, instead) = broken(&edge)?;
        Some(Finding::new(
            &format!("{}/Cargo.toml", edge.from.folder),
            edge.line,
            what,
            instead,
        ))
    });
    let deep = house
        .cargo
        .core_sees
        .iter()
        .filter(|package| NOT_IN_CORE.contains(&package.as_str()))
        .map(|package| {
            Finding::new(
                &format!("{CORE}/Cargo.toml"),
                1,
                format!("the machine sees `{package}` through its dependencies"),
                format!(
                    "`cargo tree -p {CORE} -i {package}` says through which; do without that one"
                ),
            )
        });
    let mut findings: Vec<_> = direct.chain(deep).collect();
    findings.sort();
    findings.dedup();
    findings
}

fn broken(edge: &Edge<'_>) -> Option<(String, &'static str)> {
    let Edge {
        from, to, folder, ..
    } = edge;
    if from.name == CORE && folder.is_some() {
        return Some((
            format!("the machine depends on `{to}`"),
            "the machine depends on no crate of the workspace; turn the edge around",
        ));
    }
    if from.name == CORE && NOT_IN_CORE.contains(&to.as_str()) {
        return Some((
            format!("the machine depends on `{to}`"),
            "keep it pure; the shell (orchestratord) converts, waits and stores",
        ));
    }
    let product = folder
        .as_ref()
        .is_some_and(|folder| !folder.starts_with(TOOLS));
    if from.folder.starts_with(TOOLS) && product {
        return Some((
            format!(
                "the tool `{}` depends on the product crate `{to}`",
                from.name
            ),
            "tools work on a broken tree; start the product as a process or read its files",
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;
    use crate::tidy::cargo_facts::CargoFacts;
    use crate::tidy::tree::Tree;

    const ROOT: (&str, &str) = (
        "Cargo.toml",
        "[workspace]\nmembers = [\"orchestrator-core\", \"store\", \"tools/gen\", \"tools/fmt\"]\n\
         [workspace.dependencies]\nstore = { path = \"store\" }\nfmt = { path = \"tools/fmt\" }\n",
    );
    const STORE: (&str, &str) = ("store/Cargo.toml", "[package]\nname = \"store\"\n");
    const FMT: (&str, &str) = ("tools/fmt/Cargo.toml", "[package]\nname = \"fmt\"\n");

    fn with(path: &str, name: &str, rest: &str) -> Vec<String> {
        let manifest = format!("[package]\nname = \"{name}\"\n{rest}");
        said(check, &[ROOT, STORE, FMT, (path, &manifest)])
    }

    #[test]
    fn the_machine_sees_neither_the_workspace_nor_the_shell() {
        let core = |rest| with("orchestrator-core/Cargo.toml", CORE, rest);
        assert_eq!(
            core("[dependencies]\nserde_json.workspace = true\nstore.workspace = true\n"),
            [
                "orchestrator-core/Cargo.toml:4: the machine depends on `serde_json`; keep it pure; the shell (orchestratord) converts, waits and stores",
                "orchestrator-core/Cargo.toml:5: the machine depends on `store`; the machine depends on no crate of the workspace; turn the edge around",
            ]
        );
        assert_eq!(
            core("[dev-dependencies]\ntokio.workspace = true\n").len(),
            1
        );
        assert_eq!(
            core("[dependencies]\nsha2.workspace = true\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn tools_see_tools_only() {
        let tool = |rest| with("tools/gen/Cargo.toml", "gen", rest);
        assert_eq!(
            tool("[dev-dependencies]\nstore.workspace = true\n"),
            [
                "tools/gen/Cargo.toml:4: the tool `gen` depends on the product crate `store`; tools work on a broken tree; start the product as a process or read its files"
            ]
        );
        assert_eq!(
            tool("[dependencies]\nfmt.workspace = true\nsyn.workspace = true\n"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn depth_does_not_hide_a_dependency() {
        let tree = Tree::of(&[ROOT, STORE, FMT]);
        let cargo = CargoFacts {
            core_sees: ["sha2", "serde", "serde", "serde_core"]
                .map(str::to_owned)
                .into(),
            ..CargoFacts::default()
        };
        let said: Vec<_> = check(&House::read(&tree, cargo))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            said,
            [
                "orchestrator-core/Cargo.toml:1: the machine sees `serde` through its dependencies; `cargo tree -p orchestrator-core -i serde` says through which; do without that one"
            ]
        );
    }
}
