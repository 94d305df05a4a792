//! The repository knows no machine it was written on.
//!
//! The words looked for are put together here from parts, so that this file does not hold them.

use crate::tidy::finding::Finding;
use crate::tidy::house::House;

/// Top folders in which people and build machines keep their checkouts.
const HOMES: [&str; 4] = ["home", "root", "Users", "work"];

/// Second-level names and domains of package registries.
const REGISTRIES: [(&str, &str); 5] = [
    ("crates", "io"),
    ("npmjs", "org"),
    ("npmjs", "com"),
    ("pypi", "org"),
    ("rubygems", "org"),
];

/// Files in which a package manager names the registry itself.
const LOCK_FILES: [&str; 1] = ["Cargo.lock"];

/// Files for which a fixed folder for temporary files is a fault; prose may use one in an example.
const CODE: [&str; 6] = [".rs", ".snap", ".toml", ".sh", ".json", ".yaml"];

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    let homes: Vec<String> = HOMES.iter().map(|home| format!("/{home}/")).collect();
    let temporary = format!("/{}/", "tmp");
    let registries: Vec<String> = REGISTRIES
        .iter()
        .map(|(name, domain)| format!("{name}.{domain}"))
        .collect();
    let mut findings = Vec::new();
    for (path, text) in house
        .tree
        .texts()
        .filter(|(path, _)| !LOCK_FILES.contains(path))
    {
        for (i, line) in text.lines().enumerate() {
            if let Some(home) = homes.iter().find(|home| has_absolute(line, home)) {
                findings.push(Finding::new(
                    path,
                    i + 1,
                    format!("a path of somebody's machine, under `{home}`"),
                    "name paths from the root of the repository",
                ));
            }
            if CODE.iter().any(|end| path.ends_with(end)) && has_absolute(line, &temporary) {
                findings.push(Finding::new(
                    path,
                    i + 1,
                    "a fixed folder for temporary files",
                    "ask for one (`tempfile`), or use a path that nobody creates",
                ));
            }
            if let Some(host) = registries.iter().find(|host| line.contains(host.as_str())) {
                findings.push(Finding::new(
                    path,
                    i + 1,
                    format!("the host of a package registry, `{host}`"),
                    "name the package; where it comes from is the package manager's setting",
                ));
            }
        }
    }
    findings
}

/// Whether `folder` starts an absolute path in the line, rather than lie inside a longer one or a URL.
fn has_absolute(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        line[..at]
            .chars()
            .next_back()
            .is_none_or(|before| before.is_whitespace() || "\"'`(=:,[<>|".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    #[test]
    fn paths_of_machines_are_found() {
        let path = format!("/{}/me/project", "home");
        for line in [
            format!("see {path}"),
            format!("let p = \"{path}\";"),
            format!("PATH=/bin:{path}"),
            path.clone(),
        ] {
            assert_eq!(
                said(check, &[("docs/a.md", &format!("x\n{line}\n"))]),
                [format!(
                    "docs/a.md:2: a path of somebody's machine, under `/{}/`; name paths from the root of the repository",
                    "home"
                )],
                "{line}"
            );
        }
    }

    #[test]
    fn parts_of_other_paths_are_not() {
        let text = format!("src/{0}/a.rs https://host/{0}/x ./{0}/ {0}", "home");
        assert_eq!(said(check, &[("docs/a.md", &text)]), Vec::<String>::new());
    }

    #[test]
    fn temporary_folders_are_for_prose_only() {
        let text = format!("open(\"/{}/x\")", "tmp");
        assert_eq!(said(check, &[("a/src/b.rs", &text)]).len(), 1);
        assert_eq!(said(check, &[("docs/a.md", &text)]), Vec::<String>::new());
    }

    #[test]
    fn registries_are_named_by_lock_files_only() {
        let text = format!(
            "source = \"registry+https://index.{}.{}/x\"",
            "crates", "io"
        );
        assert_eq!(said(check, &[("Cargo.lock", &text)]), Vec::<String>::new());
        let said = said(check, &[("README.md", &text)]);
        assert!(
            said[0].contains("the host of a package registry"),
            "{said:?}"
        );
    }
}
