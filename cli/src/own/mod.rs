//! A daemon for one run, with a model file that the user names.
//!
//! It is a child with a temporary data directory, and ends with this program in whatever way that ends: the
//! daemon reads its standard input to the end, and the pipe's other end is here.

mod config;
mod daemon;
mod file;
mod program;
mod ready;
mod speed;

pub(crate) use daemon::Daemon;
pub(crate) use file::{ModelFile, named_file};
pub(crate) use ready::wait_until_ready;
pub(crate) use speed::{CPU_ALONE, measured};
