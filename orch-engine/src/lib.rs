#![doc = include_str!("../README.md")]

mod decoder;
#[cfg(test)]
mod fixtures;
mod generation;
mod gguf;
mod holder;
mod http;
mod memory;
mod model;
mod options;
mod sampling;
mod server;
mod shutdown;
mod slot;
mod template;
mod threads;
mod tokenizer;
mod version;

pub use gguf::{ModelError, Source};
pub use model::{Model, ModelFile};
pub use options::Options;
pub use server::{Engine, EngineError, ServedModel, Settings};
pub use shutdown::shutdown_requested;
pub use threads::settle_library_environment;
pub use version::engine_version;
