//! The verb: brings parts, or says which are there.

use std::process::ExitCode;
use std::thread::available_parallelism;

use super::place::{self, Absent, Environment, Found, environment};
use super::{clients, llamacpp};
use crate::root::Root;
use crate::say::say;
use crate::verbs::{Failure, Outcome};

/// A part that tests look for, and the search for it.
type Search = fn(Environment<'_>) -> Result<Found, Absent>;

/// Every part.
const PARTS: [(&str, Search); 3] = [
    ("llama-server", place::llama_server),
    ("Python clients", place::python_clients),
    ("Node clients", place::node_clients),
];

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// What is there?
    Survey,
    /// `llama-server`, built with so many compilers at once; with none named, one for each core.
    Llamacpp(Option<usize>),
    Clients,
}

/// `cargo xtask engines [llamacpp [--jobs N] | clients]`.
pub(crate) fn engines(_: &Root, args: &[String]) -> Outcome {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match wanted(&words)? {
        Wanted::Survey => {
            // What is missing is told, and no fault of this verb.
            let (lines, _) = survey();
            lines.iter().for_each(|line| say!("{line}"));
        }
        Wanted::Llamacpp(jobs) => {
            let cores = || available_parallelism().map_or(1, usize::from);
            llamacpp::ensure(jobs.unwrap_or_else(cores))?;
        }
        Wanted::Clients => clients::ensure()?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn wanted(words: &[&str]) -> Result<Wanted, Failure> {
    match words {
        [] => Ok(Wanted::Survey),
        ["llamacpp"] => Ok(Wanted::Llamacpp(None)),
        ["llamacpp", "--jobs", number] => match number.parse() {
            Ok(jobs) if jobs > 0 => Ok(Wanted::Llamacpp(Some(jobs))),
            _ => Err(Failure::usage(format!(
                "--jobs takes a number above 0, not `{number}`"
            ))),
        },
        ["clients"] => Ok(Wanted::Clients),
        _ => Err(Failure::usage(format!(
            "`engines` does not take `{}`; it takes nothing, `llamacpp [--jobs N]` or `clients`",
            words.join(" ")
        ))),
    }
}

/// One line for each part that tests look for, and whether all of them are there.
pub(crate) fn survey() -> (Vec<String>, bool) {
    let mut complete = true;
    let lines = PARTS
        .iter()
        .map(|(name, search)| match search(&environment) {
            Ok(found) => format!("{name}: {} (from {})", found.path.display(), found.how),
            Err(Absent::Missing(why) | Absent::Wrong(why)) => {
                complete = false;
                format!("{name}: {why}")
            }
        });
    (lines.collect(), complete)
}
