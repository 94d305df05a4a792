//! What the command line and the environment say.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::gguf::Source;
use crate::server::{ServedModel, Settings};

/// A small inference server for GGUF models of the llama family, in the llama.cpp dialect.
///
/// Prints one line, `listening on http://HOST:PORT`, when it accepts requests. Flags are named as
/// llama-server names them where it has them; each can be given in the environment instead.
#[derive(Clone, Debug, Parser)]
#[command(name = "orch-engine", version)]
pub struct Options {
    /// GGUF file to serve [default: the model that is compiled in, which is also `embedded:haiku-tiny`].
    /// Given several times, one of them is in memory at a time, and requests choose by name.
    #[arg(short, long, value_name = "FILE", env = "ORCH_ENGINE_MODEL")]
    pub model: Vec<PathBuf>,

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
    /// Once for all models, or once for each.
    #[arg(
        short,
        long,
        value_name = "N",
        default_value = "0",
        env = "ORCH_ENGINE_CTX_SIZE"
    )]
    pub ctx_size: Vec<usize>,

    /// Generate no more than so many tokens a second.
    #[arg(
        long,
        value_name = "RATE",
        value_parser = rate,
        env = "ORCH_ENGINE_MAX_TOKENS_PER_SECOND"
    )]
    pub max_tokens_per_second: Option<f64>,

    /// The model's name in requests and replies [default: its file name]. Once for each model.
    #[arg(short, long, value_name = "NAME", env = "ORCH_ENGINE_ALIAS")]
    pub alias: Vec<String>,

    /// Exit when standard input ends. A child given a pipe from its parent ends with its parent.
    #[arg(long, env = "ORCH_ENGINE_EXIT_ON_STDIN_EOF")]
    pub exit_on_stdin_eof: bool,
}

impl Options {
    /// The part of the options that the engine itself needs.
    ///
    /// # Errors
    ///
    /// If the models, their names and their contexts do not go together; it reads as clap's own errors do.
    pub fn settings(&self) -> Result<Settings, clap::Error> {
        Ok(Settings {
            models: self.models()?,
            host: self.host.clone(),
            port: self.port,
            threads: self.threads,
            max_tokens_per_second: self.max_tokens_per_second,
        })
    }

    /// The models with their names and contexts: the first of each belong together, and so on.
    fn models(&self) -> Result<Vec<ServedModel>, clap::Error> {
        let mut sources: Vec<_> = self.model.iter().map(|path| Source::named(path)).collect();
        if sources.is_empty() {
            sources.push(Source::embedded());
        }
        let count = sources.len();
        let told = self.alias.len();
        if told != 0 && told != count {
            return Err(mismatch(format!(
                "there are {told} of --alias for {count} of --model; name each model, or none"
            )));
        }
        let told = self.ctx_size.len();
        if told > 1 && told != count {
            return Err(mismatch(format!(
                "there are {told} of --ctx-size for {count} of --model; give one for each model, or one \
                 for all"
            )));
        }
        let mut models: Vec<ServedModel> = Vec::new();
        for (at, source) in sources.into_iter().enumerate() {
            let ctx_size = self.ctx_size.get(at).or(self.ctx_size.first());
            let alias = self.alias.get(at).cloned();
            let alias = alias.unwrap_or_else(|| source.default_alias());
            if models.iter().any(|model| model.alias == alias) {
                return Err(mismatch(format!(
                    "two models are called {alias}; give each a name of its own with --alias"
                )));
            }
            models.push(ServedModel {
                source,
                ctx_size: ctx_size.copied().and_then(NonZeroUsize::new),
                alias,
            });
        }
        Ok(models)
    }
}

fn mismatch(what: String) -> clap::Error {
    Options::command().error(ErrorKind::ValueValidation, what)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.001..=1e6).contains(&rate) {
        Ok(rate)
    } else {
        Err("not from 0.001 to 1000000".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn models(flags: &str) -> String {
        let flags = ["orch-engine"].into_iter().chain(flags.split_whitespace());
        let options = Options::try_parse_from(flags).unwrap();
        match options.settings() {
            Ok(settings) => {
                let told = settings.models.iter().map(|model| {
                    let n_ctx = model.ctx_size.map_or(0, NonZeroUsize::get);
                    format!("{}={}:{n_ctx}", model.alias, model.source.name())
                });
                told.collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string().lines().next().unwrap().to_owned(),
        }
    }

    #[test]
    fn models_go_with_their_names_and_contexts() {
        let told = [
            "",
            "--model /m/a.gguf",
            "--model a.gguf --alias a --ctx-size 64",
            "--model a.gguf --model b.gguf --ctx-size 64",
            "--model a.gguf --alias a --ctx-size 64 --model embedded:haiku-tiny --alias b --ctx-size 0",
            "--model a.gguf --model b.gguf --alias a",
            "--alias a --alias b",
            "--model a.gguf --ctx-size 1 --ctx-size 2",
            "--model a.gguf --model x/a.gguf",
        ];
        insta::assert_snapshot!(told.map(models).join("\n"), @r"
        haiku-tiny=embedded:haiku-tiny-q8_0.gguf:0
        a.gguf=/m/a.gguf:0
        a=a.gguf:64
        a.gguf=a.gguf:64 b.gguf=b.gguf:64
        a=a.gguf:64 b=embedded:haiku-tiny-q8_0.gguf:0
        error: there are 1 of --alias for 2 of --model; name each model, or none
        error: there are 2 of --alias for 1 of --model; name each model, or none
        error: there are 2 of --ctx-size for 1 of --model; give one for each model, or one for all
        error: two models are called a.gguf; give each a name of its own with --alias
        ");
    }
}
