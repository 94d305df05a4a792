//! The chain of samplers: penalties, top-k, top-p, min-p, temperature, in llama.cpp's order, then
//! one draw.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use super::Sampling;
use crate::tokenizer::TokenId;

/// A token that may come next.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Candidate {
    token: TokenId,
    logit: f32,
}

/// Chooses tokens, one after the other, from one seed.
///
/// Every choice takes exactly one draw from the generator, a greedy one none, and equal logits are
/// ordered by token id: the same logits and settings give the same tokens.
pub(crate) struct Sampler {
    sampling: Sampling,
    never: Vec<TokenId>,
    rng: ChaCha8Rng,
}

impl Sampler {
    /// A sampler that never chooses one of `ends` if the settings say so.
    pub(crate) fn new(sampling: Sampling, ends: &[TokenId]) -> Self {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&sampling.seed.to_le_bytes());
        Self {
            never: if sampling.ignore_eos {
                ends.to_vec()
            } else {
                Vec::new()
            },
            rng: ChaCha8Rng::from_seed(seed),
            sampling,
        }
    }

    /// The next token, given the logits of all tokens and the tokens so far.
    pub(crate) fn choose(&mut self, mut logits: Vec<f32>, history: &[TokenId]) -> TokenId {
        for &token in &self.never {
            logits[token as usize] = f32::NEG_INFINITY;
        }
        self.penalise(&mut logits, history);
        let mut candidates: Vec<Candidate> = (0..)
            .zip(logits)
            .map(|(token, logit)| Candidate { token, logit })
            .collect();
        if self.sampling.temperature <= 0.0 {
            let likeliest = candidates.into_iter().min_by(likelier);
            return likeliest.expect("a vocabulary is never empty").token;
        }
        self.keep_top_k(&mut candidates);
        self.keep_top_p(&mut candidates);
        self.keep_min_p(&mut candidates);
        let weights = weights(&candidates, self.sampling.temperature);
        candidates[draw(&weights, self.rng.next_u64())].token
    }

    fn penalise(&self, logits: &mut [f32], history: &[TokenId]) {
        let Sampling {
            repeat_penalty,
            frequency_penalty,
            presence_penalty,
            repeat_last_n,
            ..
        } = self.sampling;
        if repeat_penalty == 1.0 && frequency_penalty == 0.0 && presence_penalty == 0.0 {
            return;
        }
        let from = history.len().saturating_sub(repeat_last_n);
        let mut recent = history[from..].to_vec();
        recent.sort_unstable();
        for same in recent.chunk_by(|a, b| a == b) {
            let logit = &mut logits[same[0] as usize];
            if *logit <= 0.0 {
                *logit *= repeat_penalty;
            } else {
                *logit /= repeat_penalty;
            }
            *logit -= same.len() as f32 * frequency_penalty + presence_penalty;
        }
    }

    /// Keeps the likeliest and leaves them sorted, likeliest first.
    fn keep_top_k(&self, candidates: &mut Vec<Candidate>) {
        if let Some(k) = self.sampling.top_k
            && k < candidates.len()
        {
            candidates.select_nth_unstable_by(k, likelier);
            candidates.truncate(k);
        }
        candidates.sort_unstable_by(likelier);
    }

    fn keep_top_p(&self, candidates: &mut Vec<Candidate>) {
        if self.sampling.top_p >= 1.0 {
            return;
        }
        let weights = weights(candidates, 1.0);
        let enough = f64::from(self.sampling.top_p) * weights.iter().sum::<f64>();
        let mut sum = 0.0;
        let reached = weights.iter().position(|weight| {
            sum += weight;
            sum >= enough
        });
        if let Some(last) = reached {
            candidates.truncate(last + 1);
        }
    }

    fn keep_min_p(&self, candidates: &mut Vec<Candidate>) {
        if self.sampling.min_p <= 0.0 {
            return;
        }
        let least = candidates[0].logit + self.sampling.min_p.ln();
        let kept = candidates.partition_point(|candidate| candidate.logit >= least);
        candidates.truncate(kept.max(1));
    }
}

fn likelier(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.logit.total_cmp(&a.logit).then(a.token.cmp(&b.token))
}

/// Probabilities up to a common factor; `candidates` is sorted, so the first has the largest logit.
fn weights(candidates: &[Candidate], temperature: f32) -> Vec<f64> {
    let most = candidates[0].logit;
    candidates
        .iter()
        .map(|candidate| (f64::from(candidate.logit - most) / f64::from(temperature)).exp())
        .collect()
}

/// The index at which `random`, a uniform number, falls among the weights.
fn draw(weights: &[f64], random: u64) -> usize {
    // The upper 53 bits are as many as an f64 holds exactly.
    let fraction = (random >> 11) as f64 / (1u64 << 53) as f64;
    let mut left = fraction * weights.iter().sum::<f64>();
    for (i, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return i;
        }
    }
    // Rounding alone can lead here.
    weights.len() - 1
}
