//! The header of a GGUF file: read, checked, and turned into the figures that the model is built by.

use std::io::{Cursor, Read, SeekFrom};

use candle_core::quantized::gguf_file::Content;

use super::{Fault, Metadata, ModelBytes, tensors};

/// The one architecture that is run.
const ARCHITECTURE: &str = "llama";
const MAGIC: &[u8; 4] = b"GGUF";
const ALIGNMENT_KEY: &[u8] = b"general.alignment";

/// A header is read whole before it is parsed: a vocabulary of a million tokens fits in this.
const MAX_HEADER: u64 = 64 << 20;

/// Far above any model of this family; a larger figure is damage, not ambition.
const MAX_LAYERS: usize = 1 << 10;
const MAX_WIDTH: usize = 1 << 17;
const MAX_VOCABULARY: usize = 1 << 21;

/// A header whose every figure was checked against the others and against the file's length.
pub(crate) struct Header {
    pub(crate) content: Content,
    pub(crate) dimensions: Dimensions,
    /// Elements in all tensors.
    pub(crate) n_params: u64,
    /// Bytes of all tensors.
    pub(crate) tensor_bytes: u64,
}

/// The figures of a llama-family model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dimensions {
    pub(crate) n_vocab: usize,
    pub(crate) n_embd: usize,
    pub(crate) n_layer: usize,
    pub(crate) n_head: usize,
    pub(crate) n_head_kv: usize,
    pub(crate) n_ff: usize,
    /// The context that the model was trained with, in tokens.
    pub(crate) n_ctx_train: usize,
}

impl Header {
    /// Reads and checks everything but the weights themselves.
    pub(crate) fn read(bytes: &mut dyn ModelBytes) -> Result<Self, Fault> {
        let length = bytes.seek(SeekFrom::End(0)).map_err(Fault::Unreadable)?;
        bytes.rewind().map_err(Fault::Unreadable)?;
        let mut start = Vec::new();
        bytes
            .take(MAX_HEADER)
            .read_to_end(&mut start)
            .map_err(Fault::Unreadable)?;
        check_magic(&start)?;
        if declares_zero_alignment(&start) {
            return Err(Fault::Damaged("general.alignment is 0".to_owned()));
        }
        let content =
            Content::read(&mut Cursor::new(start)).map_err(|error| Fault::damaged(&error))?;
        let dimensions = Dimensions::read(Metadata::new(&content.metadata))?;
        let extent = tensors::check(&content, &dimensions, length)?;
        Ok(Self {
            content,
            dimensions,
            n_params: extent.elements,
            tensor_bytes: extent.bytes,
        })
    }

    pub(crate) fn metadata(&self) -> Metadata<'_> {
        Metadata::new(&self.content.metadata)
    }
}

impl Dimensions {
    fn read(metadata: Metadata<'_>) -> Result<Self, Fault> {
        let architecture = metadata.text("general.architecture")?;
        if architecture != ARCHITECTURE {
            return Err(Fault::Unsupported(format!(
                "architecture {architecture:?}; this engine runs {ARCHITECTURE:?}"
            )));
        }
        let n_vocab = metadata
            .list("tokenizer.ggml.tokens", "an array of strings", |value| {
                value.to_string().ok().map(|_| ())
            })?
            .len();
        let dimensions = Self {
            n_vocab,
            n_embd: metadata.count("llama.embedding_length")?,
            n_layer: metadata.count("llama.block_count")?,
            n_head: metadata.count("llama.attention.head_count")?,
            n_head_kv: metadata.count("llama.attention.head_count_kv")?,
            n_ff: metadata.count("llama.feed_forward_length")?,
            n_ctx_train: metadata.count("llama.context_length")?,
        };
        dimensions.check_figures()?;
        dimensions.check_rotation(metadata)?;
        check_norm(metadata)?;
        if metadata
            .optional_u32("llama.expert_count")?
            .is_some_and(|experts| experts > 1)
        {
            return Err(Fault::Unsupported("a mixture of experts".to_owned()));
        }
        Ok(dimensions)
    }

    pub(crate) fn head_width(&self) -> usize {
        self.n_embd / self.n_head
    }

    fn check_figures(&self) -> Result<(), Fault> {
        let within = |what: &str, value: usize, most: usize| {
            if (1..=most).contains(&value) {
                Ok(())
            } else {
                Err(Fault::Damaged(format!(
                    "{what} is {value}, outside 1..={most}"
                )))
            }
        };
        within("the vocabulary's size", self.n_vocab, MAX_VOCABULARY)?;
        within("llama.embedding_length", self.n_embd, MAX_WIDTH)?;
        within("llama.block_count", self.n_layer, MAX_LAYERS)?;
        within("llama.attention.head_count", self.n_head, self.n_embd)?;
        within("llama.attention.head_count_kv", self.n_head_kv, self.n_head)?;
        within("llama.feed_forward_length", self.n_ff, MAX_WIDTH)?;
        within(
            "llama.context_length",
            self.n_ctx_train,
            u32::MAX as usize >> 1,
        )?;
        let divides = |what: &str, whole: usize, part: usize| {
            if whole.is_multiple_of(part) {
                Ok(())
            } else {
                Err(Fault::Damaged(format!("{what}: {whole} by {part}")))
            }
        };
        divides("heads do not divide the width", self.n_embd, self.n_head)?;
        divides(
            "key-value heads do not divide the heads",
            self.n_head,
            self.n_head_kv,
        )
    }

    /// The rotary embedding must cover whole heads, unscaled: the library knows no other.
    fn check_rotation(&self, metadata: Metadata<'_>) -> Result<(), Fault> {
        let head = self.head_width();
        if !head.is_multiple_of(2) {
            return Err(Fault::Unsupported(format!("heads of odd width {head}")));
        }
        let rotated = metadata.count("llama.rope.dimension_count")?;
        if rotated != head {
            return Err(Fault::Unsupported(format!(
                "rotary embedding over {rotated} of {head} values of a head"
            )));
        }
        for key in ["llama.attention.key_length", "llama.attention.value_length"] {
            if let Some(length) = metadata.optional_u32(key)?
                && length as usize != head
            {
                return Err(Fault::Unsupported(format!(
                    "{key} of {length} where the width gives {head}"
                )));
            }
        }
        if let Some(kind) = metadata.optional_text("llama.rope.scaling.type")?
            && kind != "none"
        {
            return Err(Fault::Unsupported(format!("rotary scaling {kind:?}")));
        }
        match metadata.optional_f32("llama.rope.freq_base")? {
            Some(base) if !(base.is_finite() && base >= 1.0) => {
                Err(Fault::Damaged(format!("llama.rope.freq_base is {base}")))
            }
            _ => Ok(()),
        }
    }
}

fn check_norm(metadata: Metadata<'_>) -> Result<(), Fault> {
    let key = "llama.attention.layer_norm_rms_epsilon";
    match metadata.optional_f32(key)? {
        Some(epsilon) if (0.0..1.0).contains(&epsilon) => Ok(()),
        Some(epsilon) => Err(Fault::Damaged(format!("{key} is {epsilon}"))),
        None => Err(Fault::Damaged(format!("metadata key {key} is missing"))),
    }
}

fn check_magic(start: &[u8]) -> Result<(), Fault> {
    if start.starts_with(MAGIC) {
        return Ok(());
    }
    let found = &start[..start.len().min(MAGIC.len())];
    Err(Fault::NotGguf(format!(
        "it starts with \"{}\" instead of \"GGUF\"",
        found.escape_ascii()
    )))
}

/// Whether the header sets `general.alignment` to zero, by which the library's reader would divide.
///
/// The key is looked for as bytes, because to find it properly takes the very reader that must not
/// see such a file.
fn declares_zero_alignment(header: &[u8]) -> bool {
    let kind_at = ALIGNMENT_KEY.len();
    let value_at = kind_at + size_of::<u32>();
    header
        .windows(value_at + size_of::<u32>())
        .filter(|window| window.starts_with(ALIGNMENT_KEY))
        .any(|window| {
            // GGUF's numbers for u8, i8, u16, i16, u32, i32; the reader ignores any other type.
            let width = match window[kind_at] {
                0 | 1 => 1,
                2 | 3 => 2,
                4 | 5 => 4,
                _ => return false,
            };
            window[value_at..value_at + width]
                .iter()
                .all(|&byte| byte == 0)
        })
}
