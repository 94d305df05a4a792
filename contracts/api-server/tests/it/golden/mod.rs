//! The golden cases of the generator, compiled, and what they do when they run. They stand with
//! the generator, which itself may depend on no crate of the product.

#[path = "../../../../../tools/openapi-codegen/tests/cases/mod.rs"]
#[rustfmt::skip]
mod cases;
mod client;
mod quirks;

pub(crate) use client::Client;
