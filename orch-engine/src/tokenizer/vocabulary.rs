//! The vocabulary of a model file: every token's text and kind, and the scheme that makes tokens of a
//! text.

use std::borrow::Cow;
use std::collections::HashMap;

use super::bpe::BytePairs;
use super::spm::{BLANK, SentencePiece};
use super::{Kind, TokenId, alphabet, kind, roles};
use crate::gguf::{Fault, Metadata};

/// The name of SentencePiece in `tokenizer.ggml.model`.
const SENTENCE_PIECE: &str = "llama";
/// The name of byte-level byte-pair encoding there.
const BYTE_PAIRS: &str = "gpt2";

/// The vocabulary of a model file.
pub(crate) struct Vocabulary {
    texts: Vec<String>,
    kinds: Vec<Kind>,
    by_text: HashMap<String, TokenId>,
    bos: Option<TokenId>,
    eos: Option<TokenId>,
    ends: Vec<TokenId>,
    adds_bos: bool,
    adds_eos: bool,
    /// Control, unknown and user-defined tokens, longest text first.
    special: Vec<TokenId>,
    scheme: Scheme,
}

/// How a text becomes tokens.
pub(super) enum Scheme {
    SentencePiece(SentencePiece),
    BytePairs(BytePairs),
}

impl Vocabulary {
    pub(crate) fn read(metadata: Metadata<'_>) -> Result<Self, Fault> {
        let model = metadata.text("tokenizer.ggml.model")?;
        let is_pieces = match model {
            SENTENCE_PIECE => true,
            BYTE_PAIRS => false,
            _ => {
                return Err(Fault::Unsupported(format!(
                    "tokenizer {model:?}; this engine has {SENTENCE_PIECE:?} (SentencePiece) and \
                     {BYTE_PAIRS:?} (byte-level BPE)"
                )));
            }
        };
        let texts = read_texts(metadata)?;
        let mut kinds = kind::read(metadata, &texts)?;
        let token = |key: &str, default: Option<TokenId>| {
            let there = default.filter(|&id| (id as usize) < texts.len());
            Ok(roles::token(metadata, key, texts.len())?.or(there))
        };
        // What older files of the llama family leave out.
        let (bos, eos, unknown) = if is_pieces {
            (Some(1), Some(2), Some(0))
        } else {
            (None, None, None)
        };
        let bos = token("bos_token_id", bos)?;
        let eos = token("eos_token_id", eos)?;
        let unknown = token("unknown_token_id", unknown)?;
        let ends = roles::ends(metadata, &texts, &mut kinds, eos)?;
        let scheme = if is_pieces {
            let pieces = SentencePiece::read(metadata, &kinds, unknown.unwrap_or(0))?;
            Scheme::SentencePiece(pieces)
        } else {
            Scheme::BytePairs(BytePairs::read(metadata)?)
        };
        let adds_bos_by_default = match &scheme {
            Scheme::SentencePiece(_) => true,
            Scheme::BytePairs(pairs) => pairs.adds_bos(),
        };
        let vocabulary = Self {
            by_text: texts.iter().cloned().zip(0..).collect(),
            special: special_tokens(&texts, &kinds),
            bos,
            eos,
            ends,
            adds_bos: metadata
                .optional_bool("tokenizer.ggml.add_bos_token")?
                .unwrap_or(adds_bos_by_default),
            adds_eos: metadata
                .optional_bool("tokenizer.ggml.add_eos_token")?
                .unwrap_or(false),
            texts,
            kinds,
            scheme,
        };
        vocabulary.check_added()?;
        Ok(vocabulary)
    }

    /// What is to be added must be there.
    fn check_added(&self) -> Result<(), Fault> {
        let missing = match (self.adds_bos, self.bos, self.adds_eos, self.eos) {
            (true, None, _, _) => "begins with a begin token, and tokenizer.ggml.bos_token_id",
            (_, _, true, None) => "ends with an end token, and tokenizer.ggml.eos_token_id",
            _ => return Ok(()),
        };
        Err(Fault::Damaged(format!("a prompt {missing} is missing")))
    }

    /// The number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn text(&self, token: TokenId) -> &str {
        &self.texts[token as usize]
    }

    pub(crate) fn kind(&self, token: TokenId) -> Kind {
        self.kinds[token as usize]
    }

    pub(crate) fn lookup(&self, text: &str) -> Option<TokenId> {
        self.by_text.get(text).copied()
    }

    pub(crate) fn special(&self) -> &[TokenId] {
        &self.special
    }

    pub(super) fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// llama.cpp's number for the scheme, in `/v1/models`.
    pub(crate) fn scheme_number(&self) -> u32 {
        match self.scheme {
            Scheme::SentencePiece(_) => 1,
            Scheme::BytePairs(_) => 2,
        }
    }

    /// The begin token's name; empty if there is none.
    pub(crate) fn bos_text(&self) -> &str {
        self.bos.map_or("", |token| self.text(token))
    }

    /// The end token's name; empty if there is none.
    pub(crate) fn eos_text(&self) -> &str {
        self.eos.map_or("", |token| self.text(token))
    }

    /// The token that every prompt begins with, if the model was trained so.
    pub(crate) fn added_bos(&self) -> Option<TokenId> {
        self.bos.filter(|_| self.adds_bos)
    }

    pub(crate) fn added_eos(&self) -> Option<TokenId> {
        self.eos.filter(|_| self.adds_eos)
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
            Kind::Normal => Cow::Owned(match self.scheme {
                Scheme::SentencePiece(_) => text.replace(BLANK, " ").into_bytes(),
                Scheme::BytePairs(_) => spelt_out(text),
            }),
            Kind::UserDefined => Cow::Borrowed(text.as_bytes()),
            Kind::Byte(byte) => Cow::Owned(vec![byte]),
            Kind::Control | Kind::Unknown if with_special => Cow::Borrowed(text.as_bytes()),
            Kind::Control | Kind::Unknown | Kind::Unused => Cow::Borrowed(&[]),
        }
    }
}

/// The bytes that a token of the byte alphabet writes. A character that is not of the alphabet stands
/// for itself.
fn spelt_out(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match alphabet::byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

/// The texts of all tokens. One without a text is given a name, so that no two are the same.
fn read_texts(metadata: Metadata<'_>) -> Result<Vec<String>, Fault> {
    let texts = metadata.list("tokenizer.ggml.tokens", "an array of strings", |value| {
        value.to_string().ok().cloned()
    })?;
    let named = |(i, text): (usize, String)| match text.as_str() {
        "" => format!("[EMPTY_{i}]"),
        _ => text,
    };
    Ok(texts.into_iter().enumerate().map(named).collect())
}

fn special_tokens(texts: &[String], kinds: &[Kind]) -> Vec<TokenId> {
    let mut special: Vec<TokenId> = (0..)
        .zip(kinds)
        .filter(|(_, kind)| matches!(kind, Kind::Control | Kind::Unknown | Kind::UserDefined))
        .map(|(id, _)| id)
        .collect();
    special.sort_by_key(|&id| (std::cmp::Reverse(texts[id as usize].len()), id));
    special
}
