//! What needs no running engine: the answers while a model is being loaded, and the documentation.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::request::{Field, MESSAGES, MODEL, SAMPLING};
use super::{App, completion, openai, router, tokenize};

fn loading() -> Arc<App> {
    Arc::new(App {
        aliases: vec!["model".to_owned()],
        created: 0,
        engine_version: "test".to_owned(),
        holder: Arc::default(),
        slot: Arc::default(),
    })
}

#[tokio::test]
async fn while_the_model_is_loaded_everything_is_unavailable() {
    let messages = r#"{"messages":[]}"#;
    for (method, path, body) in [
        ("GET", "/health", ""),
        ("GET", "/props", ""),
        ("GET", "/slots", ""),
        ("GET", "/v1/models", ""),
        ("POST", "/completion", r#"{"prompt":"a"}"#),
        ("POST", "/apply-template", messages),
        ("POST", "/v1/completions", r#"{"prompt":"a"}"#),
        ("POST", "/v1/chat/completions", messages),
        ("POST", "/tokenize", r#"{"content":"a"}"#),
        ("POST", "/detokenize", r#"{"tokens":[]}"#),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(Body::from(body))
            .unwrap();
        let reply = router(loading()).oneshot(request).await.unwrap();
        assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(
            body, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            "{path}"
        );
    }
}

/// The README's tables list the fields that are served, in order, with what each takes.
#[test]
fn the_documented_fields_are_the_served_ones() {
    let readme = include_str!("../../README.md");
    let documented: Vec<(&str, &str)> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once("` | "))
        .filter_map(|(name, rest)| Some((name, rest.split_once(" | ")?.0)))
        .filter(|(name, _)| !name.starts_with(['-', 'G', 'P']))
        .collect();
    let tables: [&[Field]; 8] = [
        &MODEL,
        &completion::FIELDS,
        &SAMPLING,
        &openai::completions::FIELDS,
        &openai::chat::FIELDS,
        &MESSAGES,
        &tokenize::FIELDS,
        &tokenize::DETOKENIZE_FIELDS,
    ];
    let served: Vec<(&str, &str)> = tables
        .iter()
        .flat_map(|table| table.iter().map(|field| (field.name, field.accepts)))
        .collect();
    assert_eq!(documented, served);
}
