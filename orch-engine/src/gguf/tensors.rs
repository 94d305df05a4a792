//! The tensors of a file, held against the list that the architecture asks for.

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, TensorInfo};

use super::storage::Storage;
use super::{Dimensions, Family, Fault};

/// What all tensors of a file amount to.
pub(crate) struct Extent {
    pub(crate) elements: u64,
    pub(crate) bytes: u64,
    /// Bytes once they are loaded: unquantised weights are widened to 32 bits.
    pub(crate) bytes_loaded: u64,
}

struct Expected {
    name: String,
    /// Outermost dimension first.
    shape: Vec<usize>,
    storage: Storage,
    optional: bool,
}

/// Checks that the file holds exactly the tensors of a dense model of its family, in shapes and types
/// that the library computes with, and that all of them end inside the file of `length` bytes.
///
/// A tensor too many (a bias where the family has none, experts) is refused as well: without it the
/// model would talk nonsense.
pub(crate) fn check(
    content: &Content,
    dimensions: &Dimensions,
    length: u64,
) -> Result<Extent, Fault> {
    let expected = expected(dimensions);
    let mut total = Extent {
        elements: 0,
        bytes: 0,
        bytes_loaded: 0,
    };
    for tensor in &expected {
        match content.tensor_infos.get(&tensor.name) {
            Some(info) => {
                let bytes = tensor.check(info, content.tensor_data_offset, length)?;
                let elements = info.shape.dims().iter().product::<usize>() as u64;
                total.elements += elements;
                total.bytes += bytes;
                total.bytes_loaded += match info.ggml_dtype {
                    GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16 => 4 * elements,
                    _ => bytes,
                };
            }
            None if tensor.optional => {}
            None => {
                return Err(Fault::Damaged(format!("tensor {} is missing", tensor.name)));
            }
        }
    }
    let known: std::collections::HashSet<&str> =
        expected.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut unknown: Vec<&String> = content
        .tensor_infos
        .keys()
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    unknown.sort();
    match unknown.first() {
        None => Ok(total),
        Some(name) => Err(Fault::Unsupported(format!(
            "tensor {name} is no part of a plain {} model",
            dimensions.family.architecture()
        ))),
    }
}

fn expected(d: &Dimensions) -> Vec<Expected> {
    let (matrix, plain) = (Storage::Matrix, Storage::Plain);
    let mut all = vec![
        Expected::new("token_embd.weight", &[d.n_vocab, d.n_embd], matrix),
        Expected::new("output_norm.weight", &[d.n_embd], plain),
        // Absent where input and output embeddings are tied.
        Expected::new("output.weight", &[d.n_vocab, d.n_embd], matrix).optional(),
    ];
    if d.family == Family::Llama {
        // Factors of the rotary frequencies, of models whose context was stretched.
        all.push(Expected::new("rope_freqs.weight", &[d.head_width / 2], plain).optional());
    }
    for layer in 0..d.n_layer {
        all.extend(block(d, layer));
    }
    all
}

fn block(d: &Dimensions, layer: usize) -> Vec<Expected> {
    let (matrix, plain) = (Storage::Matrix, Storage::Plain);
    let part = |name: &str, shape: &[usize], storage| {
        Expected::new(&format!("blk.{layer}.{name}"), shape, storage)
    };
    let mut all = vec![
        part("attn_norm.weight", &[d.n_embd], plain),
        part("ffn_norm.weight", &[d.n_embd], plain),
        part("attn_q.weight", &[d.query_width(), d.n_embd], matrix),
        part("attn_k.weight", &[d.kv_width(), d.n_embd], matrix),
        part("attn_v.weight", &[d.kv_width(), d.n_embd], matrix),
        part("attn_output.weight", &[d.n_embd, d.query_width()], matrix),
        part("ffn_gate.weight", &[d.n_ff, d.n_embd], matrix),
        part("ffn_up.weight", &[d.n_ff, d.n_embd], matrix),
        part("ffn_down.weight", &[d.n_embd, d.n_ff], matrix),
    ];
    if d.family.has_attention_bias() {
        all.extend([
            part("attn_q.bias", &[d.query_width()], plain),
            part("attn_k.bias", &[d.kv_width()], plain),
            part("attn_v.bias", &[d.kv_width()], plain),
        ]);
    }
    if d.family.normalises_heads() {
        all.extend([
            part("attn_q_norm.weight", &[d.head_width], plain),
            part("attn_k_norm.weight", &[d.head_width], plain),
        ]);
    }
    all
}

impl Expected {
    fn new(name: &str, shape: &[usize], storage: Storage) -> Self {
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            storage,
            optional: false,
        }
    }

    fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    /// The tensor's size in bytes, if it is what was expected.
    fn check(&self, info: &TensorInfo, data_offset: u64, length: u64) -> Result<u64, Fault> {
        let name = &self.name;
        if info.shape.dims() != self.shape {
            return Err(Fault::Damaged(format!(
                "tensor {name} has shape {:?}, the header's figures give {:?}",
                info.shape.dims(),
                self.shape
            )));
        }
        if !self.storage.admits(info.ggml_dtype) {
            return Err(Fault::Unsupported(format!(
                "tensor {name} is stored as {:?}",
                info.ggml_dtype
            )));
        }
        let row = self.shape[self.shape.len() - 1];
        let block = info.ggml_dtype.block_size();
        if !row.is_multiple_of(block) {
            return Err(Fault::Damaged(format!(
                "tensor {name} has rows of {row} values, no multiple of its blocks of {block}"
            )));
        }
        // The shape equals the expected one, whose figures are bounded: neither product overflows.
        let elements: usize = self.shape.iter().product();
        let bytes = (elements / block * info.ggml_dtype.type_size()) as u64;
        let end = data_offset
            .checked_add(info.offset)
            .and_then(|start| start.checked_add(bytes));
        match end {
            Some(end) if end <= length => Ok(bytes),
            _ => Err(Fault::Damaged(format!(
                "tensor {name} ends at byte {}, the file at {length}",
                end.map_or_else(|| "beyond all bounds".to_owned(), |end| end.to_string())
            ))),
        }
    }
}
