//! The rules of the contract that go beyond what the generator can translate.
//!
//! Each file holds the rules of one subject. Every fault names file, line and rule.

mod check;
mod codes;
mod directions;
mod examples;
mod names;
mod operations;
mod orphans;
mod recursion;
mod requirements;
mod security;
mod streams;
mod words;

use check::all_operations;
pub use check::check;
