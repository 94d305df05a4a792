//! The figures of a model, read from its metadata and held against each other.

use super::{Family, Fault, Metadata};

/// Far above any model of these families; a larger figure is damage, not ambition.
const MAX_LAYERS: usize = 1 << 10;
const MAX_WIDTH: usize = 1 << 17;
const MAX_VOCABULARY: usize = 1 << 21;

/// The figures by which a model is built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dimensions {
    pub(crate) family: Family,
    pub(crate) n_vocab: usize,
    pub(crate) n_embd: usize,
    pub(crate) n_layer: usize,
    pub(crate) n_head: usize,
    pub(crate) n_head_kv: usize,
    /// Values in one head of queries, keys and values alike.
    pub(crate) head_width: usize,
    pub(crate) n_ff: usize,
    /// The context that the model was trained with, in tokens.
    pub(crate) n_ctx_train: usize,
    /// What is added under the root of every norm.
    pub(crate) norm_epsilon: f32,
    pub(crate) rotary_base: f32,
    /// By how much positions are squeezed: 1 leaves them.
    pub(crate) rotary_factor: f32,
}

/// The metadata under a family's prefix.
struct Keys<'a> {
    family: Family,
    metadata: Metadata<'a>,
}

impl Keys<'_> {
    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.family.architecture())
    }

    fn count(&self, key: &str) -> Result<usize, Fault> {
        self.metadata.count(&self.name(key))
    }

    fn optional_count(&self, key: &str) -> Result<Option<usize>, Fault> {
        let value = self.metadata.optional_u32(&self.name(key))?;
        Ok(value.map(|value| value as usize))
    }

    fn optional_f32(&self, key: &str) -> Result<Option<f32>, Fault> {
        self.metadata.optional_f32(&self.name(key))
    }
}

impl Dimensions {
    pub(crate) fn read(metadata: Metadata<'_>) -> Result<Self, Fault> {
        let architecture = metadata.text("general.architecture")?;
        let Some(family) = Family::of(architecture) else {
            let known = Family::ALL.map(Family::architecture).join(", ");
            return Err(Fault::Unsupported(format!(
                "architecture {architecture:?}; this engine runs {known}"
            )));
        };
        refuse_parts(metadata)?;
        let keys = Keys { family, metadata };
        let n_vocab = metadata
            .list("tokenizer.ggml.tokens", "an array of strings", |value| {
                value.to_string().ok().map(|_| ())
            })?
            .len();
        let n_embd = keys.count("embedding_length")?;
        let n_head = keys.count("attention.head_count")?;
        let dimensions = Self {
            family,
            n_vocab,
            n_embd,
            n_layer: keys.count("block_count")?,
            n_head,
            n_head_kv: keys
                .optional_count("attention.head_count_kv")?
                .unwrap_or(n_head),
            head_width: head_width(&keys, n_embd, n_head)?,
            n_ff: keys.count("feed_forward_length")?,
            n_ctx_train: keys.count("context_length")?,
            norm_epsilon: norm_epsilon(&keys)?,
            rotary_base: rotary_base(&keys)?,
            rotary_factor: rotary_factor(&keys)?,
        };
        dimensions.check(&keys)?;
        if keys
            .optional_count("expert_count")?
            .is_some_and(|experts| experts > 1)
        {
            return Err(Fault::Unsupported("a mixture of experts".to_owned()));
        }
        Ok(dimensions)
    }

    /// Values in all heads of queries together.
    pub(crate) fn query_width(&self) -> usize {
        self.n_head * self.head_width
    }

    /// Values in all heads of keys together; those of values are as many.
    pub(crate) fn kv_width(&self) -> usize {
        self.n_head_kv * self.head_width
    }

    fn check(&self, keys: &Keys<'_>) -> Result<(), Fault> {
        within("the vocabulary's size", self.n_vocab, MAX_VOCABULARY)?;
        let most = [
            ("embedding_length", self.n_embd, MAX_WIDTH),
            ("block_count", self.n_layer, MAX_LAYERS),
            ("attention.head_count", self.n_head, MAX_WIDTH),
            ("attention.head_count_kv", self.n_head_kv, self.n_head),
            ("attention.key_length", self.head_width, MAX_WIDTH),
            ("feed_forward_length", self.n_ff, MAX_WIDTH),
            ("context_length", self.n_ctx_train, u32::MAX as usize >> 1),
        ];
        for (key, value, most) in most {
            within(&keys.name(key), value, most)?;
        }
        within(
            "the width of all heads",
            self.n_head * self.head_width,
            MAX_WIDTH,
        )?;
        divides(
            "key-value heads do not divide the heads",
            self.n_head,
            self.n_head_kv,
        )?;
        if !self.head_width.is_multiple_of(2) {
            return Err(Fault::Unsupported(format!(
                "heads of odd width {}",
                self.head_width
            )));
        }
        Ok(())
    }
}

/// A model in several files is refused before its missing tensors are noticed one by one.
fn refuse_parts(metadata: Metadata<'_>) -> Result<(), Fault> {
    match metadata.optional_u32("split.count")? {
        Some(parts) if parts > 1 => Err(Fault::Unsupported(format!(
            "one of {parts} parts of a model; put them together with llama-gguf-split --merge"
        ))),
        _ => Ok(()),
    }
}

/// The width of a head: as the file says, else the model's width by its heads. The rotary embedding
/// and the values must have the same.
fn head_width(keys: &Keys<'_>, n_embd: usize, n_head: usize) -> Result<usize, Fault> {
    let head = match keys.optional_count("attention.key_length")? {
        Some(width) => width,
        None if n_head == 0 => {
            let name = keys.name("attention.head_count");
            return Err(Fault::Damaged(format!("{name} is 0")));
        }
        None => {
            divides("heads do not divide the width", n_embd, n_head)?;
            n_embd / n_head
        }
    };
    if let Some(length) = keys.optional_count("attention.value_length")?
        && length != head
    {
        let name = keys.name("attention.value_length");
        return Err(Fault::Unsupported(format!(
            "{name} of {length} where keys have {head}"
        )));
    }
    if let Some(rotated) = keys.optional_count("rope.dimension_count")?
        && rotated != head
    {
        return Err(Fault::Unsupported(format!(
            "rotary embedding over {rotated} of {head} values of a head"
        )));
    }
    Ok(head)
}

fn norm_epsilon(keys: &Keys<'_>) -> Result<f32, Fault> {
    let key = "attention.layer_norm_rms_epsilon";
    match keys.optional_f32(key)? {
        Some(epsilon) if (0.0..1.0).contains(&epsilon) => Ok(epsilon),
        Some(epsilon) => Err(Fault::Damaged(format!("{} is {epsilon}", keys.name(key)))),
        None => Err(Fault::Damaged(format!(
            "metadata key {} is missing",
            keys.name(key)
        ))),
    }
}

fn rotary_base(keys: &Keys<'_>) -> Result<f32, Fault> {
    let key = "rope.freq_base";
    match keys.optional_f32(key)? {
        Some(base) if !(base.is_finite() && base >= 1.0) => {
            Err(Fault::Damaged(format!("{} is {base}", keys.name(key))))
        }
        base => Ok(base.unwrap_or(10_000.0)),
    }
}

/// Linear scaling divides positions. Other kinds change more than that, and are refused.
fn rotary_factor(keys: &Keys<'_>) -> Result<f32, Fault> {
    let kind = keys
        .metadata
        .optional_text(&keys.name("rope.scaling.type"))?;
    let key = "rope.scaling.factor";
    match kind {
        None | Some("none") => Ok(1.0),
        Some("linear") => match keys.optional_f32(key)?.unwrap_or(1.0) {
            factor if factor.is_finite() && factor >= 1.0 => Ok(factor),
            factor => Err(Fault::Damaged(format!("{} is {factor}", keys.name(key)))),
        },
        Some(kind) => Err(Fault::Unsupported(format!("rotary scaling {kind:?}"))),
    }
}

fn within(what: &str, value: usize, most: usize) -> Result<(), Fault> {
    if (1..=most).contains(&value) {
        Ok(())
    } else {
        Err(Fault::Damaged(format!(
            "{what} is {value}, outside 1..={most}"
        )))
    }
}

fn divides(what: &str, whole: usize, part: usize) -> Result<(), Fault> {
    if part > 0 && whole.is_multiple_of(part) {
        Ok(())
    } else {
        Err(Fault::Damaged(format!("{what}: {whole} by {part}")))
    }
}
