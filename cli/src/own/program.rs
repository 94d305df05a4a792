//! Where the daemon's program is.

use std::{
    env::{self, consts::EXE_SUFFIX},
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::error::Failure;

/// Finds the daemon's program: beside this one, else on the search path.
///
/// # Errors
///
/// Every place that was looked at.
pub(super) fn find() -> Result<PathBuf, Failure> {
    let own = env::current_exe().ok();
    let search_path = env::var_os("PATH").unwrap_or_default();
    places(own.as_deref(), &search_path)
}

fn places(own: Option<&Path>, search_path: &OsString) -> Result<PathBuf, Failure> {
    let beside = own.and_then(Path::parent).map(Path::to_owned);
    // A folder that is not absolute would be another one wherever orch is run.
    let searched = env::split_paths(search_path).filter(|folder| folder.is_absolute());
    let mut tried = Vec::new();
    for folder in beside.into_iter().chain(searched) {
        let path = folder.join(format!("orchestratord{EXE_SUFFIX}"));
        if path.is_file() {
            return Ok(path);
        }
        let place = path.display().to_string();
        if !tried.contains(&place) {
            tried.push(place);
        }
    }
    Err(Failure::NoDaemonProgram { tried })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    #[test]
    fn the_one_beside_comes_first_and_every_place_is_told_once() {
        let home = tempfile::tempdir().unwrap();
        let [beside, path] = ["bin", "path"].map(|name| home.path().join(name));
        for folder in [&beside, &path] {
            fs::create_dir(folder).unwrap();
        }
        let own = beside.join("orch");
        let search_path = env::join_paths([Path::new("relative"), &path, &beside, &path]).unwrap();
        let found = || places(Some(&own), &search_path);
        let Failure::NoDaemonProgram { tried } = found().unwrap_err() else {
            panic!("another failure");
        };
        let program = |folder: &Path| folder.join("orchestratord");
        let told = [&beside, &path].map(|folder| program(folder).display().to_string());
        assert_eq!(tried, told);
        fs::write(program(&path), "").unwrap();
        assert_eq!(found().unwrap(), program(&path));
        fs::write(program(&beside), "").unwrap();
        assert_eq!(found().unwrap(), program(&beside));
    }
}
