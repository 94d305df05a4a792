//! The paths of the OpenAI dialect, as llama.cpp answers them.

pub(crate) mod chat;
pub(crate) mod completions;
mod reply;
