//! Generations of the compiled-in model, without threads and network.
#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use super::{End, Generation, Request};
use crate::gguf::Source;
use crate::model::{Model, ModelFile};
use crate::sampling::Sampling;
use crate::threads::alone;
use crate::tokenizer::{Encoding, TokenId};

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        let file = ModelFile::open(&Source::embedded(), NonZeroUsize::new(64)).unwrap();
        file.load().unwrap()
    })
}

fn request(prompt: &str) -> Request {
    Request {
        prompt: model().vocabulary().encode(prompt, Encoding::PROMPT),
        n_predict: None,
        stop: Vec::new(),
        n_probs: None,
        sampling: Sampling {
            temperature: 0.8,
            top_k: None,
            top_p: 1.0,
            min_p: 0.0,
            repeat_penalty: 1.0,
            repeat_last_n: 64,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            seed: 1,
            ignore_eos: true,
        },
    }
}

struct Whole {
    texts: Vec<String>,
    tokens: Vec<TokenId>,
    end: End,
}

fn generate(request: Request) -> Whole {
    let mut generation = Generation::new(model(), request);
    while !generation.read_prompt().unwrap() {}
    let (mut texts, mut tokens) = (Vec::new(), Vec::new());
    loop {
        let step = generation.step().unwrap();
        texts.push(step.text);
        tokens.extend(step.tokens);
        if let Some(end) = step.end {
            assert_eq!(
                tokens.len(),
                generation.n_decoded(),
                "every token is shown once"
            );
            return Whole { texts, tokens, end };
        }
    }
}

#[test]
fn a_generation_ends_where_the_context_is_full() {
    alone(|| {
        let request = request("the moon");
        let n_prompt = request.prompt.len();
        let whole = generate(request);
        assert_eq!(whole.end, End::ContextFull);
        assert_eq!(n_prompt + whole.tokens.len(), model().n_ctx());
    });
}

#[test]
fn a_generation_ends_after_n_predict_tokens() {
    alone(|| {
        for n in [0, 1, 5] {
            let whole = generate(Request {
                n_predict: Some(n),
                ..request("the moon")
            });
            assert_eq!((whole.end, whole.tokens.len()), (End::Limit, n));
        }
    });
}

#[test]
fn a_long_prompt_in_parts_is_read_like_a_short_one() {
    alone(|| {
        let long = ModelFile::open(&Source::embedded(), None)
            .unwrap()
            .load()
            .unwrap();
        let prompt = long
            .vocabulary()
            .encode(&"the moon ".repeat(200), Encoding::PROMPT);
        assert!(prompt.len() > long.session().pass_tokens());
        let mut parts = Generation::new(
            &long,
            Request {
                prompt: prompt.clone(),
                ..request("")
            },
        );
        while !parts.read_prompt().unwrap() {}
        let at_once = long.session().feed(&prompt).unwrap();
        for (in_parts, at_once) in parts.logits.iter().zip(&at_once) {
            assert!(
                (in_parts - at_once).abs() < 1e-3,
                "{in_parts} and {at_once}"
            );
        }
    });
}

#[test]
fn a_stop_text_ends_and_is_not_shown() {
    alone(|| {
        let free = generate(request("the moon"));
        let text = free.texts.concat();
        let (at, _) = text.char_indices().nth(20).unwrap();
        let word: String = text[at..].chars().take(3).collect();
        let shown = &text[..text.find(&word).unwrap()];
        let stopped = generate(Request {
            stop: vec![word.clone()],
            ..request("the moon")
        });
        assert_eq!(stopped.end, End::Word(word));
        assert_eq!(stopped.texts.concat(), shown);
    });
}

/// At this temperature the model babbles in single bytes, most of which make no character.
#[test]
fn broken_characters_are_replaced_and_never_cut() {
    alone(|| {
        let mut seen_replacement = false;
        for seed in 0..8 {
            let mut babble = request("the moon");
            babble.sampling.temperature = 100.0;
            babble.sampling.seed = seed;
            let whole = generate(babble);
            let bytes: Vec<u8> = whole
                .tokens
                .iter()
                .flat_map(|&t| model().vocabulary().piece(t, false).into_owned())
                .collect();
            assert_eq!(whole.texts.concat(), String::from_utf8_lossy(&bytes));
            seen_replacement |= whole.texts.concat().contains('\u{FFFD}');
        }
        assert!(seen_replacement);
    });
}

/// What is told of likelihoods is what the model said, whatever the samplers made of it, and it comes
/// with the token that it is about.
#[test]
fn likelihoods_come_with_their_tokens_and_change_nothing() {
    alone(|| {
        let plain = generate(request("the moon"));
        let mut asked = request("the moon");
        asked.n_probs = Some(3);
        let mut generation = Generation::new(model(), asked);
        while !generation.read_prompt().unwrap() {}
        let mut tokens = Vec::new();
        loop {
            let step = generation.step().unwrap();
            let about: Vec<TokenId> = step.likelihoods.iter().map(|l| l.token).collect();
            assert_eq!(about, step.tokens);
            for likelihood in &step.likelihoods {
                let likeliest = likelihood.top[0].1;
                assert!(likelihood.logprob <= likeliest && likeliest <= 0.0);
                assert_eq!(likelihood.top.len(), 3);
            }
            tokens.extend(step.tokens);
            if step.end.is_some() {
                break;
            }
        }
        assert_eq!(tokens, plain.tokens);
    });
}
