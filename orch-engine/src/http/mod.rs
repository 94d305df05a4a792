//! The llama.cpp dialect over HTTP.

mod apply_template;
mod completion;
mod error;
mod fields;
mod frames;
mod info;
mod metrics;
mod routes;
mod sampling_fields;
#[cfg(test)]
mod tests;
mod tokenize;

pub(crate) use routes::{App, router};
