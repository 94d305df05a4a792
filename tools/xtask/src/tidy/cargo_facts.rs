//! What only cargo knows: the resolved dependencies.

use std::collections::BTreeMap;

use crate::command;
use crate::root::Root;

/// The package of the machine, whose dependencies are walled in.
pub(crate) const CORE: &str = "orchestrator-core";

/// Resolved dependencies, as far as rules ask for them.
#[derive(Debug, Default)]
pub(crate) struct CargoFacts {
    /// Every package of the build with its licence as declared; empty if it declares none.
    pub(crate) licences: BTreeMap<String, String>,
    /// Every package that ends up in the core, at any depth.
    pub(crate) core_sees: Vec<String>,
}

impl CargoFacts {
    pub(crate) fn ask(root: &Root) -> Result<Self, String> {
        let all = tree(root, &["--workspace", "--format", "{p}\t{l}"])?;
        let core = tree(
            root,
            &[
                "--package",
                CORE,
                "--edges",
                "normal,build",
                "--format",
                "{p}",
            ],
        )?;
        Ok(Self {
            licences: licences(&all),
            core_sees: core.lines().map(package).map(str::to_owned).collect(),
        })
    }
}

fn tree(root: &Root, args: &[&str]) -> Result<String, String> {
    let fixed = ["tree", "--locked", "--prefix", "none"];
    let output = command::cargo(root, &[&fixed, args].concat())
        .output()
        .map_err(|e| format!("cannot start cargo: {e}"))?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|e| format!("cargo tree: {e}"))
    } else {
        Err(format!(
            "cargo tree failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))
    }
}

fn licences(text: &str) -> BTreeMap<String, String> {
    // Cargo marks what it has shown before.
    text.lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter_map(|line| line.split_once('\t'))
        .map(|(id, licence)| (name_and_version(id), licence.trim().to_owned()))
        .collect()
}

/// `serde v1.0.0 (proc-macro)` without what stands in parentheses.
fn name_and_version(id: &str) -> String {
    id.split(" (").next().unwrap_or(id).to_owned()
}

fn package(id: &str) -> &str {
    id.split(' ').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_with_their_licences() {
        let text = "a v1.0.0 (/somewhere)\tMIT\nb v2.0.0\t\na v1.0.0\tMIT (*)\nc v1.0.0 (proc-macro)\tISC\n";
        let read: Vec<_> = licences(text).into_iter().collect();
        let own = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            read,
            [
                own("a v1.0.0", "MIT"),
                own("b v2.0.0", ""),
                own("c v1.0.0", "ISC")
            ]
        );
        assert_eq!(package("serde v1.0.0 (proc-macro)"), "serde");
    }
}
