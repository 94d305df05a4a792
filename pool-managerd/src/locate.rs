//! Where the embedded engine's binary is.

use std::env;
use std::env::consts::EXE_SUFFIX;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Name of the embedded engine's binary.
pub const ENGINE_NAME: &str = "orch-engine";

/// Environment variable with the path of the binary; the daemon's `--pool-engine-binary` reads the same one.
pub const ENGINE_BIN_ENV: &str = "ORCH_POOL_ENGINE_BINARY";

/// The binary is nowhere.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the engine binary {ENGINE_NAME} was not found; tried:{}\nbuild it with `cargo build -p {ENGINE_NAME}`, or set {ENGINE_BIN_ENV} to its path", list(.tried))]
pub struct LocateError {
    /// Each place that was tried, and what is wrong with it.
    pub tried: Vec<String>,
}

fn list(tried: &[String]) -> String {
    tried.iter().fold(String::new(), |mut text, place| {
        let _ = write!(text, "\n  {place}");
        text
    })
}

/// Finds the embedded engine's binary: the path given, else the one in `ORCH_POOL_ENGINE_BINARY`, else
/// beside the running program (and above its `deps` folder, where tests run), else on the search path. A
/// path that is given, in either way, is the only one tried.
///
/// # Errors
/// Every place that was tried.
pub fn locate_engine(explicit: Option<&Path>) -> Result<PathBuf, LocateError> {
    Places {
        explicit: explicit.map(Path::to_owned),
        from_env: env::var_os(ENGINE_BIN_ENV).filter(|path| !path.is_empty()),
        current_exe: env::current_exe().ok(),
        search_path: env::var_os("PATH"),
    }
    .locate()
}

struct Places {
    explicit: Option<PathBuf>,
    from_env: Option<OsString>,
    current_exe: Option<PathBuf>,
    search_path: Option<OsString>,
}

impl Places {
    fn locate(self) -> Result<PathBuf, LocateError> {
        let mut tried = Vec::new();
        let given = match (self.explicit, self.from_env) {
            (Some(path), _) => Some((path, "given")),
            (None, Some(path)) => Some((PathBuf::from(path), ENGINE_BIN_ENV)),
            (None, None) => None,
        };
        if let Some((path, how)) = given {
            return check(path, how, &mut tried).ok_or(LocateError { tried });
        }
        let name = format!("{ENGINE_NAME}{EXE_SUFFIX}");
        let folder = self.current_exe.as_deref().and_then(Path::parent);
        let above_deps = folder
            .filter(|folder| folder.ends_with("deps"))
            .and_then(Path::parent);
        for folder in [folder, above_deps].into_iter().flatten() {
            if let Some(path) = check(folder.join(&name), "beside this program", &mut tried) {
                return Ok(path);
            }
        }
        let search_path = self.search_path.unwrap_or_default();
        for folder in env::split_paths(&search_path).filter(|folder| folder.is_absolute()) {
            if let Some(path) = check(folder.join(&name), "PATH", &mut tried) {
                return Ok(path);
            }
        }
        Err(LocateError { tried })
    }
}

fn check(path: PathBuf, how: &str, tried: &mut Vec<String>) -> Option<PathBuf> {
    match fault(&path) {
        None => Some(path),
        Some(fault) => {
            tried.push(format!("{} ({how}): {fault}", path.display()));
            None
        }
    }
}

fn fault(path: &Path) -> Option<String> {
    match path.metadata() {
        Err(error) => Some(error.to_string()),
        Ok(meta) if !meta.is_file() => Some("not a file".to_owned()),
        Ok(meta) if !is_executable(&meta) => Some("not executable".to_owned()),
        Ok(_) => None,
    }
}

#[cfg(unix)]
fn is_executable(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A folder tree with an engine in each of `with`, executable.
    fn tree(with: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["bin/deps", "path1", "path2"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for folder in with {
            let path = root.path().join(folder).join(ENGINE_NAME);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        root
    }

    fn places(root: &Path) -> Places {
        Places {
            explicit: None,
            from_env: None,
            current_exe: Some(root.join("bin/deps/tests-1234")),
            search_path: Some(env::join_paths([root.join("path1"), root.join("path2")]).unwrap()),
        }
    }

    fn located(root: &tempfile::TempDir, places: Places) -> String {
        let text = match places.locate() {
            Ok(path) => path.display().to_string(),
            Err(error) => error.to_string(),
        };
        text.replace(&root.path().display().to_string(), "ROOT")
    }

    #[test]
    fn the_nearest_is_taken() {
        for (with, expected) in [
            (
                &["bin/deps", "bin", "path1"][..],
                "ROOT/bin/deps/orch-engine",
            ),
            (&["bin", "path1", "path2"], "ROOT/bin/orch-engine"),
            (&["path2"], "ROOT/path2/orch-engine"),
        ] {
            let root = tree(with);
            assert_eq!(located(&root, places(root.path())), expected);
        }
    }

    #[test]
    fn what_is_given_is_the_only_place() {
        let root = tree(&["bin", "path1"]);
        let given = root.path().join("path1/orch-engine");
        let mut explicit = places(root.path());
        explicit.explicit = Some(given.clone());
        explicit.from_env = Some("/nowhere".into());
        assert_eq!(located(&root, explicit), "ROOT/path1/orch-engine");
        let mut from_env = places(root.path());
        from_env.from_env = Some(given.into_os_string());
        assert_eq!(located(&root, from_env), "ROOT/path1/orch-engine");
        let mut wrong = places(root.path());
        wrong.from_env = Some(root.path().join("bin").into_os_string());
        insta::assert_snapshot!(located(&root, wrong), @r#"
        the engine binary orch-engine was not found; tried:
          ROOT/bin (ORCH_POOL_ENGINE_BINARY): not a file
        build it with `cargo build -p orch-engine`, or set ORCH_POOL_ENGINE_BINARY to its path
        "#);
    }

    #[test]
    fn the_error_lists_what_was_tried() {
        let root = tree(&["path1"]);
        let in_path = root.path().join("path1/orch-engine");
        fs::set_permissions(in_path, fs::Permissions::from_mode(0o644)).unwrap();
        insta::assert_snapshot!(located(&root, places(root.path())), @r#"
        the engine binary orch-engine was not found; tried:
          ROOT/bin/deps/orch-engine (beside this program): No such file or directory (os error 2)
          ROOT/bin/orch-engine (beside this program): No such file or directory (os error 2)
          ROOT/path1/orch-engine (PATH): not executable
          ROOT/path2/orch-engine (PATH): No such file or directory (os error 2)
        build it with `cargo build -p orch-engine`, or set ORCH_POOL_ENGINE_BINARY to its path
        "#);
    }
}
