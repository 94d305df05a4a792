//! The simulator holds over a thousand seeds, and finds every bug that is planted in it.
#![allow(clippy::unwrap_used)]

mod conformance;
mod output;
mod planted;
mod seeds;
