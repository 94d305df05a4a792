//! The generator, held to golden cases, to faults that it must name, and to the real contract.
#![allow(clippy::unwrap_used)]

mod faults;
mod golden;
mod layout;
mod mutations;
