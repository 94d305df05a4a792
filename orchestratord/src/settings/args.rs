//! Flags and environment.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

/// The control plane for AI work: keeps tasks durably, runs them on engines, streams what happens.
///
/// Without a configuration it runs one pool, `default`, with the embedded engine and its small model.
#[derive(Clone, Debug, Parser)]
#[command(name = "orchestratord", version, max_term_width = 100)]
pub struct Args {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// How to serve.
    #[command(flatten)]
    pub serve: ServeArgs,
}

/// Things to do besides serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Verb {
    /// Look at a configuration without serving.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make the first key, and with it the data directory and the server key, and print it once.
    ///
    /// From then on the daemon asks everybody for a key. It must not run while this is done.
    Init(InitArgs),
}

/// How to make the first key.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct InitArgs {
    /// Configuration file (TOML), for the data directory that it names.
    #[arg(long, value_name = "FILE", env = "ORCH_CONFIG")]
    pub config: Option<PathBuf>,
    /// Directory of the store; made if missing [default: orchestrator in the user's data directory].
    #[arg(long, value_name = "DIR", env = "ORCH_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Make another first key although there are keys, because those of all operators are lost.
    #[arg(long)]
    pub again: bool,
    /// Print a JSON document instead of the bare key.
    #[arg(long)]
    pub json: bool,
}

/// Looks at configurations.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say every fault of a configuration file with its line, pointer and a hint.
    Check {
        /// The file.
        file: PathBuf,
    },
}

/// How to serve. Each flag has its twin in the environment; the flag wins.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct ServeArgs {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "ORCH_CONFIG")]
    pub config: Option<PathBuf>,
    /// The configuration itself, as TOML, instead of a file.
    #[arg(
        long,
        value_name = "TOML",
        env = "ORCH_CONFIG_TOML",
        conflicts_with = "config"
    )]
    pub config_toml: Option<String>,
    /// Address and port to listen on; port 0 takes a free one [default: 127.0.0.1:8484].
    #[arg(long, value_name = "ADDR", env = "ORCH_LISTEN")]
    pub listen: Option<String>,
    /// Directory of the store; made if missing [default: orchestrator in the user's data directory].
    #[arg(long, value_name = "DIR", env = "ORCH_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Keep nothing: the store lies in a fresh temporary directory, which is removed at the end.
    #[arg(long, env = "ORCH_EPHEMERAL", conflicts_with = "data_dir")]
    pub ephemeral: bool,
    /// End when standard input ends. A child that has a pipe from its parent ends with its parent.
    #[arg(long, env = "ORCH_EXIT_ON_STDIN_EOF")]
    pub exit_on_stdin_eof: bool,
    /// Store, as a URL [default: sqlite:].
    #[arg(long, value_name = "URL", env = "ORCH_STORE")]
    pub store: Option<String>,
    /// What to log, in the syntax of RUST_LOG [default: info].
    #[arg(long, value_name = "FILTER", env = "ORCH_LOG")]
    pub log: Option<String>,
    /// How to log, text or json [default: text].
    #[arg(long, value_name = "FORMAT", env = "ORCH_LOG_FORMAT")]
    pub log_format: Option<String>,
    /// Engine processes of the only pool.
    #[arg(long, value_name = "N", env = "ORCH_POOL_REPLICAS")]
    pub pool_replicas: Option<u32>,
    /// Throttle of each engine process of the only pool, in tokens a second.
    #[arg(long, value_name = "RATE", env = "ORCH_POOL_MAX_TOKENS_PER_SECOND")]
    pub pool_max_tokens_per_second: Option<f64>,
    /// GGUF file that the engines of the only pool load; its name is that of the model, unless the file
    /// of the configuration gives a model_ref.
    #[arg(long, value_name = "FILE", env = "ORCH_POOL_MODEL_FILE")]
    pub pool_model_file: Option<PathBuf>,
    /// Program of the only pool's embedded engine [default: orch-engine beside this program, or in PATH].
    #[arg(long, value_name = "FILE", env = "ORCH_POOL_ENGINE_BINARY")]
    pub pool_engine_binary: Option<PathBuf>,
}
