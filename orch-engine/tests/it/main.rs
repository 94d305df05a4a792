//! The engine as its users see it: a process, a port, and the llama.cpp dialect.

#![allow(clippy::unwrap_used)]

mod completion;
mod determinism;
mod engine;
mod haiku;
mod information;
mod leaving;
mod llama_server;
mod model_files;
mod openai;
mod openai_client;
mod refusals;
mod several_models;
mod throttle;
