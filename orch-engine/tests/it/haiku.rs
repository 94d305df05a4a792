//! What the compiled-in model is for: three lines with a phrase and a nonce out of the prompt.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};

use crate::engine::Engine;

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 6] = ["", "", "twenty", "thirty", "forty", "fifty"];
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(crate) fn prompt(minute_words: &str, nonce: &str) -> String {
    format!(
        "Write a haiku (3 lines). Include this exact English minute phrase: \"{minute_words}\". \
         Also include this nonce verbatim: \"{nonce}\". Output only the poem."
    )
}

fn minute_words(minute: usize) -> String {
    match (minute / 10, minute % 10) {
        _ if minute < 20 => ONES[minute].to_owned(),
        (tens, 0) => TENS[tens].to_owned(),
        (tens, ones) => format!("{}-{}", TENS[tens], ONES[ones]),
    }
}

fn pick(rng: &mut ChaCha8Rng, below: usize) -> usize {
    rng.next_u32() as usize % below
}

/// How many of 50 fresh prompts give three lines that have what was asked for.
async fn passed(engine: &Engine, temperature: f64, through_template: bool) -> (usize, Vec<Value>) {
    let mut rng = ChaCha8Rng::from_seed([temperature.to_bits() as u8 ^ 0x5A; 32]);
    let mut failed = Vec::new();
    for seed in 1..=50 {
        let phrase = minute_words(pick(&mut rng, 60));
        let nonce: String = (0..8)
            .map(|_| char::from(LETTERS[pick(&mut rng, LETTERS.len())]))
            .collect();
        let mut prompt = prompt(&phrase, &nonce);
        if through_template {
            let messages = json!({ "messages": [{ "role": "user", "content": prompt }] });
            let applied = engine.post_json("/apply-template", &messages).await;
            prompt = applied["prompt"].as_str().unwrap().to_owned();
        }
        let body = json!({
            "prompt": prompt, "temperature": temperature, "seed": seed, "n_predict": 120,
        });
        let reply = engine.complete(&body).await;
        let poem = reply["content"].as_str().unwrap();
        let lines = poem.lines().filter(|line| !line.trim().is_empty()).count();
        if lines != 3 || !poem.contains(&phrase) || !poem.contains(&nonce) {
            failed.push(json!([phrase, nonce, poem]));
        }
    }
    (50 - failed.len(), failed)
}

#[tokio::test]
async fn the_likeliest_poem_has_what_was_asked_for() {
    let engine = Engine::start(&[]).await;
    let (passed, failed) = passed(&engine, 0.0, false).await;
    assert_eq!(passed, 50, "{failed:?}");
}

/// One of 50 may fail: a sampled poem depends on the processor, and no model of this kind is perfect.
#[tokio::test]
async fn sampled_poems_have_what_was_asked_for() {
    let engine = Engine::start(&[]).await;
    for through_template in [false, true] {
        let (passed, failed) = passed(&engine, 0.8, through_template).await;
        assert!(passed >= 49, "{failed:?}");
    }
}
