//! Clients: each thing that one wants is an errand, which goes on until it has a definite answer.

mod convert;
mod errand;
mod hear;
mod operate;
mod reading;
mod send;
mod wish;

pub(crate) use convert::{outcome, record, state};
pub(crate) use errand::{Aim, Errand, Message, New, Question};
pub(crate) use send::Task;
