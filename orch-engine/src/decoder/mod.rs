//! The arithmetic: weights in memory, and one pass of tokens through them.
//!
//! The tensor library computes (quantised products, norms, rotations, softmax); what is here says in
//! which order. One decoder serves all families: [`Family`](crate::gguf::Family) has what differs.
//! Nothing is tied to a length: positions are rotated when they are reached, and the cache grows.

mod attention;
mod cache;
mod layer;
mod load;
mod pass;
mod rotary;
#[cfg(test)]
mod tests;

pub(crate) use cache::Cache;
pub(crate) use load::load;
pub(crate) use pass::Decoder;
