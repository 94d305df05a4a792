//! `cargo xtask engines`: real parts that others made, for the tests that need them.
//!
//! They lie in a cache folder that all checkouts of one user share. `place` says where, for the tests too.

mod clients;
mod llamacpp;
mod lock;
mod place;
#[cfg(test)]
mod tests;
mod verb;
mod workshop;

pub(crate) use place::REQUIRE_VAR;
pub(crate) use verb::{engines, survey};
