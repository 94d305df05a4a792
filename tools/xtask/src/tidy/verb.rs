//! Runs the rules over the repository, or blesses its tables.

use std::fs;
use std::process::ExitCode;

use super::cargo_facts::CargoFacts;
use super::house::House;
use super::rules::{BLESSINGS, RULES};
use super::tree::Tree;
use crate::root::Root;
use crate::say::say;
use crate::verbs::{Outcome, flags};

/// The verb: prints every finding, or that there is none.
pub(crate) fn tidy(root: &Root, args: &[String]) -> Outcome {
    let [bless] = flags("tidy", args, ["--bless"])?;
    if bless {
        write_tables(root)?;
    }
    check(root)?;
    Ok(ExitCode::SUCCESS)
}

/// All rules over the tree as it lies on disk.
pub(crate) fn check(root: &Root) -> Result<(), String> {
    let tree = Tree::load(&root.dir)?;
    let house = House::read(&tree, CargoFacts::ask(root)?);
    let mut findings: Vec<_> = RULES.iter().flat_map(|rule| rule(&house)).collect();
    findings.sort();
    for finding in &findings {
        say!("{finding}");
    }
    if findings.is_empty() {
        say!(
            "tidy: {} files, {} rules, nothing to say",
            tree.len(),
            RULES.len()
        );
        Ok(())
    } else {
        let plural = if findings.len() == 1 { "" } else { "s" };
        Err(format!("tidy has {} finding{plural}", findings.len()))
    }
}

fn write_tables(root: &Root) -> Result<(), String> {
    let tree = Tree::load(&root.dir)?;
    let house = House::read(&tree, CargoFacts::default());
    for (table, rows) in BLESSINGS {
        let text = table.render(rows(&house));
        if tree.text(table.path) != Some(text.as_str()) {
            fs::write(root.dir.join(table.path), text)
                .map_err(|e| format!("cannot write {}: {e}", table.path))?;
            say!("rewrote {}", table.path);
        }
    }
    Ok(())
}
