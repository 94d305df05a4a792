//! The steps of a generation.

use super::Likelihood;
use super::stop::{Scanned, StopScan};
use crate::model::{Model, PredictError, Session};
use crate::sampling::{Sampler, Sampling};
use crate::tokenizer::{TextStream, TokenId};

/// What is to be generated.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The prompt: at least one token, and fewer than the context holds.
    pub(crate) prompt: Vec<TokenId>,
    /// At most so many tokens; `None` goes on to the end of the context.
    pub(crate) n_predict: Option<usize>,
    /// Texts that end the generation where the first of them appears; none of them is shown.
    pub(crate) stop: Vec<String>,
    pub(crate) sampling: Sampling,
    /// With each token, tell its likelihood and those of so many of the likeliest; `None` tells none.
    pub(crate) n_probs: Option<usize>,
}

/// Why a generation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The model ended it.
    Eos,
    /// As many tokens as were asked for.
    Limit,
    /// The context is full.
    ContextFull,
    /// One of the stop texts appeared.
    Word(String),
}

/// What one step brought.
#[derive(Debug)]
pub(crate) struct Step {
    /// Complete characters only; may be empty.
    pub(crate) text: String,
    /// The tokens since the last step that showed any.
    pub(crate) tokens: Vec<TokenId>,
    /// One for each of the tokens, if they were asked for.
    pub(crate) likelihoods: Vec<Likelihood>,
    /// Set in the last step.
    pub(crate) end: Option<End>,
}

impl Step {
    /// Whether there is nothing to show yet: the token is a part of a character.
    pub(crate) fn is_silent(&self) -> bool {
        self.text.is_empty() && self.tokens.is_empty() && self.end.is_none()
    }
}

/// A generation in progress.
///
/// Call [`read_prompt`](Self::read_prompt) until it says that the prompt is read, then
/// [`step`](Self::step) until it gives an end.
pub(crate) struct Generation<'m> {
    model: &'m Model,
    session: Session<'m>,
    sampler: Sampler,
    n_predict: usize,
    n_prompt: usize,
    /// The prompt and what was generated.
    history: Vec<TokenId>,
    /// How many of `history` the model has read.
    read: usize,
    pub(super) logits: Vec<f32>,
    stream: TextStream,
    stop: StopScan,
    n_probs: Option<usize>,
    /// Tokens whose text is still held back, and their likelihoods.
    unshown: (Vec<TokenId>, Vec<Likelihood>),
}

impl<'m> Generation<'m> {
    pub(crate) fn new(model: &'m Model, request: Request) -> Self {
        Self {
            model,
            session: model.session(),
            sampler: Sampler::new(request.sampling, model.vocabulary().ends()),
            n_predict: request.n_predict.unwrap_or(usize::MAX),
            n_prompt: request.prompt.len(),
            history: request.prompt,
            read: 0,
            logits: Vec::new(),
            stream: TextStream::default(),
            stop: StopScan::new(request.stop),
            n_probs: request.n_probs,
            unshown: Default::default(),
        }
    }

    /// Tokens generated so far.
    pub(crate) fn n_decoded(&self) -> usize {
        self.history.len() - self.n_prompt
    }

    /// Reads the next part of the prompt. `true` if that was the last one.
    pub(crate) fn read_prompt(&mut self) -> Result<bool, PredictError> {
        let upto = self
            .history
            .len()
            .min(self.read + self.session.pass_tokens());
        self.logits = self.session.feed(&self.history[self.read..upto])?;
        self.read = upto;
        Ok(self.read == self.n_prompt)
    }

    /// Generates one token. The prompt must have been read, and no end been given.
    pub(crate) fn step(&mut self) -> Result<Step, PredictError> {
        if self.n_predict == 0 {
            return Ok(self.last_step(End::Limit, String::new()));
        }
        if self.read < self.history.len() {
            self.logits = self.session.feed(&self.history[self.read..])?;
            self.read = self.history.len();
        }
        self.choose();
        let token = self.history[self.history.len() - 1];
        let piece = self.model.vocabulary().piece(token, false);
        let text = self.stream.push(&piece);
        let text = match self.stop.push(&text) {
            Scanned::Stopped { text, word } => return Ok(self.shown(text, Some(End::Word(word)))),
            Scanned::Text(text) => text,
        };
        if self.model.vocabulary().ends().binary_search(&token).is_ok() {
            return Ok(self.last_step(End::Eos, text));
        }
        if self.history.len() >= self.model.n_ctx() {
            return Ok(self.last_step(End::ContextFull, text));
        }
        if self.n_decoded() >= self.n_predict {
            return Ok(self.last_step(End::Limit, text));
        }
        if text.is_empty() && self.stream.is_incomplete() {
            return Ok(Step {
                text,
                tokens: Vec::new(),
                likelihoods: Vec::new(),
                end: None,
            });
        }
        Ok(self.shown(text, None))
    }

    /// Lets the sampler choose the next token.
    fn choose(&mut self) {
        let logits = std::mem::take(&mut self.logits);
        let untouched = self.n_probs.map(|n| (n, logits.clone()));
        let token = self.sampler.choose(logits, &self.history);
        self.history.push(token);
        self.unshown.0.push(token);
        if let Some((n, logits)) = untouched {
            self.unshown.1.push(Likelihood::of(token, &logits, n));
        }
    }

    /// The end of a text: whatever was held back is shown now.
    fn last_step(&mut self, end: End, mut text: String) -> Step {
        let rest = self.stream.finish();
        match self.stop.push(&rest) {
            Scanned::Text(more) => {
                text.push_str(&more);
                text.push_str(&self.stop.finish());
                self.shown(text, Some(end))
            }
            // A stop text that ends in U+FFFD: possible, and still a stop text.
            Scanned::Stopped { text: more, word } => {
                text.push_str(&more);
                self.shown(text, Some(End::Word(word)))
            }
        }
    }

    /// A step that shows every token so far.
    fn shown(&mut self, text: String, end: Option<End>) -> Step {
        let (tokens, likelihoods) = std::mem::take(&mut self.unshown);
        Step {
            text,
            tokens,
            likelihoods,
            end,
        }
    }
}
