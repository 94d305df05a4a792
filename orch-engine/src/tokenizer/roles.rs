//! Tokens with a role that a file may leave untold: they are known by their names, as llama.cpp
//! knows them.

use super::{Kind, TokenId};
use crate::gguf::{Fault, Metadata};

/// Names of tokens that end a turn or a text. Whoever writes them as ordinary tokens has made a
/// mistake: they are control tokens.
const ENDS: [&str; 14] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<\u{FF5C}end\u{2581}of\u{2581}sentence\u{FF5C}>",
];

/// Roles in filling a gap in a text: the keys that name their tokens, the names that tokens have
/// where there is no key, and whether such a token ends a text.
const GAP_FILLERS: [(&[&str], &[&str], bool); 6] = [
    (
        &["fim_pre_token_id", "prefix_token_id"],
        &[
            "<|fim_prefix|>",
            "<fim-prefix>",
            "<fim_prefix>",
            "<\u{FF5C}fim\u{2581}begin\u{FF5C}>",
            "<PRE>",
            "\u{2581}<PRE>",
        ],
        false,
    ),
    (
        &["fim_suf_token_id", "suffix_token_id"],
        &[
            "<|fim_suffix|>",
            "<fim-suffix>",
            "<fim_suffix>",
            "<\u{FF5C}fim\u{2581}hole\u{FF5C}>",
            "<SUF>",
            "\u{2581}<SUF>",
        ],
        false,
    ),
    (
        &["fim_mid_token_id", "middle_token_id"],
        &[
            "<|fim_middle|>",
            "<fim-middle>",
            "<fim_middle>",
            "<\u{FF5C}fim\u{2581}end\u{FF5C}>",
            "<MID>",
            "\u{2581}<MID>",
        ],
        false,
    ),
    (
        &["fim_pad_token_id"],
        &["<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>"],
        true,
    ),
    (
        &["fim_rep_token_id"],
        &[
            "<|fim_repo|>",
            "<|repo_name|>",
            "<fim-repo>",
            "<REPO>",
            "<reponame>",
        ],
        true,
    ),
    (&["fim_sep_token_id"], &["<|file_sep|>"], true),
];

/// The id under a key of `tokenizer.ggml`, if it is there.
pub(super) fn token(
    metadata: Metadata<'_>,
    key: &str,
    n_vocab: usize,
) -> Result<Option<TokenId>, Fault> {
    let key = format!("tokenizer.ggml.{key}");
    match metadata.optional_u32(&key)? {
        Some(id) if id as usize >= n_vocab => {
            Err(Fault::Damaged(format!("{key} {id} is no token")))
        }
        id => Ok(id),
    }
}

/// Finds every token that ends a text, in ascending order, and makes control tokens of those that are
/// so by their names.
pub(super) fn ends(
    metadata: Metadata<'_>,
    texts: &[String],
    kinds: &mut [Kind],
    eos: Option<TokenId>,
) -> Result<Vec<TokenId>, Fault> {
    let mut ends: Vec<TokenId> = eos.into_iter().collect();
    for key in ["eot_token_id", "eom_token_id"] {
        ends.extend(token(metadata, key, texts.len())?);
    }
    let mut by_name = |names: &[&str]| -> Vec<TokenId> {
        let found = (0..)
            .zip(texts)
            .filter(|(_, text)| names.contains(&text.as_str()));
        let found: Vec<TokenId> = found.map(|(id, _)| id).collect();
        for &id in &found {
            kinds[id as usize] = Kind::Control;
        }
        found
    };
    ends.extend(by_name(&ENDS));
    for (keys, names, is_end) in GAP_FILLERS {
        let mut told = Vec::new();
        for key in keys {
            told.extend(token(metadata, key, texts.len())?);
        }
        if told.is_empty() {
            told = by_name(names);
        }
        if is_end {
            ends.append(&mut told);
        }
    }
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
}
