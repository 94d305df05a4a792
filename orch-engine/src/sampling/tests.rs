//! The chain of samplers, stage by stage.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::Sampler;
use crate::sampling::Sampling;
use crate::tokenizer::TokenId;

/// No stage does anything: the next token is drawn from the plain softmax.
fn plain(seed: u32) -> Sampling {
    Sampling {
        temperature: 1.0,
        top_k: None,
        top_p: 1.0,
        min_p: 0.0,
        repeat_penalty: 1.0,
        frequency_penalty: 0.0,
        presence_penalty: 0.0,
        repeat_last_n: 64,
        seed,
        ignore_eos: false,
    }
}

/// The tokens that come out of many draws, in order of their ids.
fn reachable(sampling: &Sampling, logits: &[f32], history: &[TokenId]) -> Vec<TokenId> {
    let mut sampler = Sampler::new(sampling.clone(), &[0]);
    let mut tokens: Vec<TokenId> = (0..2_000)
        .map(|_| sampler.choose(logits.to_vec(), history))
        .collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// Logits of these probabilities.
fn logits(probabilities: &[f32]) -> Vec<f32> {
    probabilities.iter().map(|p| p.ln()).collect()
}

#[test]
fn temperature_zero_takes_the_likeliest_and_the_first_of_equals() {
    let greedy = Sampling {
        temperature: 0.0,
        ..plain(1)
    };
    assert_eq!(reachable(&greedy, &[0.1, 2.0, 2.0, 1.0], &[]), [1]);
}

#[test]
fn top_k_keeps_so_many() {
    let two = Sampling {
        top_k: Some(2),
        ..plain(1)
    };
    assert_eq!(reachable(&two, &[1.0, 1.2, 0.9, 1.1], &[]), [1, 3]);
    let more_than_there_are = Sampling {
        top_k: Some(9),
        ..plain(1)
    };
    assert_eq!(reachable(&more_than_there_are, &[1.0, 1.2], &[]), [0, 1]);
}

#[test]
fn top_p_keeps_as_many_as_reach_the_sum() {
    let probabilities = logits(&[0.1, 0.5, 0.3, 0.1]);
    let sampling = |top_p| Sampling { top_p, ..plain(1) };
    assert_eq!(reachable(&sampling(0.4), &probabilities, &[]), [1]);
    assert_eq!(reachable(&sampling(0.7), &probabilities, &[]), [1, 2]);
    assert_eq!(reachable(&sampling(0.0), &probabilities, &[]), [1]);
}

#[test]
fn min_p_is_measured_against_the_likeliest() {
    let probabilities = logits(&[0.1, 0.5, 0.3, 0.1]);
    let sampling = |min_p| Sampling { min_p, ..plain(1) };
    assert_eq!(reachable(&sampling(0.5), &probabilities, &[]), [1, 2]);
    assert_eq!(reachable(&sampling(1.0), &probabilities, &[]), [1]);
}

#[test]
fn top_p_and_min_p_come_before_the_temperature() {
    // At this temperature all four are nearly equally likely, which neither stage must see.
    let hot = Sampling {
        temperature: 100.0,
        top_p: 0.7,
        ..plain(1)
    };
    assert_eq!(reachable(&hot, &logits(&[0.1, 0.5, 0.3, 0.1]), &[]), [1, 2]);
}

#[test]
fn the_penalty_lowers_positive_and_negative_logits_of_recent_tokens_once() {
    let penalised = Sampling {
        temperature: 0.0,
        repeat_penalty: 2.0,
        repeat_last_n: 3,
        ..plain(1)
    };
    let choose = |logits: &[f32], history: &[TokenId]| {
        Sampler::new(penalised.clone(), &[]).choose(logits.to_vec(), history)
    };
    assert_eq!(choose(&[3.0, 2.0], &[0]), 1);
    assert_eq!(choose(&[-1.0, -1.5], &[0]), 1);
    assert_eq!(choose(&[3.0, 1.0], &[0, 0, 0]), 0, "a token counts once");
    assert_eq!(
        choose(&[3.0, 2.0], &[0, 1, 1, 1]),
        0,
        "older tokens do not count"
    );
}

#[test]
fn presence_is_penalised_once_and_frequency_each_time() {
    let choose = |presence_penalty: f32, frequency_penalty: f32, history: &[TokenId]| {
        let penalised = Sampling {
            temperature: 0.0,
            presence_penalty,
            frequency_penalty,
            ..plain(1)
        };
        Sampler::new(penalised, &[]).choose(vec![3.0, 2.0], history)
    };
    assert_eq!(choose(0.9, 0.0, &[0, 0, 0]), 0);
    assert_eq!(choose(1.1, 0.0, &[0]), 1);
    assert_eq!(choose(0.0, 0.4, &[0, 0]), 0);
    assert_eq!(choose(0.0, 0.4, &[0, 0, 0]), 1);
    assert_eq!(choose(-1.1, 0.0, &[1]), 1, "a negative one is a reward");
}

#[test]
fn ignore_eos_never_ends() {
    let endless = Sampling {
        ignore_eos: true,
        ..plain(1)
    };
    assert_eq!(reachable(&endless, &[9.0, 1.0, 1.0], &[]), [1, 2]);
    let greedy = Sampling {
        temperature: 0.0,
        ..endless
    };
    assert_eq!(reachable(&greedy, &[9.0, 1.0, 2.0], &[]), [2]);
}

#[test]
fn draws_follow_the_probabilities() {
    let probabilities = [0.5, 0.3, 0.15, 0.05];
    let mut sampler = Sampler::new(plain(7), &[]);
    let mut counts = [0u32; 4];
    for _ in 0..20_000 {
        counts[sampler.choose(logits(&probabilities), &[]) as usize] += 1;
    }
    for (count, probability) in counts.iter().zip(probabilities) {
        let share = f64::from(*count) / 20_000.0;
        // Four standard deviations of the likeliest are 0.014.
        assert!((share - f64::from(probability)).abs() < 0.015, "{counts:?}");
    }
}

/// The draws of one seed, written down: another order of draws or another generator is a change of
/// `engine_version`.
#[test]
fn the_draws_of_a_seed_are_fixed() {
    let mut sampler = Sampler::new(plain(7), &[]);
    let drawn: Vec<TokenId> = (0..16)
        .map(|_| sampler.choose(vec![0.0; 100], &[]))
        .collect();
    insta::assert_compact_debug_snapshot!(drawn, @"[76, 46, 0, 30, 38, 33, 35, 19, 60, 95, 61, 65, 40, 20, 94, 59]");
}

proptest! {
    /// Any finite logits and settings give a token of the vocabulary, and the same one again.
    #[test]
    fn any_settings_choose_the_same_token_twice(
        logits in prop::collection::vec(-50.0f32..50.0, 1..40),
        temperature in prop_oneof![Just(0.0f32), 0.01f32..100.0],
        top_k in prop::option::of(1usize..50),
        (top_p, min_p) in (0.0f32..=1.0, 0.0f32..=1.0),
        repeat_penalty in 0.01f32..100.0,
        seed in any::<u32>(),
        history in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let history: Vec<TokenId> = history
            .iter()
            .map(|index| index.index(logits.len()) as TokenId)
            .collect();
        let sampling = Sampling { temperature, top_k, top_p, min_p, repeat_penalty, ..plain(seed) };
        let choose = || Sampler::new(sampling.clone(), &[]).choose(logits.clone(), &history);
        let token = choose();
        prop_assert!((token as usize) < logits.len());
        prop_assert_eq!(token, choose());
    }
}
