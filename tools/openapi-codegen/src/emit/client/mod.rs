//! The client crate: progenitor's client of each API, and the methods of the one `Client`.

mod copy;
mod files;
mod stream;
mod wrapper;

pub use files::files;
