//! Text to token ids and back, as the model file's own vocabulary says.
//!
//! The scheme is SentencePiece with byte fallback (`tokenizer.ggml.model = "llama"`), and the ids
//! are those that llama.cpp gives for the same text.

mod encoding;
mod special;
mod spm;
#[cfg(test)]
mod tests;
mod text_stream;
mod vocabulary;

pub(crate) use encoding::{Encoding, TokenId};
pub(crate) use text_stream::TextStream;
pub(crate) use vocabulary::Vocabulary;
