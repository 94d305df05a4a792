//! The generated files: one function makes them, for writing and for checking alike.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
};

use crate::{
    contract::{Contract, SOURCES},
    emit::{self, COMMAND, Paths},
    fault::Fault,
    lint,
};

/// Folders that hold generated files and nothing else, relative to the repository.
const FOLDERS: [&str; 4] = [
    "contracts/openapi/generated",
    "contracts/api-types/src/generated",
    "contracts/api-server/src/generated",
    "contracts/api-client/src/generated",
];

/// Every generated file by its path relative to the repository.
pub type Files = BTreeMap<String, String>;

/// Makes every generated file of the contract below `root`.
///
/// # Errors
///
/// All faults of the contract.
pub fn make(root: &Path) -> Result<Files, Vec<Fault>> {
    let contract = Contract::read(root)?;
    lint::check(&contract)?;
    let paths = Paths::product();
    let [bundles, types, server, client] = FOLDERS;
    debug_assert!(bundles.starts_with(SOURCES));
    let mut files = Files::new();
    for bundle in &contract.bundles {
        let path = format!("{bundles}/{}.json", bundle.name);
        files.insert(path, emit::json::bundle(&bundle.document));
    }
    let mut put = |folder: &str, made: BTreeMap<String, String>| {
        files.extend(
            made.into_iter()
                .map(|(name, text)| (format!("{folder}/{name}"), text)),
        );
    };
    put(types, emit::types::files(&contract, &paths));
    put(server, emit::server::files(&contract, &paths));
    put(
        client,
        emit::client::files(&contract, &paths).map_err(|fault| vec![fault])?,
    );
    Ok(files)
}

/// How a generated file differs from what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is not there.
    Missing,
    /// It is there with other content.
    Stale,
    /// It is there and should not be.
    Orphaned,
}

/// A generated file that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Path relative to the repository.
    pub path: String,
    /// How it differs.
    pub state: State,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Missing => "missing",
            State::Stale => "stale",
            State::Orphaned => "orphaned",
        };
        write!(f, "{state}: {}", self.path)
    }
}

/// Compares the files with those on disk.
///
/// # Errors
///
/// If a folder or file that is there cannot be read.
pub fn compare(root: &Path, files: &Files) -> io::Result<Vec<Difference>> {
    let mut differences = BTreeSet::new();
    for (path, text) in files {
        let state = match fs::read(root.join(path)) {
            Ok(found) if found == text.as_bytes() => continue,
            Ok(_) => State::Stale,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::Missing,
            Err(error) => return Err(error),
        };
        differences.insert(Difference {
            path: path.clone(),
            state,
        });
    }
    for path in present(root)? {
        if !files.contains_key(&path) {
            differences.insert(Difference {
                path,
                state: State::Orphaned,
            });
        }
    }
    Ok(differences.into_iter().collect())
}

/// Brings the files on disk into line and returns what had differed. Unchanged files are not
/// touched, so that builds stay warm.
///
/// # Errors
///
/// If a file cannot be read, written or removed.
pub fn write(root: &Path, files: &Files) -> io::Result<Vec<Difference>> {
    let differences = compare(root, files)?;
    for difference in &differences {
        let path = root.join(&difference.path);
        match files.get(&difference.path) {
            Some(text) => {
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(path, text)?;
            }
            None => fs::remove_file(path)?,
        }
    }
    Ok(differences)
}

/// What to tell someone whose files differ.
pub fn advice(differences: &[Difference]) -> String {
    let mut out = String::from("generated files are not up to date:\n");
    for difference in differences {
        out.push_str(&format!("  {difference}\n"));
    }
    out.push_str(&format!("run `{COMMAND}` and commit the result\n"));
    out
}

/// All files in the generated folders.
fn present(root: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = FOLDERS.iter().map(PathBuf::from).collect();
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            match entry.file_type()?.is_dir() {
                true => folders.push(path),
                false => found.push(path.to_string_lossy().replace('\\', "/")),
            }
        }
    }
    Ok(found)
}
