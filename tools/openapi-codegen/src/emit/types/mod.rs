//! The types crate: one module for each source file, flattened by re-exports.

mod check;
mod enumeration;
mod event;
mod files;
mod object;
mod rust_type;
mod union;

pub(super) use check::checks;
pub(super) use files::allowances;
pub use files::files;
pub(super) use rust_type::rust_type;
