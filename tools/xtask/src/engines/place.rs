//! Where the real parts lie that tests run against: engines and clients that others made.
//!
//! `cargo xtask engines` puts them there and the tests look there. The task runner may depend on nothing, so
//! `test-harness/support` includes this very file instead of repeating what it says.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Names a `llama-server` to use instead of the one in the cache.
pub(crate) const LLAMA_SERVER_VAR: &str = "ORCH_TEST_LLAMA_SERVER";

/// Set to anything but nothing, a test that lacks a real part fails instead of being skipped.
pub(crate) const REQUIRE_VAR: &str = "ORCH_TEST_REQUIRE_ENGINES";

/// The source package of `llama-server`, as the folder of what is built from it. The number behind the version
/// is raised when the same source is built in another way.
const LLAMACPP_FOLDER: &str = "llamacpp-0.3.36-1";

/// The packages of the Python clients, pinned.
pub(crate) const PYTHON_PINS: &str = include_str!("pins/requirements.txt");
/// The packages of the Node clients, pinned.
pub(crate) const NODE_PINS: &str = include_str!("pins/package.json");

/// Reads a variable of the environment; a test gives another reader.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The environment of this process. A variable that is set to nothing is not set.
pub(crate) fn environment(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// A part that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The program, or for the Node clients the folder of their modules.
    pub(crate) path: PathBuf,
    /// Who named the place.
    pub(crate) how: &'static str,
}

/// A part that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Nobody has put it anywhere: what is missing, and the command that brings it.
    Missing(String),
    /// Somebody named a place, and it is not there: never passed over in silence.
    Wrong(String),
}

/// The folder that all checkouts of one user share.
pub(crate) fn cache(environment: Environment<'_>) -> Option<PathBuf> {
    // The specification of base directories says that a relative path is to be ignored.
    let named = environment("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let cache = named.or_else(|| environment("HOME").map(|home| Path::new(&home).join(".cache")));
    cache.map(|cache| cache.join("orchestrator"))
}

/// Where `cargo xtask engines llamacpp` works, and leaves the program `llama-server`.
pub(crate) fn llamacpp_folder(environment: Environment<'_>) -> Option<PathBuf> {
    cache(environment).map(|cache| cache.join("engines").join(LLAMACPP_FOLDER))
}

/// Where `cargo xtask engines clients` installs packages. It is named after the pins, so that checkouts with
/// others do not disturb each other.
pub(crate) fn clients_folder(environment: Environment<'_>) -> Option<PathBuf> {
    let name = format!("{:016x}", digest(&[PYTHON_PINS, NODE_PINS]));
    cache(environment).map(|cache| cache.join("clients").join(name))
}

/// The `llama-server` to test against: the one that the environment names, else the one in the cache, else the
/// first on the search path.
pub(crate) fn llama_server(environment: Environment<'_>) -> Result<Found, Absent> {
    if let Some(path) = environment(LLAMA_SERVER_VAR).map(PathBuf::from) {
        return if is_program(&path) {
            let how = LLAMA_SERVER_VAR;
            Ok(Found { path, how })
        } else {
            let path = path.display();
            let wrong =
                format!("{LLAMA_SERVER_VAR} names {path}, which is no program that can be started");
            Err(Absent::Wrong(wrong))
        };
    }
    let name = format!("llama-server{}", env::consts::EXE_SUFFIX);
    let cached = llamacpp_folder(environment).map(|folder| folder.join(&name));
    if let Some(path) = cached.filter(|path| is_program(path)) {
        return Ok(Found {
            path,
            how: "the cache",
        });
    }
    let search_path = environment("PATH").unwrap_or_default();
    env::split_paths(&search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&name))
        .find(|path| is_program(path))
        .map(|path| Found { path, how: "PATH" })
        .ok_or_else(|| missing("llama-server", "cargo xtask engines llamacpp"))
}

/// The Python that has the clients' packages.
pub(crate) fn python_clients(environment: Environment<'_>) -> Result<Found, Absent> {
    installed(
        environment,
        "python",
        "python/bin/python",
        "Python client packages",
    )
}

/// The folder `node_modules` with the clients' packages.
pub(crate) fn node_clients(environment: Environment<'_>) -> Result<Found, Absent> {
    installed(
        environment,
        "node",
        "node/node_modules",
        "Node client packages",
    )
}

/// What an installation leaves behind as its last deed: a broken off one is none.
pub(crate) fn done_file(clients: &Path, which: &str) -> PathBuf {
    clients.join(format!("{which}.done"))
}

fn installed(
    environment: Environment<'_>,
    which: &str,
    at: &str,
    what: &str,
) -> Result<Found, Absent> {
    clients_folder(environment)
        .filter(|folder| done_file(folder, which).is_file())
        .map(|folder| folder.join(at))
        .filter(|path| path.exists())
        .map(|path| Found {
            path,
            how: "the cache",
        })
        .ok_or_else(|| missing(what, "cargo xtask engines clients"))
}

fn missing(what: &str, command: &str) -> Absent {
    Absent::Missing(format!("no {what} here; `{command}` brings it"))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// FNV-1a: enough to tell pins apart, and the same in every version of the compiler.
fn digest(texts: &[&str]) -> u64 {
    texts
        .iter()
        .flat_map(|text| text.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
