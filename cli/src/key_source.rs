//! Which key to call with. It never comes from the command line itself, which every user of the machine can read.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use api_client::ApiKey;

use crate::{
    config,
    error::Failure,
    server::{Origin, Server},
};

/// The variable that holds a key.
const VARIABLE: &str = "ORCH_API_KEY";

/// The key of the file that the flag names, else that of the environment, else that of the file that the configuration
/// names, for the server that it names too; none if nobody names one.
///
/// # Errors
///
/// If a file is named that cannot be read, or there is something that is no key.
pub(crate) fn choose(flag: Option<&Path>, server: &Server) -> Result<Option<ApiKey>, Failure> {
    if let Some(path) = flag {
        return read(path, "--key-file").map(Some);
    }
    // A variable set to nothing is the usual way of unsetting it for one command.
    if let Some(text) = env::var_os(VARIABLE).filter(|text| !text.is_empty()) {
        let text = text.into_string().unwrap_or_default();
        return key(&text, VARIABLE).map(Some);
    }
    // A key of the file is for the file's server. Sent to one that was named elsewhere, it would be given away.
    let file = match &server.origin {
        Origin::File(_) | Origin::Default => config::path(),
        Origin::Flag | Origin::Own | Origin::Variable => None,
    };
    let Some(file) = file else {
        return Ok(None);
    };
    match config::read(&file)?.key_file {
        None => Ok(None),
        Some(named) => {
            let folder = file.parent().map(PathBuf::from).unwrap_or_default();
            read(&folder.join(named), &file.display().to_string()).map(Some)
        }
    }
}

fn read(path: &Path, origin: &str) -> Result<ApiKey, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound && path.to_string_lossy().starts_with("orch_") {
            // Not repeated: who mistook the flag has shown the key to enough eyes.
            return Failure::Usage(format!(
                "{origin} takes the path of a file, not a key; a key on a command line can be seen by others, so have it \
                 revoked or rotated"
            ));
        }
        Failure::Usage(format!("{origin}: {}: {error}", path.display()))
    })?;
    key(text.trim(), &format!("{} ({origin})", path.display()))
}

fn key(text: &str, origin: &str) -> Result<ApiKey, Failure> {
    ApiKey::new(text).ok_or_else(|| {
        Failure::Usage(format!(
            "{origin} holds no key; a key is written orch_<id>_<secret>, alone"
        ))
    })
}
