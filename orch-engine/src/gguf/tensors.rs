//! The tensors of a file, held against the list that the architecture asks for.

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, TensorInfo};

use super::{Dimensions, Fault};

/// What all tensors of a file amount to.
pub(crate) struct Extent {
    pub(crate) elements: u64,
    pub(crate) bytes: u64,
}

/// What a tensor may be stored as.
#[derive(Clone, Copy)]
enum Storage {
    /// Any type that the library can multiply by.
    Matrix,
    /// Unquantised only: a norm is a handful of numbers, and every writer keeps them whole.
    Plain,
}

struct Expected {
    name: String,
    /// Outermost dimension first.
    shape: Vec<usize>,
    storage: Storage,
    optional: bool,
}

/// Checks that the file holds exactly the tensors of a dense llama model, in shapes and types that
/// the library computes with, and that all of them end inside the file of `length` bytes.
///
/// A tensor too many (a bias, scaled rotary frequencies, experts) is refused as well: the library
/// would ignore it and the model would talk nonsense.
pub(crate) fn check(
    content: &Content,
    dimensions: &Dimensions,
    length: u64,
) -> Result<Extent, Fault> {
    let expected = expected(dimensions);
    let mut total = Extent {
        elements: 0,
        bytes: 0,
    };
    for tensor in &expected {
        match content.tensor_infos.get(&tensor.name) {
            Some(info) => {
                let bytes = tensor.check(info, content.tensor_data_offset, length)?;
                total.elements += info.shape.dims().iter().product::<usize>() as u64;
                total.bytes += bytes;
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
            "tensor {name} is no part of a plain llama model"
        ))),
    }
}

fn expected(d: &Dimensions) -> Vec<Expected> {
    let tensor = |name: String, shape: &[usize], storage| Expected {
        name,
        shape: shape.to_vec(),
        storage,
        optional: false,
    };
    let (matrix, plain) = (Storage::Matrix, Storage::Plain);
    let kv_width = d.n_head_kv * d.head_width();
    let mut all = vec![
        tensor(
            "token_embd.weight".to_owned(),
            &[d.n_vocab, d.n_embd],
            matrix,
        ),
        tensor("output_norm.weight".to_owned(), &[d.n_embd], plain),
        Expected {
            // Absent where input and output embeddings are tied.
            optional: true,
            ..tensor("output.weight".to_owned(), &[d.n_vocab, d.n_embd], matrix)
        },
    ];
    for layer in 0..d.n_layer {
        let in_block = |part: &str, shape: &[usize], storage| {
            tensor(format!("blk.{layer}.{part}.weight"), shape, storage)
        };
        all.extend([
            in_block("attn_norm", &[d.n_embd], plain),
            in_block("ffn_norm", &[d.n_embd], plain),
            in_block("attn_q", &[d.n_embd, d.n_embd], matrix),
            in_block("attn_k", &[kv_width, d.n_embd], matrix),
            in_block("attn_v", &[kv_width, d.n_embd], matrix),
            in_block("attn_output", &[d.n_embd, d.n_embd], matrix),
            in_block("ffn_gate", &[d.n_ff, d.n_embd], matrix),
            in_block("ffn_up", &[d.n_ff, d.n_embd], matrix),
            in_block("ffn_down", &[d.n_embd, d.n_ff], matrix),
        ]);
    }
    all
}

impl Expected {
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

impl Storage {
    fn admits(self, kind: GgmlDType) -> bool {
        use GgmlDType::{BF16, F16, F32, Q2K, Q3K, Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
        match self {
            Self::Plain => matches!(kind, F32 | F16 | BF16),
            // Q8_1 and Q8K are missing: they are formats of intermediate results.
            Self::Matrix => matches!(
                kind,
                F32 | F16 | BF16 | Q2K | Q3K | Q4_0 | Q4_1 | Q4K | Q5_0 | Q5_1 | Q5K | Q6K | Q8_0
            ),
        }
    }
}
