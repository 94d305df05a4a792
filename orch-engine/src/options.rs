//! What the command line and the environment say.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;

use crate::gguf::Source;
use crate::server::Settings;

/// A small inference server for GGUF models of the llama family, in the llama.cpp dialect.
///
/// Prints one line, `listening on http://HOST:PORT`, when it accepts requests. Flags are named as
/// llama-server names them where it has them; each can be given in the environment instead.
#[derive(Clone, Debug, Parser)]
#[command(name = "orch-engine", version)]
pub struct Options {
    /// GGUF file to serve [default: the model that is compiled in].
    #[arg(short, long, value_name = "FILE", env = "ORCH_ENGINE_MODEL")]
    pub model: Option<PathBuf>,

    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1", env = "ORCH_ENGINE_HOST")]
    pub host: String,

    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0, env = "ORCH_ENGINE_PORT")]
    pub port: u16,

    /// Threads for the arithmetic.
    #[arg(
        short,
        long,
        value_name = "N",
        default_value = "1",
        env = "ORCH_ENGINE_THREADS"
    )]
    pub threads: NonZeroUsize,

    /// Context in tokens, prompt and reply together; 0 takes the one that the model was trained with.
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = 0,
        env = "ORCH_ENGINE_CTX_SIZE"
    )]
    pub ctx_size: usize,

    /// Generate no more than so many tokens a second.
    #[arg(
        long,
        value_name = "RATE",
        value_parser = rate,
        env = "ORCH_ENGINE_MAX_TOKENS_PER_SECOND"
    )]
    pub max_tokens_per_second: Option<f64>,

    /// The model's name in replies [default: its file name].
    #[arg(short, long, value_name = "NAME", env = "ORCH_ENGINE_ALIAS")]
    pub alias: Option<String>,

    /// Exit when standard input ends. A child given a pipe from its parent ends with its parent.
    #[arg(long, env = "ORCH_ENGINE_EXIT_ON_STDIN_EOF")]
    pub exit_on_stdin_eof: bool,
}

impl Options {
    /// The part of the options that the engine itself needs.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new(match &self.model {
            Some(path) => Source::file(path),
            None => Source::embedded(),
        });
        settings.host.clone_from(&self.host);
        settings.port = self.port;
        settings.threads = self.threads;
        settings.ctx_size = NonZeroUsize::new(self.ctx_size);
        settings.max_tokens_per_second = self.max_tokens_per_second;
        if let Some(alias) = &self.alias {
            settings.alias.clone_from(alias);
        }
        settings
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.001..=1e6).contains(&rate) {
        Ok(rate)
    } else {
        Err("not from 0.001 to 1000000".to_owned())
    }
}
