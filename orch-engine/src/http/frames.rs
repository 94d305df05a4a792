//! The replies of `/completion`, member by member as llama.cpp writes them.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::generation::End;
use crate::slot::Outcome;
use crate::tokenizer::TokenId;

/// One token in a stream.
#[derive(Debug, Serialize)]
pub(crate) struct TokenFrame<'a> {
    index: u32,
    content: &'a str,
    tokens: &'a [TokenId],
    stop: bool,
    id_slot: i32,
    tokens_predicted: usize,
    tokens_evaluated: usize,
}

impl<'a> TokenFrame<'a> {
    pub(crate) fn new(
        content: &'a str,
        tokens: &'a [TokenId],
        tokens_predicted: usize,
        tokens_evaluated: usize,
    ) -> Self {
        Self {
            index: 0,
            content,
            tokens,
            stop: false,
            // llama.cpp says so in every token's frame, whatever the slot.
            id_slot: -1,
            tokens_predicted,
            tokens_evaluated,
        }
    }
}

/// The last frame of a stream, or the whole of a reply that is not streamed.
#[derive(Debug, Serialize)]
pub(crate) struct FinalFrame {
    index: u32,
    content: String,
    tokens: Vec<TokenId>,
    id_slot: i32,
    stop: bool,
    model: String,
    tokens_predicted: usize,
    tokens_evaluated: usize,
    generation_settings: Value,
    prompt: String,
    has_new_line: bool,
    truncated: bool,
    stop_type: &'static str,
    stopping_word: String,
    tokens_cached: usize,
    timings: Timings,
}

/// What is known of a request before its generation has begun.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) model: String,
    pub(crate) settings: Value,
    pub(crate) prompt: String,
    pub(crate) n_prompt: usize,
}

impl FinalFrame {
    pub(crate) fn new(
        asked: Asked,
        outcome: Outcome,
        has_new_line: bool,
        content: String,
        tokens: Vec<TokenId>,
    ) -> Self {
        let timings = Timings::new(asked.n_prompt, &outcome);
        let (stop_type, truncated, stopping_word) = match outcome.end {
            End::Eos => ("eos", false, String::new()),
            End::Limit => ("limit", false, String::new()),
            End::ContextFull => ("limit", true, String::new()),
            End::Word(word) => ("word", false, word),
        };
        Self {
            index: 0,
            content,
            tokens,
            id_slot: 0,
            stop: true,
            model: asked.model,
            tokens_predicted: outcome.n_decoded,
            tokens_evaluated: asked.n_prompt,
            generation_settings: asked.settings,
            prompt: asked.prompt,
            has_new_line,
            truncated,
            stop_type,
            stopping_word,
            // The last token was generated but never read.
            tokens_cached: asked.n_prompt + outcome.n_decoded.saturating_sub(1),
            timings,
        }
    }
}

/// Durations in milliseconds. As in llama.cpp, the first token is the prompt's, so that the pace of
/// `n` tokens is that of `n - 1` steps.
#[derive(Debug, Serialize)]
struct Timings {
    cache_n: usize,
    prompt_n: usize,
    prompt_ms: f64,
    prompt_per_token_ms: f64,
    prompt_per_second: f64,
    predicted_n: usize,
    predicted_ms: f64,
    predicted_per_token_ms: f64,
    predicted_per_second: f64,
}

impl Timings {
    fn new(n_prompt: usize, outcome: &Outcome) -> Self {
        let steps = outcome.n_decoded.saturating_sub(1);
        let (prompt_per_token_ms, prompt_per_second) = pace(n_prompt, outcome.prompt_time);
        let (predicted_per_token_ms, predicted_per_second) = pace(steps, outcome.predict_time);
        Self {
            cache_n: 0,
            prompt_n: n_prompt,
            prompt_ms: milliseconds(outcome.prompt_time),
            prompt_per_token_ms,
            prompt_per_second,
            predicted_n: outcome.n_decoded,
            predicted_ms: milliseconds(outcome.predict_time),
            predicted_per_token_ms,
            predicted_per_second,
        }
    }
}

/// Milliseconds for each of `n`, and how many of them a second; zeros where there is nothing to say.
fn pace(n: usize, time: Duration) -> (f64, f64) {
    if n == 0 || time.is_zero() {
        return (0.0, 0.0);
    }
    let n = n as f64;
    (milliseconds(time) / n, n / time.as_secs_f64())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
