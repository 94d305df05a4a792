//! The configuration of a daemon for one run.

use std::{path::Path, thread};

use serde::Serialize;

use crate::error::Failure;

/// Name of its only pool.
pub(super) const POOL: &str = "default";

/// Most threads that the configuration takes.
const THREADS_MAX: usize = 256;

const HOUR_MS: u64 = 3_600_000;

#[derive(Serialize)]
struct Config<'a> {
    server: Server,
    pool: [Pool<'a>; 1],
}

#[derive(Serialize)]
struct Server {
    listen: &'static str,
    log: &'static str,
}

/// Whoever waits sees how it goes and has Ctrl-C, so that the limits of time are as long as they can be: a big
/// model on a slow machine is slow, and not broken.
#[derive(Serialize)]
struct Pool<'a> {
    id: &'static str,
    model_file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx_size: Option<u32>,
    threads: usize,
    ready_timeout_ms: u64,
    restarts_max: u32,
    first_token_timeout_ms: u64,
    idle_timeout_ms: u64,
    wall_timeout_ms: u64,
}

/// Threads that the engine computes with: as many as this process may use at once.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, |threads| threads.get().min(THREADS_MAX))
}

/// The configuration as TOML: one pool, which gives up at the engine's first failure.
///
/// # Errors
///
/// If the path cannot be written in a configuration.
pub(super) fn text(model: &Path, ctx_size: Option<u32>) -> Result<String, Failure> {
    let model_file = model.to_str().ok_or_else(|| Failure::NoModelFile {
        detail: format!(
            "{}: the path is no UTF-8, which a configuration has to be",
            model.display()
        ),
    })?;
    let config = Config {
        server: Server {
            listen: "127.0.0.1:0",
            log: "warn",
        },
        pool: [Pool {
            id: POOL,
            model_file,
            ctx_size,
            threads: threads(),
            ready_timeout_ms: HOUR_MS,
            restarts_max: 0,
            first_token_timeout_ms: HOUR_MS,
            idle_timeout_ms: HOUR_MS,
            wall_timeout_ms: 24 * HOUR_MS,
        }],
    };
    Ok(toml::to_string(&config).expect("names, texts and small numbers can be written as TOML"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_path_is_quoted_and_a_context_that_nobody_chose_is_left_to_the_model() {
        let text = text(Path::new("a \"b\"\\c.gguf"), None).unwrap();
        let read: toml::Table = text.parse().unwrap();
        let pool = read["pool"][0].as_table().unwrap();
        assert_eq!(pool["model_file"].as_str(), Some("a \"b\"\\c.gguf"));
        assert!(!pool.contains_key("ctx_size"), "{text}");
        assert!(pool["threads"].as_integer().unwrap() >= 1);
    }
}
