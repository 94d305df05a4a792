//! Contracts in a folder of their own.

use std::{fs, path::Path};

use tempfile::TempDir;

/// The one problem response that every case refers to.
const PROBLEM: &str = include_str!("../problem.yaml");

/// Lays a contract of one file out as the generator expects it; the API is called `sample`.
pub(crate) fn lay_out(document: &str) -> TempDir {
    lay_out_files(&[("sample/openapi.yaml", document)])
}

/// Lays several files out below `contracts/openapi`, beside the shared problem.
pub(crate) fn lay_out_files(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("contracts/openapi");
    write(&root.join("planes/problem.yaml"), PROBLEM);
    for (path, text) in files {
        write(&root.join(path), text);
    }
    folder
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
