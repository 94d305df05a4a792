//! Attention: each token looks back on those before it.

use candle_core::quantized::QMatMul;
use candle_core::{Device, Module, Result, Tensor};
use candle_nn::ops::softmax_last_dim;

use super::cache::LayerCache;
use super::layer::Norm;
use super::rotary::Turns;

/// A product with a matrix, and the sum with a bias where there is one.
pub(super) struct Projection {
    pub(super) matrix: QMatMul,
    pub(super) bias: Option<Tensor>,
}

/// The attention of one layer.
pub(super) struct Attention {
    pub(super) query: Projection,
    pub(super) key: Projection,
    pub(super) value: Projection,
    pub(super) output: QMatMul,
    pub(super) query_norm: Option<Norm>,
    pub(super) key_norm: Option<Norm>,
    pub(super) n_head: usize,
    pub(super) n_head_kv: usize,
    pub(super) head_width: usize,
}

impl Projection {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let projected = self.matrix.forward(x)?;
        match &self.bias {
            Some(bias) => projected.broadcast_add(bias),
            None => Ok(projected),
        }
    }
}

impl Attention {
    /// `x` has the shape (1, tokens, width), and so has the result. The cache holds `length` tokens
    /// before these. `mask` is needed for more than one token.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        turns: &Turns,
        mask: Option<&Tensor>,
        cache: &mut LayerCache,
        length: usize,
    ) -> Result<Tensor> {
        let (_, tokens, _) = x.dims3()?;
        let queries = self.heads(
            &self.query.forward(x)?,
            self.n_head,
            self.query_norm.as_ref(),
        )?;
        let keys = self.heads(
            &self.key.forward(x)?,
            self.n_head_kv,
            self.key_norm.as_ref(),
        )?;
        let values = self.heads(&self.value.forward(x)?, self.n_head_kv, None)?;
        let (keys, values) = cache.append(length, &turns.apply(&keys)?, &values)?;

        // The query heads that share a head of keys stand one below the other, so that one product
        // serves them all and no key is copied.
        let group = self.n_head / self.n_head_kv;
        let shared = (self.n_head_kv, group * tokens, self.head_width);
        let queries = (turns.apply(&queries)? * (self.head_width as f64).powf(-0.5))?;
        let scores = queries.reshape(shared)?.matmul(&keys.t()?)?;
        let scores = match mask {
            None => scores,
            Some(mask) => {
                let seen = scores.dim(2)?;
                scores
                    .reshape((self.n_head, tokens, seen))?
                    .broadcast_add(mask)?
                    .reshape((self.n_head_kv, group * tokens, seen))?
            }
        };
        let mixed = softmax_last_dim(&scores)?.matmul(&values)?;
        let mixed = mixed
            .reshape((self.n_head, tokens, self.head_width))?
            .transpose(0, 1)?
            .reshape((1, tokens, self.n_head * self.head_width))?;
        self.output.forward(&mixed)
    }

    /// Cuts a projection into heads: (heads, tokens, width), contiguous.
    fn heads(&self, projected: &Tensor, count: usize, norm: Option<&Norm>) -> Result<Tensor> {
        let tokens = projected.dim(1)?;
        let heads = projected.reshape((tokens, count, self.head_width))?;
        let heads = match norm {
            Some(norm) => norm.forward(&heads)?,
            None => heads,
        };
        heads.transpose(0, 1)?.contiguous()
    }
}

/// What hides from each of `count` tokens those after it: added to the scores. The `length` tokens
/// before them are seen by all. `None` for one token, which sees everything.
pub(super) fn causal_mask(length: usize, count: usize) -> Result<Option<Tensor>> {
    if count == 1 {
        return Ok(None);
    }
    let seen = length + count;
    let values: Vec<f32> = (0..count)
        .flat_map(|token| {
            (0..seen).map(move |other| {
                if other > length + token {
                    f32::NEG_INFINITY
                } else {
                    0.0
                }
            })
        })
        .collect();
    Tensor::from_vec(values, (count, seen), &Device::Cpu).map(Some)
}
