//! The server crate: one module for each tag, with its trait, parameters, replies and router.

mod files;
mod input;
mod operation;
mod params;
mod problem;
mod reply;
mod router;
mod tag;

pub use files::files;
