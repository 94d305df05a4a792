//! Rotary positions: every pair of values of a head is turned by an angle that grows with the
//! token's position, fast for the first pairs and slowly for the last.

use candle_core::{Device, Result, Tensor};

use crate::gguf::Dimensions;

/// How fast each pair of values turns, and which values are a pair.
pub(super) struct Rotary {
    /// Radians per position, one for each pair.
    frequencies: Vec<f64>,
    neighbours: bool,
}

/// The turns of a run of positions.
pub(super) struct Turns {
    cos: Tensor,
    sin: Tensor,
    neighbours: bool,
}

impl Rotary {
    /// `factors`, if the file has them, slow each pair down by so much.
    pub(super) fn new(dimensions: &Dimensions, factors: Option<&[f32]>) -> Self {
        let width = dimensions.head_width;
        let base = f64::from(dimensions.rotary_base);
        let frequencies = (0..width / 2)
            .map(|pair| {
                let plain = base.powf(-2.0 * pair as f64 / width as f64);
                let factor = factors.map_or(1.0, |factors| f64::from(factors[pair]));
                plain / factor / f64::from(dimensions.rotary_factor)
            })
            .collect();
        Self {
            frequencies,
            neighbours: dimensions.family.rotates_neighbours(),
        }
    }

    /// The turns of `count` positions from `first` on.
    pub(super) fn turns(&self, first: usize, count: usize) -> Result<Turns> {
        let shape = (count, self.frequencies.len());
        let of = |function: fn(f64) -> f64| {
            let values: Vec<f32> = (first..first + count)
                .flat_map(|position| {
                    let position = position as f64;
                    let angles = self.frequencies.iter();
                    angles.map(move |frequency| function(position * frequency) as f32)
                })
                .collect();
            Tensor::from_vec(values, shape, &Device::Cpu)
        };
        Ok(Turns {
            cos: of(f64::cos)?,
            sin: of(f64::sin)?,
            neighbours: self.neighbours,
        })
    }
}

impl Turns {
    /// Turns heads of the shape (heads, positions, width), which must be contiguous.
    pub(super) fn apply(&self, heads: &Tensor) -> Result<Tensor> {
        let heads = heads.unsqueeze(0)?;
        let turned = if self.neighbours {
            candle_nn::rotary_emb::rope_i(&heads, &self.cos, &self.sin)
        } else {
            candle_nn::rotary_emb::rope(&heads, &self.cos, &self.sin)
        };
        turned?.squeeze(0)
    }
}
