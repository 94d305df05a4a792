//! The arithmetic against a real llama-server's, and against itself.
#![allow(clippy::unwrap_used)]

use serde::Deserialize;

use crate::fixtures;
use crate::generation::Likelihood;
use crate::model::{Model, ModelFile};
use crate::threads::alone;
use crate::tokenizer::TokenId;

/// What llama-server said after a prompt, and then after each of some more tokens.
#[derive(Deserialize)]
struct Recorded {
    prompt: Vec<TokenId>,
    /// The token that comes next, again and again.
    then: TokenId,
    /// The likeliest tokens with their log probabilities, for each step.
    tops: Vec<Vec<(TokenId, f32)>>,
}

/// How far two log probabilities may be apart. Both programs round intermediate results of quantised
/// products to 8 bits, and a value between two steps may fall to either side. llama.cpp rounds more
/// than that where weights are F16, BF16, Q4_1 or Q5_1, which the first model has.
fn tolerance(model: &str) -> f32 {
    match model {
        "llama-bpe" => 0.1,
        _ => 0.02,
    }
}

fn loaded(name: &str) -> Model {
    let context = std::num::NonZeroUsize::new(512);
    let file = ModelFile::open(&fixtures::model(name), context).unwrap();
    file.load().unwrap()
}

/// The largest difference of any log probability that was recorded.
fn largest_difference(model: &Model, recorded: &Recorded) -> f32 {
    let mut session = model.session();
    let mut logits = Vec::new();
    let mut rest = recorded.prompt.as_slice();
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.len().min(session.pass_tokens()));
        logits = session.feed(part).unwrap();
        rest = after;
    }
    let mut largest: f32 = 0.0;
    for top in &recorded.tops {
        let said = Likelihood::of(0, &logits, logits.len()).top;
        for (token, logprob) in top {
            let (_, ours) = said.iter().find(|(id, _)| id == token).unwrap();
            largest = largest.max((ours - logprob).abs());
        }
        logits = session.feed(&[recorded.then]).unwrap();
    }
    largest
}

#[test]
fn every_family_predicts_what_llama_server_predicts() {
    alone(|| {
        for name in fixtures::MODELS {
            let model = loaded(name);
            let recorded = fixtures::recording(&format!("{name}.likelihoods.json"));
            let recorded: Vec<Recorded> = serde_json::from_str(&recorded).unwrap();
            for recorded in &recorded {
                let difference = largest_difference(&model, recorded);
                let length = recorded.prompt.len();
                println!("{name}, {length} tokens: {difference}");
                assert!(
                    difference < tolerance(name),
                    "{name}, {length}: {difference}"
                );
            }
        }
    });
}
