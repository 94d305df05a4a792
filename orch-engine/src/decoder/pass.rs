//! One pass: tokens in, the logits of what comes next out.

use candle_core::quantized::QMatMul;
use candle_core::{Device, Module, Result, Tensor};

use super::Cache;
use super::attention::causal_mask;
use super::layer::{Layer, Norm};
use super::rotary::Rotary;
use crate::tokenizer::TokenId;

/// Scores of attention that a pass may hold at once, in all heads of a layer together: 64 MB.
const MOST_SCORES: usize = 1 << 24;
/// Tokens of a prompt that are read in one pass, at most and at least. Fewer would make the pass
/// slow; more would make a request that nobody waits for any more go on for longer.
const PASS_TOKENS: (usize, usize) = (8, 128);

/// A model's weights in memory. They never change: every generation has a [`Cache`] of its own.
pub(crate) struct Decoder {
    pub(super) embedding: QMatMul,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Norm,
    pub(super) output: QMatMul,
    pub(super) rotary: Rotary,
}

impl Decoder {
    /// An empty cache for this model, of at most `most` tokens.
    pub(crate) fn cache(&self, most: usize) -> Cache {
        Cache::new(self.layers.len(), most)
    }

    /// How many tokens the next pass should read of a prompt that goes on. It depends on the position
    /// alone, so that a prompt is always read in the same parts.
    pub(crate) fn pass_tokens(&self, cache: &Cache) -> usize {
        let (least, most) = PASS_TOKENS;
        let heads = self
            .layers
            .first()
            .map_or(1, |layer| layer.attention.n_head);
        (MOST_SCORES / (heads * (cache.length + most))).clamp(least, most)
    }

    /// Reads `tokens`, at least one, on top of what the cache holds, and gives the logit of every
    /// token of the vocabulary to come next.
    pub(crate) fn forward(&self, tokens: &[TokenId], cache: &mut Cache) -> Result<Vec<f32>> {
        let length = cache.length;
        let turns = self.rotary.turns(length, tokens.len())?;
        let mask = causal_mask(length, tokens.len())?;
        let ids = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let mut x = self.embedding.embedding(&ids)?;
        for (layer, cache) in self.layers.iter().zip(&mut cache.layers) {
            x = layer.forward(&x, &turns, mask.as_ref(), cache, length)?;
        }
        cache.length += tokens.len();
        let last = x.narrow(1, tokens.len() - 1, 1)?.contiguous()?;
        let logits = self.output.forward(&self.norm.forward(&last)?)?;
        logits.flatten_all()?.to_vec1()
    }
}
