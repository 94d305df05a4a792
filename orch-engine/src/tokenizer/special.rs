//! Cuts a text at the names of special tokens.

use super::{Kind, TokenId, Vocabulary};

/// A part of a text: still text, or already a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fragment<'a> {
    Text(&'a str),
    Token(TokenId),
}

/// Splits `text` at user-defined tokens and, if `parse_special`, at control tokens too. Longer names
/// win over shorter ones; empty parts are left out.
pub(crate) fn split<'a>(
    vocabulary: &Vocabulary,
    text: &'a str,
    parse_special: bool,
) -> Vec<Fragment<'a>> {
    let mut fragments = vec![Fragment::Text(text)];
    for &token in vocabulary.special() {
        let name = vocabulary.text(token);
        let wanted = parse_special || vocabulary.kind(token) == Kind::UserDefined;
        if wanted && text.contains(name) {
            fragments = fragments
                .into_iter()
                .flat_map(|fragment| cut(fragment, name, token))
                .collect();
        }
    }
    fragments.retain(|fragment| *fragment != Fragment::Text(""));
    fragments
}

fn cut<'a>(fragment: Fragment<'a>, name: &str, token: TokenId) -> Vec<Fragment<'a>> {
    let Fragment::Text(text) = fragment else {
        return vec![fragment];
    };
    let mut parts = Vec::new();
    for (i, part) in text.split(name).enumerate() {
        if i > 0 {
            parts.push(Fragment::Token(token));
        }
        parts.push(Fragment::Text(part));
    }
    parts
}
