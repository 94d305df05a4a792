//! From flags, environment and file to one configuration.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use config_schema::{Config, LogFormat, Pool, parse};
use thiserror::Error;

use super::args::ServeArgs;

/// Everything that the daemon needs to know to serve.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the store lies.
    pub data_dir: PathBuf,
    /// The rest, with the overrides in place and at least one pool.
    pub config: Config,
}

/// Why the daemon does not know enough to serve. Reads as lines for a person.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: {source}; name another file with --config, or leave it out to serve with defaults", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file, a flag or the environment has faults; one to a line.
    #[error("{0}")]
    Faults(String),
    /// There is no place for the data.
    #[error("there is no home directory to keep data in; name a place with --data-dir")]
    NoDataDir,
}

/// Reads a file and says what is wrong with it.
///
/// # Errors
/// [`SettingsError`], with every fault on a line.
pub fn check_file(path: &Path) -> Result<Config, SettingsError> {
    let text = fs::read_to_string(path).map_err(|source| SettingsError::File {
        path: path.to_owned(),
        source,
    })?;
    let name = path.display().to_string();
    parse(&text).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| fault.describe(&name)).collect();
        SettingsError::Faults(lines.join("\n"))
    })
}

/// Puts flags, environment, file and defaults together.
///
/// # Errors
/// [`SettingsError`] if the file or an override has a fault.
pub fn load(args: &ServeArgs) -> Result<Settings, SettingsError> {
    let mut config = match &args.config {
        Some(path) => check_file(path)?,
        None => Config::default(),
    };
    if config.pools.is_empty() {
        config.pools.push(Pool::embedded_default());
    }
    override_server(&mut config, args)?;
    override_pool(&mut config, args)?;
    let listen = recheck(&config)?;
    let data_dir = match config.server.data_dir.clone() {
        Some(dir) => dir,
        None => default_data_dir().ok_or(SettingsError::NoDataDir)?,
    };
    Ok(Settings {
        listen,
        data_dir,
        config,
    })
}

fn override_server(config: &mut Config, args: &ServeArgs) -> Result<(), SettingsError> {
    let server = &mut config.server;
    if let Some(listen) = &args.listen {
        server.listen.clone_from(listen);
    }
    if let Some(dir) = &args.data_dir {
        server.data_dir = Some(dir.clone());
    }
    if let Some(store) = &args.store {
        server.store.clone_from(store);
    }
    if let Some(log) = &args.log {
        server.log.clone_from(log);
    }
    match args.log_format.as_deref() {
        Some("json") => server.log_format = LogFormat::Json,
        Some("text") => server.log_format = LogFormat::Text,
        Some(other) => {
            let fault = format!(
                "--log-format (ORCH_LOG_FORMAT): `{other}` is not a format; use text or json"
            );
            return Err(SettingsError::Faults(fault));
        }
        None => {}
    }
    Ok(())
}

fn override_pool(config: &mut Config, args: &ServeArgs) -> Result<(), SettingsError> {
    let given = [
        (
            "--pool-replicas (ORCH_POOL_REPLICAS)",
            args.pool_replicas.is_some(),
        ),
        (
            "--pool-max-tokens-per-second (ORCH_POOL_MAX_TOKENS_PER_SECOND)",
            args.pool_max_tokens_per_second.is_some(),
        ),
        (
            "--pool-model-file (ORCH_POOL_MODEL_FILE)",
            args.pool_model_file.is_some(),
        ),
        (
            "--pool-engine-binary (ORCH_POOL_ENGINE_BINARY)",
            args.pool_engine_binary.is_some(),
        ),
    ];
    let Some((flag, _)) = given.into_iter().find(|(_, given)| *given) else {
        return Ok(());
    };
    let count = config.pools.len();
    let [pool] = config.pools.as_mut_slice() else {
        let fault = format!(
            "{flag} is for a daemon with one pool, and this one has {count}; set it in the file"
        );
        return Err(SettingsError::Faults(fault));
    };
    pool.replicas = args.pool_replicas.or(pool.replicas);
    pool.max_tokens_per_second = args
        .pool_max_tokens_per_second
        .or(pool.max_tokens_per_second);
    pool.model_file = args
        .pool_model_file
        .clone()
        .or_else(|| pool.model_file.take());
    pool.engine_binary = args
        .pool_engine_binary
        .clone()
        .or_else(|| pool.engine_binary.take());
    Ok(())
}

/// Overrides are held to the same rules as the file.
fn recheck(config: &Config) -> Result<SocketAddr, SettingsError> {
    let faults = config_schema::check(config);
    if !faults.is_empty() {
        let lines: Vec<String> = faults
            .iter()
            .map(|fault| fault.describe("flags and environment"))
            .collect();
        return Err(SettingsError::Faults(lines.join("\n")));
    }
    config.server.listen.parse().map_err(|_| {
        SettingsError::Faults(format!(
            "`{}` is not an address with a port",
            config.server.listen
        ))
    })
}

fn default_data_dir() -> Option<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base =
        set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")))?;
    Some(base.join("orchestrator"))
}
