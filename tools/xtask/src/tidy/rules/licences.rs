//! Every dependency may be used under a licence that `deny.toml` allows.
//!
//! The same file serves `cargo deny`, which looks deeper but need not be installed.

use crate::tidy::finding::Finding;
use crate::tidy::house::House;
use crate::tidy::manifest;

use super::spdx;

/// Where the allowed licences are listed.
const POLICY: &str = "deny.toml";

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let entries = manifest::entries(house.tree.text(POLICY).unwrap_or_default());
    let Some(list) = entries
        .iter()
        .find(|e| e.table == "licenses" && e.key == "allow")
    else {
        return vec![Finding::new(
            POLICY,
            1,
            "there is no list of allowed licences",
            "write `allow = […]` under [licenses]",
        )];
    };
    let allowed = manifest::strings(&list.value);
    house
        .cargo
        .licences
        .iter()
        .filter(|(_, licence)| !spdx::accepted(licence, &allowed))
        .map(|(package, licence)| {
            let what = if licence.is_empty() {
                format!("`{package}` declares no licence")
            } else {
                format!("`{package}` is licensed `{licence}`, which is not allowed")
            };
            Finding::new(
                POLICY,
                list.line,
                what,
                "do without it, or decide that the licence is acceptable and list it",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::cargo_facts::CargoFacts;
    use crate::tidy::tree::Tree;

    fn with(policy: &str, licences: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(&[(POLICY, policy)]);
        let licences = licences
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        let cargo = CargoFacts {
            licences: licences.collect(),
            ..CargoFacts::default()
        };
        check(&House::read(&tree, cargo))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn licences_are_judged_by_the_policy() {
        let policy = "[licenses]\nallow = [\n  \"MIT\", # short\n  \"ISC\",\n]\n";
        let packages = [
            ("a v1.0.0", "MIT OR GPL-3.0"),
            ("b v1.0.0", "GPL-3.0"),
            ("c v1.0.0", ""),
        ];
        assert_eq!(
            with(policy, &packages),
            [
                "deny.toml:2: `b v1.0.0` is licensed `GPL-3.0`, which is not allowed; do without it, or decide that the licence is acceptable and list it",
                "deny.toml:2: `c v1.0.0` declares no licence; do without it, or decide that the licence is acceptable and list it",
            ]
        );
        assert_eq!(with("", &packages).len(), 1);
    }
}
