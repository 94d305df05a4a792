//! From the command line to an accepted task.

mod flags;
mod prompt;
mod submit;

pub(crate) use flags::{NewTask, TaskFlags, one_of};
pub(crate) use submit::{Accepted, submit, submit_batch};
