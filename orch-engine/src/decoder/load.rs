//! From a checked file to weights in memory.

use candle_core::quantized::QMatMul;
use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Result, Tensor};

use super::Decoder;
use super::attention::{Attention, Projection};
use super::layer::{FeedForward, Layer, Norm};
use super::rotary::Rotary;
use crate::gguf::{Dimensions, ModelBytes};

/// Reads all weights. The header must have been checked: what is optional here is absent on purpose.
///
/// # Errors
///
/// If the file cannot be read.
pub(crate) fn load(
    content: &Content,
    dimensions: &Dimensions,
    bytes: &mut dyn ModelBytes,
) -> Result<Decoder> {
    let mut tensors = Tensors {
        content,
        dimensions,
        bytes,
    };
    let embedding = tensors.matrix("token_embd.weight")?;
    let output = if tensors.has("output.weight") {
        tensors.matrix("output.weight")?
    } else {
        embedding.clone()
    };
    let factors = tensors
        .optional("rope_freqs.weight")?
        .map(|factors| factors.to_vec1::<f32>())
        .transpose()?;
    Ok(Decoder {
        embedding,
        layers: (0..dimensions.n_layer)
            .map(|layer| tensors.layer(&format!("blk.{layer}")))
            .collect::<Result<_>>()?,
        norm: tensors.norm("output_norm.weight")?,
        output,
        rotary: Rotary::new(dimensions, factors.as_deref()),
    })
}

struct Tensors<'a> {
    content: &'a Content,
    dimensions: &'a Dimensions,
    bytes: &'a mut dyn ModelBytes,
}

impl Tensors<'_> {
    fn has(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    fn matrix(&mut self, name: &str) -> Result<QMatMul> {
        let tensor = self.content.tensor(&mut self.bytes, name, &Device::Cpu)?;
        QMatMul::from_qtensor(tensor)
    }

    fn plain(&mut self, name: &str) -> Result<Tensor> {
        let tensor = self.content.tensor(&mut self.bytes, name, &Device::Cpu)?;
        tensor.dequantize(&Device::Cpu)
    }

    fn optional(&mut self, name: &str) -> Result<Option<Tensor>> {
        self.has(name).then(|| self.plain(name)).transpose()
    }

    fn norm(&mut self, name: &str) -> Result<Norm> {
        Ok(Norm {
            weight: self.plain(name)?,
            epsilon: self.dimensions.norm_epsilon,
        })
    }

    fn optional_norm(&mut self, name: &str) -> Result<Option<Norm>> {
        self.has(name).then(|| self.norm(name)).transpose()
    }

    fn projection(&mut self, name: &str) -> Result<Projection> {
        Ok(Projection {
            matrix: self.matrix(&format!("{name}.weight"))?,
            bias: self.optional(&format!("{name}.bias"))?,
        })
    }

    fn layer(&mut self, block: &str) -> Result<Layer> {
        let attention = Attention {
            query: self.projection(&format!("{block}.attn_q"))?,
            key: self.projection(&format!("{block}.attn_k"))?,
            value: self.projection(&format!("{block}.attn_v"))?,
            output: self.matrix(&format!("{block}.attn_output.weight"))?,
            query_norm: self.optional_norm(&format!("{block}.attn_q_norm.weight"))?,
            key_norm: self.optional_norm(&format!("{block}.attn_k_norm.weight"))?,
            n_head: self.dimensions.n_head,
            n_head_kv: self.dimensions.n_head_kv,
            head_width: self.dimensions.head_width,
        };
        Ok(Layer {
            attention_norm: self.norm(&format!("{block}.attn_norm.weight"))?,
            attention,
            feed_forward_norm: self.norm(&format!("{block}.ffn_norm.weight"))?,
            feed_forward: FeedForward {
                gate: self.matrix(&format!("{block}.ffn_gate.weight"))?,
                up: self.matrix(&format!("{block}.ffn_up.weight"))?,
                down: self.matrix(&format!("{block}.ffn_down.weight"))?,
            },
        })
    }
}
