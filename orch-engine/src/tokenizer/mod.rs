//! Text to token ids and back, as the model file's own vocabulary says.
//!
//! There are two schemes. SentencePiece (`tokenizer.ggml.model = "llama"`) merges characters by the
//! scores of the tokens that come out, and byte-level BPE (`"gpt2"`) merges the bytes of each word by
//! a list of merges. The ids are those that llama.cpp gives for the same text.

mod alphabet;
mod bpe;
mod encoding;
mod kind;
mod merging;
#[cfg(test)]
mod recorded;
mod roles;
mod special;
mod split;
mod spm;
#[cfg(test)]
mod tests;
mod text_stream;
mod vocabulary;

pub(crate) use encoding::{Encoding, TokenId};
pub(crate) use kind::Kind;
pub(crate) use text_stream::TextStream;
pub(crate) use vocabulary::Vocabulary;
