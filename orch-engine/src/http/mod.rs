//! The llama.cpp dialect over HTTP.

mod app;
mod apply_template;
mod completion;
mod info;
mod metrics;
mod models;
mod openai;
mod reply;
mod request;
mod routes;
#[cfg(test)]
mod tests;
mod tokenize;

pub(crate) use app::App;
pub(crate) use routes::{MAX_BODY, router};
