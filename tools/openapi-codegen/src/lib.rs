//! Generates types, server traits and client from the OpenAPI contract.
//!
//! The way of a contract through this crate, in order:
//!
//! 1. [`yaml`] reads the files into trees whose nodes know file and line;
//! 2. [`bundle`] joins the files of each API into one document;
//! 3. [`model`] reads what the document says, strictly: a construct that is not understood is a
//!    fault with its place, never a loose value;
//! 4. [`lint`] checks the rules of the house;
//! 5. [`emit`] writes types, server, client and the published bundles;
//! 6. [`output`] writes the files, or compares them with those that are there.
//!
//! Nothing here depends on a crate of the product, so that the generator runs on a broken tree.

pub mod bundle;
pub mod contract;
pub mod emit;
pub mod fault;
pub mod lint;
pub mod model;
mod naming;
pub mod output;
pub mod reach;
pub mod request_schema;
pub mod yaml;
