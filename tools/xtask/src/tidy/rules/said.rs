//! Asks one rule about a small tree.

use super::table::Rule;
use crate::tidy::cargo_facts::CargoFacts;
use crate::tidy::house::House;
use crate::tidy::tree::Tree;

/// What `rule` says about a small tree, one line a finding.
pub(super) fn said(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    let tree = Tree::of(files);
    let house = House::read(&tree, CargoFacts::default());
    rule(&house).iter().map(ToString::to_string).collect()
}
