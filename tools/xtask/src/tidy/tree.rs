//! The files that belong to the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files above this are not read; no hand-written text is so long.
const MAX_TEXT_BYTES: u64 = 4 * 1024 * 1024;

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) bytes: u64,
    /// The content, if it is text.
    pub(crate) text: Option<String>,
}

/// Every file that is tracked, or would be if it were added, by its path with forward slashes.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, File>,
}

impl Tree {
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        let paths = if root.join(".git").exists() {
            listed_by_git(root)?
        } else {
            let mut found = Vec::new();
            walk(root, root, &mut found)?;
            found
        };
        let mut files = BTreeMap::new();
        for path in paths {
            let full = root.join(&path);
            // Git still lists a file that was removed but not yet staged; a link is not ours to read.
            let Ok(meta) = fs::symlink_metadata(&full) else {
                continue;
            };
            if !meta.is_file() {
                continue;
            }
            let bytes = meta.len();
            let text = if bytes > MAX_TEXT_BYTES {
                None
            } else {
                let content = fs::read(&full).map_err(|e| format!("cannot read {path}: {e}"))?;
                String::from_utf8(content)
                    .ok()
                    .filter(|t| !t.contains('\0'))
            };
            files.insert(path, File { bytes, text });
        }
        Ok(Self { files })
    }

    /// A tree of texts, for tests of rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| {
                let file = File {
                    bytes: text.len() as u64,
                    text: Some((*text).to_owned()),
                };
                ((*path).to_owned(), file)
            })
            .collect();
        Self { files }
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Every text file with its path.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files()
            .filter_map(|(path, file)| Some((path, file.text.as_deref()?)))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.text.as_deref()
    }

    /// Whether `path` is a file or a folder with files in it. The empty path is the root.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        if path.is_empty() || self.files.contains_key(path) {
            return true;
        }
        let folder = format!("{path}/");
        self.files
            .range(folder.clone()..)
            .next()
            .is_some_and(|(first, _)| first.starts_with(&folder))
    }
}

fn listed_by_git(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        // In a container the checkout often belongs to another user; listing it runs nothing of its own.
        .args(["-c", "safe.directory=*"])
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .map_err(|e| format!("cannot start git to list the files: {e}"))?;
    if !output.status.success() {
        return Err(format!(
            "git cannot list the files: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let listed = String::from_utf8(output.stdout)
        .map_err(|_| "a file name is not UTF-8; rename it".to_owned())?;
    let mut paths: Vec<String> = listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// What git would list in a tree that came without it, such as an unpacked archive.
fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) -> Result<(), String> {
    let unreadable = |e| format!("cannot read {}: {e}", folder.display());
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path: PathBuf = entry.map_err(unreadable)?.path();
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let relative = relative.to_string_lossy().replace('\\', "/");
        if matches!(relative.as_str(), ".git" | "target" | ".orchestrator") {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            walk(root, &path, found)?;
        } else {
            found.push(relative);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_exist_through_their_files() {
        let tree = Tree::of(&[("a/b/c.rs", ""), ("a/bb.rs", ""), ("d", "")]);
        for path in ["", "a", "a/", "a/b", "a/b/c.rs", "d"] {
            assert!(tree.has(path), "{path}");
        }
        for path in ["a/b/c", "b", "a/bb", "e/"] {
            assert!(!tree.has(path), "{path}");
        }
    }

    #[test]
    fn git_and_a_walk_agree_on_this_package() {
        let root = crate::root::Root::find().expect("inside the repository");
        let tree = Tree::load(&root.dir).expect("the repository can be read");
        let mut walked = Vec::new();
        walk(&root.dir, &root.dir.join("tools/xtask"), &mut walked).expect("readable");
        walked.sort();
        let listed: Vec<_> = tree
            .files()
            .map(|(path, _)| path.to_owned())
            .filter(|path| path.starts_with("tools/xtask/"))
            .collect();
        assert_eq!(listed, walked);
    }
}
