//! The dialect's bodies: only what is sent, and only what is read of a reply.

use serde::{Deserialize, Serialize};
use worker_adapter::Generation;

/// How many of the last tokens the repeat penalty looks at.
const REPEAT_LAST_N: u32 = 64;

/// Body of `POST /completion`. Every sampling value that both servers of the dialect have is sent, so that
/// neither the engine's defaults nor the flags that it was started with decide.
#[derive(Debug, Serialize)]
pub(crate) struct CompletionRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<&'a str>,
    pub(crate) prompt: &'a str,
    pub(crate) stream: bool,
    pub(crate) n_predict: u32,
    pub(crate) ignore_eos: bool,
    pub(crate) seed: u32,
    pub(crate) cache_prompt: bool,
    pub(crate) temperature: f64,
    pub(crate) top_k: u32,
    pub(crate) top_p: f64,
    pub(crate) min_p: f64,
    pub(crate) repeat_penalty: f64,
    pub(crate) repeat_last_n: u32,
}

impl<'a> CompletionRequest<'a> {
    /// The request for a generation from exactly this prompt, by the model of this name if there is one.
    pub(crate) fn new(model: Option<&'a str>, prompt: &'a str, generation: &Generation) -> Self {
        let sampling = generation.sampling;
        Self {
            model,
            prompt,
            stream: true,
            n_predict: generation.max_tokens,
            ignore_eos: generation.ignore_eos,
            seed: generation.seed,
            cache_prompt: generation.cache_reuse,
            temperature: sampling.temperature,
            top_k: sampling.top_k,
            top_p: sampling.top_p,
            min_p: sampling.min_p,
            repeat_penalty: sampling.repeat_penalty,
            repeat_last_n: REPEAT_LAST_N,
        }
    }
}

/// Body of `POST /apply-template`.
#[derive(Debug, Serialize)]
pub(crate) struct TemplateRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<&'a str>,
    pub(crate) messages: [Message<'a>; 1],
}

/// One message of a conversation.
#[derive(Debug, Serialize)]
pub(crate) struct Message<'a> {
    pub(crate) role: &'static str,
    pub(crate) content: &'a str,
}

/// Reply of `POST /apply-template`.
#[derive(Debug, Deserialize)]
pub(crate) struct TemplateReply {
    pub(crate) prompt: String,
}

/// Reply of `GET /props`.
#[derive(Debug, Deserialize)]
pub(crate) struct Props {
    pub(crate) default_generation_settings: DefaultSettings,
    /// Of a model; a router that was not told which has none.
    #[serde(default)]
    pub(crate) total_slots: u32,
    /// `router` for a `llama-server` that serves several models, where none was named.
    pub(crate) role: Option<String>,
    /// `llama-server`'s version.
    pub(crate) build_info: Option<String>,
    /// `orch-engine`'s version, which covers the model's arithmetic too.
    pub(crate) engine_version: Option<String>,
    pub(crate) model_digest: Option<String>,
    pub(crate) model_path: Option<String>,
    /// True if it keeps connections open after a stream, as `orch-engine` does.
    #[serde(default)]
    pub(crate) keeps_connections: bool,
}

/// The part of `GET /props` that holds for each slot.
#[derive(Debug, Deserialize)]
pub(crate) struct DefaultSettings {
    pub(crate) n_ctx: u32,
}

/// One frame of a completion's stream: a token, the end, or an error.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame {
    pub(crate) error: Option<ErrorBody>,
    #[serde(default)]
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) stop: bool,
    pub(crate) stop_type: Option<StopType>,
    /// Tokens generated so far, this one included.
    pub(crate) tokens_predicted: Option<u64>,
    /// Tokens of the prompt; both servers tell it in every frame.
    pub(crate) tokens_evaluated: Option<u64>,
}

/// Why the engine stopped.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StopType {
    /// The model's own end.
    Eos,
    /// The limit of tokens or of the context.
    Limit,
    /// A stop word.
    Word,
    /// Any other reason, also the server's `none`.
    #[serde(other)]
    Unknown,
}

/// A reply that is an error.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorReply {
    pub(crate) error: ErrorBody,
}

/// What an error says.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) code: Option<u16>,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    pub(crate) n_prompt_tokens: Option<u64>,
    pub(crate) n_ctx: Option<u64>,
}
