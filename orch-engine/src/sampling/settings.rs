//! The settings of the chain.

/// How the next token is chosen. The defaults are llama.cpp's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sampling {
    /// Zero takes the likeliest token always.
    pub(crate) temperature: f32,
    /// Only this many of the likeliest tokens are considered; `None` is all.
    pub(crate) top_k: Option<usize>,
    /// Only the likeliest tokens whose probabilities reach this sum are considered; 1 is all.
    pub(crate) top_p: f32,
    /// Only tokens at least this share as likely as the likeliest are considered; 0 is all.
    pub(crate) min_p: f32,
    /// Divides the odds of tokens that were there already; 1 leaves them.
    pub(crate) repeat_penalty: f32,
    /// Taken off a token's logit for each time that it was there already; 0 takes nothing.
    pub(crate) frequency_penalty: f32,
    /// Taken off the logit of a token that was there already; 0 takes nothing.
    pub(crate) presence_penalty: f32,
    /// How many of the last tokens, the prompt's included, count as being there already.
    pub(crate) repeat_last_n: usize,
    pub(crate) seed: u32,
    /// Never choose a token that ends the generation.
    pub(crate) ignore_eos: bool,
}
