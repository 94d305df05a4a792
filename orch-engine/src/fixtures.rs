//! The recorded fixtures: small models with random weights, and what a real llama-server made of them.
//! `tools/engine-fixtures` has made them all.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use crate::gguf::Source;

/// The models that there are.
pub(crate) const MODELS: [&str; 4] = ["llama-bpe", "llama-spm", "qwen2-bpe", "qwen3-bpe"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A model file.
pub(crate) fn model(name: &str) -> Source {
    Source::file(path(&format!("{name}.gguf")))
}

/// The bytes of a model file.
pub(crate) fn model_bytes(name: &str) -> Vec<u8> {
    std::fs::read(path(&format!("{name}.gguf"))).unwrap()
}

/// The text of a recording.
pub(crate) fn recording(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}
