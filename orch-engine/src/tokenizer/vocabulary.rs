//! The vocabulary of a model file: every token's text, rank and kind.

use std::borrow::Cow;
use std::collections::HashMap;

use candle_core::quantized::gguf_file::Value;

use super::TokenId;
use crate::gguf::{Fault, Metadata};

/// How SentencePiece writes a blank.
pub(crate) const BLANK: &str = "\u{2581}";
/// The tokenizer that is supported, by its name in `tokenizer.ggml.model`.
const SENTENCE_PIECE: &str = "llama";
/// Names by which llama.cpp knows further tokens that end a turn, where no metadata key says so.
const END_OF_TURN_NAMES: [&str; 6] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "<EOT>",
];

/// What a token is for, with the number that GGUF has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte(u8),
}

/// The vocabulary of a model file.
pub(crate) struct Vocabulary {
    texts: Vec<String>,
    scores: Vec<f32>,
    kinds: Vec<Kind>,
    by_text: HashMap<String, TokenId>,
    byte_tokens: Vec<TokenId>,
    bos: TokenId,
    eos: TokenId,
    ends: Vec<TokenId>,
    adds_bos: bool,
    adds_eos: bool,
    adds_space_prefix: bool,
    /// Control, unknown and user-defined tokens, longest text first.
    special: Vec<TokenId>,
}

impl Vocabulary {
    pub(crate) fn read(metadata: Metadata<'_>) -> Result<Self, Fault> {
        let model = metadata.text("tokenizer.ggml.model")?;
        if model != SENTENCE_PIECE {
            return Err(Fault::Unsupported(format!(
                "tokenizer {model:?}; this engine has {SENTENCE_PIECE:?} (SentencePiece)"
            )));
        }
        let texts = metadata.list("tokenizer.ggml.tokens", "an array of strings", |value| {
            value.to_string().ok().cloned()
        })?;
        let scores = metadata.list("tokenizer.ggml.scores", "an array of f32", |value| {
            // Adding zero turns -0.0 into 0.0, so that equal ranks compare as equal.
            value
                .to_f32()
                .ok()
                .filter(|s| s.is_finite())
                .map(|s| s + 0.0)
        })?;
        let kinds = read_kinds(metadata, &texts)?;
        if scores.len() != texts.len() || kinds.len() != texts.len() {
            return Err(Fault::Damaged(format!(
                "{} tokens with {} scores and {} types",
                texts.len(),
                scores.len(),
                kinds.len()
            )));
        }
        let token = |key: &str, default: TokenId| {
            let id = metadata.optional_u32(key)?.unwrap_or(default);
            if (id as usize) < texts.len() {
                Ok(id)
            } else {
                Err(Fault::Damaged(format!("{key} {id} is no token")))
            }
        };
        // The defaults are those of the llama family, whose older files leave the keys out.
        let unknown = token("tokenizer.ggml.unknown_token_id", 0)?;
        let bos = token("tokenizer.ggml.bos_token_id", 1)?;
        let eos = token("tokenizer.ggml.eos_token_id", 2)?;
        let mut ends = vec![eos];
        for key in ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"] {
            ends.push(token(key, eos)?);
        }
        let flag = |key: &str, default: bool| Ok(metadata.optional_bool(key)?.unwrap_or(default));
        let mut vocabulary = Self {
            by_text: texts.iter().cloned().zip(0..).collect(),
            byte_tokens: byte_tokens(&kinds, unknown),
            special: special_tokens(&texts, &kinds),
            texts,
            scores,
            kinds,
            bos,
            eos,
            ends,
            adds_bos: flag("tokenizer.ggml.add_bos_token", true)?,
            adds_eos: flag("tokenizer.ggml.add_eos_token", false)?,
            adds_space_prefix: flag("tokenizer.ggml.add_space_prefix", true)?,
        };
        vocabulary.add_named_ends();
        Ok(vocabulary)
    }

    fn add_named_ends(&mut self) {
        let named = END_OF_TURN_NAMES.iter().filter_map(|name| {
            let id = *self.by_text.get(*name)?;
            (self.kinds[id as usize] == Kind::Control).then_some(id)
        });
        let mut ends: Vec<TokenId> = self.ends.iter().copied().chain(named).collect();
        ends.sort_unstable();
        ends.dedup();
        self.ends = ends;
    }

    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn text(&self, token: TokenId) -> &str {
        &self.texts[token as usize]
    }

    pub(crate) fn score(&self, token: TokenId) -> f32 {
        self.scores[token as usize]
    }

    pub(crate) fn kind(&self, token: TokenId) -> Kind {
        self.kinds[token as usize]
    }

    pub(crate) fn lookup(&self, text: &str) -> Option<TokenId> {
        self.by_text.get(text).copied()
    }

    /// The token of a byte that no other token covers.
    pub(crate) fn byte_token(&self, byte: u8) -> TokenId {
        self.byte_tokens[usize::from(byte)]
    }

    pub(crate) fn special(&self) -> &[TokenId] {
        &self.special
    }

    pub(crate) fn bos_text(&self) -> &str {
        self.text(self.bos)
    }

    pub(crate) fn eos_text(&self) -> &str {
        self.text(self.eos)
    }

    /// The token that every prompt begins with, if the model was trained so.
    pub(crate) fn added_bos(&self) -> Option<TokenId> {
        self.adds_bos.then_some(self.bos)
    }

    pub(crate) fn added_eos(&self) -> Option<TokenId> {
        self.adds_eos.then_some(self.eos)
    }

    pub(crate) fn adds_space_prefix(&self) -> bool {
        self.adds_space_prefix
    }

    /// Every token that ends a generation, in ascending order.
    pub(crate) fn ends(&self) -> &[TokenId] {
        &self.ends
    }

    /// The bytes that a token stands for in a text. Control tokens stand for none, unless
    /// `with_special` asks for their names.
    pub(crate) fn piece(&self, token: TokenId, with_special: bool) -> Cow<'_, [u8]> {
        let text = self.text(token);
        match self.kind(token) {
            Kind::Normal => Cow::Owned(text.replace(BLANK, " ").into_bytes()),
            Kind::UserDefined => Cow::Borrowed(text.as_bytes()),
            Kind::Byte(byte) => Cow::Owned(vec![byte]),
            Kind::Control | Kind::Unknown if with_special => Cow::Borrowed(text.as_bytes()),
            Kind::Control | Kind::Unknown | Kind::Unused => Cow::Borrowed(&[]),
        }
    }
}

fn read_kinds(metadata: Metadata<'_>, texts: &[String]) -> Result<Vec<Kind>, Fault> {
    let key = "tokenizer.ggml.token_type";
    let numbers = metadata.list(key, "an array of integers", |value| match value {
        Value::I32(number) => Some(*number),
        Value::U32(number) => i32::try_from(*number).ok(),
        _ => None,
    })?;
    numbers
        .iter()
        .zip(texts)
        .map(|(number, text)| match number {
            1 => Ok(Kind::Normal),
            2 => Ok(Kind::Unknown),
            3 => Ok(Kind::Control),
            4 => Ok(Kind::UserDefined),
            5 => Ok(Kind::Unused),
            6 => byte_of(text)
                .map(Kind::Byte)
                .ok_or_else(|| Fault::Damaged(format!("byte token {text:?} is no <0xHH>"))),
            other => Err(Fault::Damaged(format!("{key} holds {other}"))),
        })
        .collect()
}

/// The byte that `<0x0A>` and the like name.
fn byte_of(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}

fn byte_tokens(kinds: &[Kind], unknown: TokenId) -> Vec<TokenId> {
    let mut tokens = vec![unknown; 256];
    for (kind, id) in kinds.iter().zip(0..) {
        if let Kind::Byte(byte) = kind {
            tokens[usize::from(*byte)] = id;
        }
    }
    tokens
}

fn special_tokens(texts: &[String], kinds: &[Kind]) -> Vec<TokenId> {
    let mut special: Vec<TokenId> = (0..)
        .zip(kinds)
        .filter(|(_, kind)| matches!(kind, Kind::Control | Kind::Unknown | Kind::UserDefined))
        .map(|(id, _)| id)
        .filter(|&id: &TokenId| !texts[id as usize].is_empty())
        .collect();
    special.sort_by_key(|&id| (std::cmp::Reverse(texts[id as usize].len()), id));
    special
}
