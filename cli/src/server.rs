//! Which server to talk to, and who said so.

use std::{env, fmt, path::PathBuf};

use api_client::{ApiError, ApiKey, Client, Options};

use crate::{config, error::Failure};

/// Where a daemon listens unless it is told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8484";

/// The variable that names a server.
const VARIABLE: &str = "ORCH_SERVER";

/// Who named the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag,
    Variable,
    File(PathBuf),
    Default,
    /// Nobody: it was started for this run.
    Own,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("from --server"),
            Self::Variable => write!(f, "from {VARIABLE}"),
            Self::File(path) => write!(f, "from {}", path.display()),
            Self::Default => f.write_str("the default"),
            Self::Own => f.write_str("started for this run"),
        }
    }
}

/// The server to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) origin: Origin,
}

impl Server {
    /// Flag, then environment, then file, then default.
    ///
    /// # Errors
    ///
    /// If the file is needed and wrong.
    pub(crate) fn choose(flag: Option<String>) -> Result<Self, Failure> {
        if let Some(url) = flag {
            return Ok(Self {
                url,
                origin: Origin::Flag,
            });
        }
        // A variable set to nothing is the usual way of unsetting it for one command.
        if let Some(url) = env::var(VARIABLE).ok().filter(|url| !url.is_empty()) {
            return Ok(Self {
                url,
                origin: Origin::Variable,
            });
        }
        if let Some(path) = config::path()
            && let Some(url) = config::read(&path)?.server
        {
            return Ok(Self {
                url,
                origin: Origin::File(path),
            });
        }
        Ok(Self {
            url: DEFAULT_URL.to_owned(),
            origin: Origin::Default,
        })
    }

    /// A client of the server, which shows a key if there is one. It connects when it is first used.
    ///
    /// # Errors
    ///
    /// If the URL is none that the client can use.
    pub(crate) fn client(&self, key: Option<ApiKey>) -> Result<Client, Failure> {
        let options = Options {
            user_agent: concat!("orch/", env!("CARGO_PKG_VERSION")).to_owned(),
            key,
            ..Options::default()
        };
        Client::with_options(&self.url, options).map_err(|error| match error {
            ApiError::InvalidRequest { detail } => Failure::Url { detail },
            other => Failure::Api(other),
        })
    }
}
