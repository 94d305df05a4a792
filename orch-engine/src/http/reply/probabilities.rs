//! Likelihoods of tokens, as llama.cpp writes them.

use serde_json::{Value, json};

use crate::generation::Likelihood;
use crate::tokenizer::{TokenId, Vocabulary};

/// An entry for each token: its text, its bytes, its log probability, and those of the likeliest.
pub(crate) fn probabilities(vocabulary: &Vocabulary, likelihoods: &[Likelihood]) -> Value {
    let entry = |token: TokenId, logprob: f32| {
        let bytes = vocabulary.piece(token, false);
        json!({
            "id": token,
            "token": whole_characters(&bytes),
            "bytes": bytes,
            "logprob": logprob,
        })
    };
    likelihoods
        .iter()
        .map(|likelihood| {
            let top = likelihood.top.iter();
            let mut told = entry(likelihood.token, likelihood.logprob);
            told["top_logprobs"] = top.map(|&(token, logprob)| entry(token, logprob)).collect();
            told
        })
        .collect()
}

/// The text of a token, as far as it is complete characters.
fn whole_characters(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
    }
}
