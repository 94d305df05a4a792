//! Wire types of the HTTP contract, shared by server and client.
//!
//! The types are generated from `contracts/openapi`; what they lean on is written by hand in
//! [`support`]. Three rules hold for all of them:
//!
//! - Requests are closed: reading refuses an unknown field, `null` where the contract does not
//!   say `nullable`, and any UUID that is not in hyphenated form. Ranges, lengths and patterns
//!   are checked by [`support::Validate::validate`].
//! - Replies are tolerant: unknown fields are ignored, and extensible enumerations, unions and
//!   events have an `Unknown` arm that reads anything and writes it back unchanged.
//! - An `Unknown` arm cannot be built in code, only read, so a server emits listed values only.

#[rustfmt::skip]
#[allow(missing_docs, reason = "the contract describes; a field that refers to a schema has its words")]
mod generated;
pub mod support;

pub use generated::*;
