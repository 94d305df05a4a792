//! Everything that rules look at, read once.

use super::cargo_facts::CargoFacts;
use super::manifest::{self, Entry};
use super::source::{Lexed, TestCode, lex};
use super::tree::Tree;

/// The manifest of the workspace.
pub(crate) const ROOT_MANIFEST: &str = "Cargo.toml";

/// The repository, read and split.
pub(crate) struct House<'a> {
    pub(crate) tree: &'a Tree,
    /// Rust files written by hand.
    pub(crate) rust: Vec<RustFile<'a>>,
    pub(crate) crates: Vec<Crate>,
    /// The entries of the workspace's manifest.
    pub(crate) workspace: Vec<Entry>,
    pub(crate) cargo: CargoFacts,
}

/// One Rust file.
pub(crate) struct RustFile<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    pub(crate) lexed: Lexed<'a>,
    pub(crate) test_code: TestCode,
}

/// One package of the workspace.
pub(crate) struct Crate {
    pub(crate) name: String,
    /// Its folder, without a slash at the end.
    pub(crate) folder: String,
    pub(crate) entries: Vec<Entry>,
}

impl<'a> House<'a> {
    pub(crate) fn read(tree: &'a Tree, cargo: CargoFacts) -> Self {
        let rust = tree
            .texts()
            .filter(|(path, _)| path.ends_with(".rs") && !is_generated(path) && !is_data(path))
            .map(|(path, text)| {
                let lexed = lex(text);
                let test_code = TestCode::find(&lexed.tokens);
                RustFile {
                    path,
                    text,
                    lexed,
                    test_code,
                }
            })
            .collect();
        let workspace = manifest::entries(tree.text(ROOT_MANIFEST).unwrap_or_default());
        let crates = members(&workspace)
            .into_iter()
            .filter_map(|folder| {
                let entries = manifest::entries(tree.text(&format!("{folder}/Cargo.toml"))?);
                let name = entries
                    .iter()
                    .find(|e| e.table == "package" && e.key == "name")
                    .and_then(|e| manifest::strings(&e.value).first().copied())?
                    .to_owned();
                Some(Crate {
                    name,
                    folder,
                    entries,
                })
            })
            .collect();
        Self {
            tree,
            rust,
            crates,
            workspace,
            cargo,
        }
    }
}

impl RustFile<'_> {
    /// Whether the line is compiled for tests only.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        is_test_file(self.path) || self.test_code.contains(line)
    }
}

/// The folders of the workspace's packages.
fn members(workspace: &[Entry]) -> Vec<String> {
    workspace
        .iter()
        .filter(|e| e.table == "workspace" && e.key == "members")
        .flat_map(|e| manifest::strings(&e.value))
        .map(|folder| folder.trim_end_matches('/').to_owned())
        .collect()
}

/// Whether a tool writes the file.
pub(crate) fn is_generated(path: &str) -> bool {
    path.contains("/generated/")
}

/// Whether the file is input or expected output of a test rather than code.
fn is_data(path: &str) -> bool {
    path.contains("/tests/cases/")
}

/// Whether the whole file is test code.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_become_crates_by_their_package_name() {
        let tree = Tree::of(&[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\n \"a/b\",\n \"gone\",\n]\n",
            ),
            ("a/b/Cargo.toml", "[package]\nname = \"a-b\"\n"),
            ("a/b/src/lib.rs", "//! Doc.\n"),
            ("a/b/src/generated/x.rs", ""),
            ("a/b/tests/cases/one/types.rs", ""),
        ]);
        let house = House::read(&tree, CargoFacts::default());
        let crates: Vec<_> = house
            .crates
            .iter()
            .map(|c| (&*c.name, &*c.folder))
            .collect();
        assert_eq!(crates, [("a-b", "a/b")]);
        let rust: Vec<_> = house.rust.iter().map(|f| f.path).collect();
        assert_eq!(rust, ["a/b/src/lib.rs"]);
    }

    #[test]
    fn test_files_are_told_by_their_place() {
        assert!(is_test_file("store/store/tests/it/main.rs"));
        assert!(is_test_file("a/src/queue/tests.rs"));
        assert!(!is_test_file("a/src/contests.rs"));
        assert!(!is_test_file("test-harness/support/src/lib.rs"));
    }
}
