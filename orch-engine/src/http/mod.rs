//! The llama.cpp dialect over HTTP.

mod apply_template;
mod completion;
mod info;
mod metrics;
mod openai;
mod reply;
mod request;
mod routes;
#[cfg(test)]
mod tests;
mod tokenize;

pub(crate) use routes::{App, MAX_BODY, router};
