//! From flags, environment and file to one configuration.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use config_schema::{Config, ConfigFault, LogFormat, Pool, parse_and};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use super::args::ServeArgs;

/// Flags and variables of the values that rules are held against, by the value's pointer.
const OVERRIDES: [(&str, &str); 7] = [
    ("/server/listen", "--listen (ORCH_LISTEN)"),
    ("/server/store", "--store (ORCH_STORE)"),
    ("/server/log", "--log (ORCH_LOG)"),
    ("/pool/0/replicas", POOL_REPLICAS),
    ("/pool/0/max_tokens_per_second", POOL_RATE),
    ("/pool/0/model_file", POOL_MODEL_FILE),
    ("/pool/0/engine_binary", POOL_ENGINE_BINARY),
];
const POOL_REPLICAS: &str = "--pool-replicas (ORCH_POOL_REPLICAS)";
const POOL_RATE: &str = "--pool-max-tokens-per-second (ORCH_POOL_MAX_TOKENS_PER_SECOND)";
const POOL_MODEL_FILE: &str = "--pool-model-file (ORCH_POOL_MODEL_FILE)";
const POOL_ENGINE_BINARY: &str = "--pool-engine-binary (ORCH_POOL_ENGINE_BINARY)";

/// Everything that the daemon needs to know to serve.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the store lies.
    pub data: DataPlace,
    /// End when standard input ends.
    pub exit_on_stdin_eof: bool,
    /// The rest, with the overrides in place and at least one pool.
    pub config: Config,
}

/// Where the store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataPlace {
    /// In this directory, which is made if missing and stays.
    Kept(PathBuf),
    /// In a temporary directory that goes with the daemon.
    Temporary,
}

/// Why the daemon does not know enough to serve. Reads as lines for a person.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{}: {source}; {advice}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said, or that the text is no UTF-8.
        source: std::io::Error,
        /// What to do.
        advice: &'static str,
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
    read_file(path, "name a readable TOML file in UTF-8")
}

fn read_file(path: &Path, advice: &'static str) -> Result<Config, SettingsError> {
    let text = fs::read_to_string(path).map_err(|source| SettingsError::File {
        path: path.to_owned(),
        source,
        advice,
    })?;
    read_text(&text, &path.display().to_string())
}

/// Reads a configuration that stands in the place of this name.
fn read_text(text: &str, name: &str) -> Result<Config, SettingsError> {
    parse_and(text, log_fault).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| fault.describe(name)).collect();
        SettingsError::Faults(lines.join("\n"))
    })
}

/// Puts flags, environment, file and defaults together.
///
/// # Errors
/// [`SettingsError`] if the file or an override has a fault.
pub fn load(args: &ServeArgs) -> Result<Settings, SettingsError> {
    let mut config = match (&args.config, &args.config_toml) {
        (Some(path), _) => read_file(
            path,
            "name another file with --config, or leave it out to serve with defaults",
        )?,
        (None, Some(text)) => read_text(text, "--config-toml (ORCH_CONFIG_TOML)")?,
        (None, None) => Config::default(),
    };
    if config.pools.is_empty() {
        config.pools.push(Pool::embedded_default());
    }
    override_server(&mut config, args)?;
    override_pool(&mut config, args)?;
    let listen = recheck(&config)?;
    let data = match config.server.data_dir.clone() {
        _ if args.ephemeral => DataPlace::Temporary,
        Some(dir) => DataPlace::Kept(dir),
        None => DataPlace::Kept(default_data_dir().ok_or(SettingsError::NoDataDir)?),
    };
    Ok(Settings {
        listen,
        data,
        exit_on_stdin_eof: args.exit_on_stdin_eof,
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
        (POOL_REPLICAS, args.pool_replicas.is_some()),
        (POOL_RATE, args.pool_max_tokens_per_second.is_some()),
        (POOL_MODEL_FILE, args.pool_model_file.is_some()),
        (POOL_ENGINE_BINARY, args.pool_engine_binary.is_some()),
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
    let mut faults = config_schema::check(config);
    faults.extend(log_fault(config));
    if !faults.is_empty() {
        let lines: Vec<String> = faults.into_iter().map(describe_override).collect();
        return Err(SettingsError::Faults(lines.join("\n")));
    }
    config.server.listen.parse().map_err(|_| {
        SettingsError::Faults(format!(
            "`{}` is not an address with a port",
            config.server.listen
        ))
    })
}

/// What is wrong with the log filter, which only the library that reads it knows.
fn log_fault(config: &Config) -> Vec<ConfigFault> {
    let filter = &config.server.log;
    let fault = EnvFilter::try_new(filter).err().map(|error| ConfigFault {
        line: None,
        pointer: "/server/log".to_owned(),
        what: format!("`{filter}` is not a log filter: {error}"),
        hint: Some("write it like info or orchestratord=debug,info".to_owned()),
    });
    fault.into_iter().collect()
}

/// The file alone had no fault, so the value came by a flag or its variable: those are named as its place.
fn describe_override(mut fault: ConfigFault) -> String {
    let place = OVERRIDES
        .iter()
        .find(|(pointer, _)| *pointer == fault.pointer);
    match place {
        Some((_, flag)) => {
            fault.pointer.clear();
            fault.describe(flag)
        }
        None => fault.describe("flags and environment"),
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn refusal(args: &ServeArgs) -> String {
        load(args).unwrap_err().to_string()
    }

    fn written(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("orchestrator.toml");
        fs::write(&file, text).unwrap();
        (dir, file)
    }

    #[test]
    fn a_fault_of_a_flag_names_the_flag_and_its_variable() {
        let args = ServeArgs {
            listen: Some("localhost:80".to_owned()),
            store: Some("x:".to_owned()),
            log: Some("foo=bar=baz".to_owned()),
            pool_replicas: Some(0),
            pool_max_tokens_per_second: Some(-1.0),
            pool_model_file: Some(PathBuf::from("/")),
            ..ServeArgs::default()
        };
        insta::assert_snapshot!(refusal(&args), @r#"
        --listen (ORCH_LISTEN): `localhost:80` is not an address with a port
          hint: write it like 127.0.0.1:8484, or with port 0 for a free one
        --store (ORCH_STORE): `x:` names no store that this daemon has
          hint: use `sqlite:`, and data_dir for the place
        --pool-model-file (ORCH_POOL_MODEL_FILE): the path ends in no name that the model could have
          hint: name a GGUF file, or set model_ref as well
        --pool-replicas (ORCH_POOL_REPLICAS): 0 is out of range
          hint: use a value from 1 to 64
        --pool-max-tokens-per-second (ORCH_POOL_MAX_TOKENS_PER_SECOND): -1 is not a rate
          hint: use a number above 0, or leave it out for no throttle
        --log (ORCH_LOG): `foo=bar=baz` is not a log filter: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
          hint: write it like info or orchestratord=debug,info
        "#);
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_a_fault_of_the_file() {
        let (_dir, file) = written("[server]\nlog = \"foo=bar=baz\"\n");
        let place = format!("{}:2: /server/log: `foo=bar=baz` is not", file.display());
        let checked = check_file(&file).unwrap_err().to_string();
        assert!(checked.starts_with(&place), "{checked}");
        let args = ServeArgs {
            config: Some(file),
            ..ServeArgs::default()
        };
        assert_eq!(refusal(&args), checked);
    }

    #[test]
    fn a_configuration_in_the_command_line_is_held_to_the_same_rules_as_a_file() {
        let args = |text: &str| ServeArgs {
            config_toml: Some(text.to_owned()),
            ephemeral: true,
            ..ServeArgs::default()
        };
        let settings = load(&args("[[pool]]\nid = \"own\"\nctx_size = 5\n")).unwrap();
        assert_eq!(settings.config.pools[0].ctx_size, Some(5));
        assert_eq!(settings.data, DataPlace::Temporary);
        insta::assert_snapshot!(refusal(&args("[[pool]]\nid = \"own\"\nctx_size = 0\n")), @r"
        --config-toml (ORCH_CONFIG_TOML):3: /pool/0/ctx_size: 0 is out of range
          hint: use a value from 1 to 2147483647
        ");
    }

    #[test]
    fn a_file_that_cannot_be_read_gets_the_advice_of_its_verb() {
        let (dir, file) = written([0xff, 0xfe]);
        for path in [dir.path(), &file] {
            let checked = check_file(path).unwrap_err().to_string();
            assert!(!checked.contains("--config"), "{checked}");
            let args = ServeArgs {
                config: Some(path.to_owned()),
                ..ServeArgs::default()
            };
            let loaded = refusal(&args);
            assert!(loaded.contains("another file with --config"), "{loaded}");
        }
    }

    #[test]
    fn a_model_file_that_a_flag_gives_names_the_model() {
        let args = |config: Option<PathBuf>| ServeArgs {
            config,
            data_dir: Some(PathBuf::from("/nowhere")),
            pool_model_file: Some(PathBuf::from("/models/other.gguf")),
            ..ServeArgs::default()
        };
        let name = |args: &ServeArgs| {
            load(args).unwrap().config.pools[0]
                .model_name()
                .into_owned()
        };
        assert_eq!(name(&args(None)), "other");
        let (_dir, file) = written("[[pool]]\nid = \"a\"\nmodel_ref = \"own\"\n");
        assert_eq!(name(&args(Some(file))), "own");
    }
}
