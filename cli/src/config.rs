//! The configuration file, `orch.toml`.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::error::Failure;

/// What the file may say.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// URL of the server, e.g. `http://127.0.0.1:8484`.
    pub(crate) server: Option<String>,
    /// File that holds the key to call with, alone; a relative path begins where this file lies.
    pub(crate) key_file: Option<PathBuf>,
}

/// Where the file belongs: `orchestrator/orch.toml` in `$XDG_CONFIG_HOME`, or else in
/// `$HOME/.config`. `None` if neither says where.
pub(crate) fn path() -> Option<PathBuf> {
    // A relative XDG path is to be ignored, says its specification.
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join("orchestrator").join("orch.toml"))
}

/// Reads the file. One that is not there says nothing.
///
/// # Errors
///
/// If it cannot be read, or says something that is not understood.
pub(crate) fn read(path: &Path) -> Result<Config, Failure> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(fault(path, &error)),
    };
    toml::from_str(&text).map_err(|error| fault(path, &error))
}

fn fault(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::Config {
        path: path.to_owned(),
        detail: why.to_string().trim_end().to_owned(),
    }
}
