//! Real parts that others made: engines and clients that a test drives if they are there.
//!
//! A test that needs one asks for it first and does nothing if it is not there:
//!
//! ```no_run
//! let Some(program) = test_harness_support::real_parts::llama_server() else {
//!     return;
//! };
//! ```
//!
//! Such a test says in its name that it needs the part. Without the part it is skipped with one line on
//! standard error; under `cargo xtask test --require-engines` it fails instead.

#[path = "../../../tools/xtask/src/engines/place.rs"]
mod place;

use std::path::PathBuf;

use place::{Absent, Found, REQUIRE_VAR, environment};

/// The program `llama-server` of llama.cpp: the one that `ORCH_TEST_LLAMA_SERVER` names, else the one that
/// `cargo xtask engines llamacpp` built, else the first on the search path.
///
/// # Panics
/// If `ORCH_TEST_LLAMA_SERVER` names something else than a program, or if there is none and real parts are
/// required.
#[must_use]
pub fn llama_server() -> Option<PathBuf> {
    found(place::llama_server(&environment))
}

/// A Python that has the client packages of `tools/xtask/src/engines/pins/requirements.txt`, as
/// `cargo xtask engines clients` installs them.
///
/// # Panics
/// If there is none and real parts are required.
#[must_use]
pub fn python_clients() -> Option<PathBuf> {
    found(place::python_clients(&environment))
}

/// The folder `node_modules` that has the client packages of `tools/xtask/src/engines/pins/package.json`, as
/// `cargo xtask engines clients` installs them. Node itself is on the search path then.
///
/// # Panics
/// If there is none and real parts are required.
#[must_use]
pub fn node_clients() -> Option<PathBuf> {
    found(place::node_clients(&environment))
}

fn found(search: Result<Found, Absent>) -> Option<PathBuf> {
    match (search, environment(REQUIRE_VAR)) {
        (Ok(found), _) => Some(found.path),
        (Err(Absent::Wrong(why)), _) => panic!("{why}"),
        (Err(Absent::Missing(why)), Some(_)) => panic!("{why}; {REQUIRE_VAR} forbids to skip"),
        (Err(Absent::Missing(why)), None) => {
            // The task runner counts these lines in the report of a run.
            eprintln!("skipped: {why}");
            None
        }
    }
}
