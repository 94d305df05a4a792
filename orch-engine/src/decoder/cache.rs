//! The keys and values of the tokens that were read: what attention looks back on.

use candle_core::{DType, Device, Result, Tensor};

use crate::gguf::Dimensions;

/// Positions for which there is room at first. The room doubles when it is full, so that a short
/// request in a long context costs what a short request costs.
const FIRST_ROOM: usize = 256;

/// The caches of all layers, filled to the same position.
pub(crate) struct Cache {
    pub(super) layers: Vec<LayerCache>,
    /// Tokens that were read.
    pub(super) length: usize,
}

/// The keys and values of one layer.
pub(super) struct LayerCache {
    keys: Growing,
    values: Growing,
}

/// A tensor of the shape (heads, room, width), of whose room the first part is in use.
struct Growing {
    storage: Option<Tensor>,
    most: usize,
}

impl Cache {
    /// An empty cache of at most `most` positions.
    pub(crate) fn new(n_layer: usize, most: usize) -> Self {
        let growing = || Growing {
            storage: None,
            most,
        };
        let layer = || LayerCache {
            keys: growing(),
            values: growing(),
        };
        Self {
            layers: (0..n_layer).map(|_| layer()).collect(),
            length: 0,
        }
    }

    /// Bytes of a cache of `positions`, full.
    pub(crate) fn bytes(dimensions: &Dimensions, positions: usize) -> u64 {
        let per_layer = 2 * dimensions.kv_width() * DType::F32.size_in_bytes();
        per_layer as u64 * dimensions.n_layer as u64 * positions as u64
    }
}

impl LayerCache {
    /// Puts the keys and values of new tokens behind the `length` that are there, and gives all of
    /// them: two tensors of the shape (heads, positions, width).
    pub(super) fn append(
        &mut self,
        length: usize,
        keys: &Tensor,
        values: &Tensor,
    ) -> Result<(Tensor, Tensor)> {
        Ok((
            self.keys.append(length, keys)?,
            self.values.append(length, values)?,
        ))
    }
}

impl Growing {
    fn append(&mut self, length: usize, new: &Tensor) -> Result<Tensor> {
        let (heads, count, width) = new.dims3()?;
        let needed = length + count;
        let room = match &self.storage {
            Some(storage) => storage.dim(1)?,
            None => 0,
        };
        if needed > room {
            let room = needed.max(2 * room).max(FIRST_ROOM).min(self.most);
            let grown = Tensor::zeros((heads, room, width), DType::F32, &Device::Cpu)?;
            if let Some(storage) = &self.storage {
                grown.slice_set(&storage.narrow(1, 0, length)?.contiguous()?, 1, 0)?;
            }
            self.storage = Some(grown);
        }
        let Some(storage) = &self.storage else {
            candle_core::bail!("a cache without room");
        };
        storage.slice_set(&new.contiguous()?, 1, length)?;
        storage.narrow(1, 0, needed)
    }
}
