//! A model file before it is a model: where its bytes are, what its header says, and every reason
//! to refuse it.
//!
//! Nothing here trusts the file. Whatever the loader relies on later (shapes, types, extents) is
//! checked first, so that a damaged file ends in a [`ModelError`] and never in a panic.

mod dimensions;
mod family;
mod fault;
mod header;
mod metadata;
mod source;
mod storage;
mod tensors;

pub use fault::ModelError;
pub use source::Source;

pub(crate) use dimensions::Dimensions;
pub(crate) use family::Family;
pub(crate) use fault::Fault;
pub(crate) use header::Header;
pub(crate) use metadata::Metadata;
pub(crate) use source::{FileVersion, ModelBytes};

#[cfg(test)]
mod tests;
