//! Choosing the next token.

mod chain;
mod settings;
#[cfg(test)]
mod tests;

pub(crate) use chain::Sampler;
pub(crate) use settings::Sampling;
