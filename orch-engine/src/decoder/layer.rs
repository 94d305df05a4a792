//! One layer: attention, then a gated feed-forward, each on a normalised copy and added on top.

use candle_core::quantized::QMatMul;
use candle_core::{Module, Result, Tensor};

use super::attention::Attention;
use super::cache::LayerCache;
use super::rotary::Turns;

/// A root-mean-square norm over the last dimension.
pub(super) struct Norm {
    pub(super) weight: Tensor,
    pub(super) epsilon: f32,
}

impl Norm {
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        candle_nn::ops::rms_norm(x, &self.weight, self.epsilon)
    }
}

/// The feed-forward of one layer.
pub(super) struct FeedForward {
    pub(super) gate: QMatMul,
    pub(super) up: QMatMul,
    pub(super) down: QMatMul,
}

impl FeedForward {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let gate = candle_nn::ops::silu(&self.gate.forward(x)?)?;
        self.down.forward(&(gate * self.up.forward(x)?)?)
    }
}

/// One layer of the decoder.
pub(super) struct Layer {
    pub(super) attention_norm: Norm,
    pub(super) attention: Attention,
    pub(super) feed_forward_norm: Norm,
    pub(super) feed_forward: FeedForward,
}

impl Layer {
    pub(super) fn forward(
        &self,
        x: &Tensor,
        turns: &Turns,
        mask: Option<&Tensor>,
        cache: &mut LayerCache,
        length: usize,
    ) -> Result<Tensor> {
        let normed = self.attention_norm.forward(x)?;
        let x = (x + self
            .attention
            .forward(&normed, turns, mask, cache, length)?)?;
        let normed = self.feed_forward_norm.forward(&x)?;
        &x + self.feed_forward.forward(&normed)?
    }
}
