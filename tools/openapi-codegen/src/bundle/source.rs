//! The contract's files, each read once.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use crate::{
    fault::{Fault, Faults, Outcome},
    yaml::{self, Node, Place},
};

/// Every YAML file under the contract's folder, by its path with forward slashes.
#[derive(Debug)]
pub struct Sources {
    files: BTreeMap<String, Node>,
}

impl Sources {
    /// Reads all `*.yaml` below `root/folder`; paths are relative to `root`.
    pub fn read(root: &Path, folder: &str) -> Result<Self, Vec<Fault>> {
        let mut found = Vec::new();
        let mut faults = Faults::default();
        faults.keep(list(root, folder, &mut found));
        let mut files = BTreeMap::new();
        for path in found {
            let parsed = read_text(root, &path)
                .and_then(|text| yaml::parse(&Arc::from(path.as_str()), &text));
            if let Some(node) = faults.keep(parsed) {
                files.insert(path, node);
            }
        }
        faults.verdict()?;
        Ok(Self { files })
    }

    /// The document in a file.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.files.get(path)
    }

    /// All files in order of path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.files.iter().map(|(path, node)| (path.as_str(), node))
    }
}

fn read_text(root: &Path, path: &str) -> Outcome<String> {
    fs::read_to_string(root.join(path)).map_err(|error| unreadable(path, &error))
}

fn list(root: &Path, folder: &str, found: &mut Vec<String>) -> Outcome<()> {
    let entries = fs::read_dir(root.join(folder)).map_err(|error| unreadable(folder, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let is_dir = entry.path().is_dir();
        names.push((entry.file_name().to_string_lossy().into_owned(), is_dir));
    }
    names.sort();
    for (name, is_dir) in names {
        let path = format!("{folder}/{name}");
        if is_dir {
            list(root, &path, found)?;
        } else if name.ends_with(".yaml") {
            found.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &str, error: &std::io::Error) -> Fault {
    let at = Place {
        file: Arc::from(path),
        line: 1,
    };
    Fault::new("file", &at, format!("cannot be read: {error}"))
}
