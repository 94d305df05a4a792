//! `cargo xtask tidy`: the house rules as a test.
//!
//! Every rule reads the same [`house::House`] and answers with findings, each of which says where, what
//! and what to do instead. What the house tolerates on purpose lies in golden tables beside this crate;
//! `--bless` rewrites those, and a diff of them is a decision to review. Walls cannot be blessed.

mod cargo_facts;
mod finding;
mod golden;
mod house;
mod manifest;
mod rules;
mod source;
mod tree;
mod verb;

pub(crate) use verb::{check, tidy};
