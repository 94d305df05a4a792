//! The replies of `/completion`, member by member as llama.cpp writes them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{Frames, Whole, probabilities, sse};
use crate::generation::{End, Likelihood, Step};
use crate::slot::Outcome;
use crate::tokenizer::{TokenId, Vocabulary};

/// What is known of a request before its generation has begun.
pub(crate) struct Asked {
    /// What the model is called in replies.
    pub(crate) alias: String,
    pub(crate) settings: Value,
    pub(crate) prompt: Vec<TokenId>,
    pub(crate) vocabulary: Arc<Vocabulary>,
}

/// One token in a stream.
#[derive(Debug, Serialize)]
struct TokenFrame<'a> {
    index: u32,
    content: &'a str,
    tokens: &'a [TokenId],
    stop: bool,
    id_slot: i32,
    tokens_predicted: usize,
    tokens_evaluated: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_probabilities: Option<Value>,
}

/// The frames of a streamed reply.
pub(crate) struct CompletionFrames {
    asked: Asked,
    has_new_line: bool,
}

impl CompletionFrames {
    pub(crate) fn new(asked: Asked) -> Self {
        Self {
            asked,
            has_new_line: false,
        }
    }
}

impl Frames for CompletionFrames {
    fn token(&mut self, step: Step, n_decoded: usize) -> io::Result<String> {
        self.has_new_line |= step.text.contains('\n');
        sse(&TokenFrame {
            index: 0,
            content: &step.text,
            tokens: &step.tokens,
            stop: false,
            // llama.cpp says so in every token's frame, whatever the slot.
            id_slot: -1,
            tokens_predicted: n_decoded,
            tokens_evaluated: self.asked.prompt.len(),
            completion_probabilities: told(&self.asked, &step.likelihoods),
        })
    }

    fn end(&mut self, outcome: Outcome) -> io::Result<String> {
        let nothing = Whole {
            text: String::new(),
            tokens: Vec::new(),
            likelihoods: Vec::new(),
            outcome,
        };
        let mut last = FinalFrame::new(&self.asked, nothing);
        last.has_new_line = self.has_new_line;
        sse(&last)
    }
}

fn told(asked: &Asked, likelihoods: &[Likelihood]) -> Option<Value> {
    (!likelihoods.is_empty()).then(|| probabilities(&asked.vocabulary, likelihoods))
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
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_probabilities: Option<Value>,
}

impl FinalFrame {
    pub(crate) fn new(asked: &Asked, whole: Whole) -> Self {
        let Whole {
            text,
            tokens,
            likelihoods,
            outcome,
        } = whole;
        let n_prompt = asked.prompt.len();
        let timings = Timings::new(n_prompt, &outcome);
        let (stop_type, truncated, stopping_word) = match outcome.end {
            End::Eos => ("eos", false, String::new()),
            End::Limit => ("limit", false, String::new()),
            End::ContextFull => ("limit", true, String::new()),
            End::Word(word) => ("word", false, word),
        };
        Self {
            index: 0,
            has_new_line: text.contains('\n'),
            content: text,
            tokens,
            id_slot: 0,
            stop: true,
            model: asked.alias.clone(),
            tokens_predicted: outcome.n_decoded,
            tokens_evaluated: n_prompt,
            generation_settings: asked.settings.clone(),
            prompt: asked.vocabulary.decode_with_special(&asked.prompt),
            truncated,
            stop_type,
            stopping_word,
            // The last token was generated but never read.
            tokens_cached: n_prompt + outcome.n_decoded.saturating_sub(1),
            timings,
            completion_probabilities: told(asked, &likelihoods),
        }
    }
}

/// Durations in milliseconds. As in llama.cpp, the first token is the prompt's, so that the pace of
/// `n` tokens is that of `n - 1` steps.
#[derive(Debug, Serialize)]
pub(crate) struct Timings {
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
    pub(crate) fn new(n_prompt: usize, outcome: &Outcome) -> Self {
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
