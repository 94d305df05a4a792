//! `GET /metrics`: counters and gauges in Prometheus' text format, under llama.cpp's names.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::App;

pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let totals = app.slot.totals();
    let processing = u64::from(app.slot.running().is_some());
    let deferred = app.slot.waiting() as u64;
    let mut text = String::new();
    let mut line = |name: &str, kind: &str, help: &str, value: f64| {
        _ = write!(
            text,
            "# HELP llamacpp:{name} {help}\n# TYPE llamacpp:{name} {kind}\nllamacpp:{name} {value}\n"
        );
    };
    let mut counter = |name, help, value: f64| line(name, "counter", help, value);
    counter(
        "prompt_tokens_total",
        "Prompt tokens read.",
        totals.prompt_tokens as f64,
    );
    counter(
        "prompt_seconds_total",
        "Time spent reading prompts.",
        totals.prompt_time.as_secs_f64(),
    );
    counter(
        "tokens_predicted_total",
        "Tokens generated.",
        totals.predicted_tokens as f64,
    );
    counter(
        "tokens_predicted_seconds_total",
        "Time spent generating, the throttle's included.",
        totals.predict_time.as_secs_f64(),
    );
    counter(
        "n_decode_total",
        "Calls of the model that predicted a token.",
        totals.decodes as f64,
    );
    counter(
        "n_tokens_max",
        "Most tokens that prompt and reply of one request had together.",
        totals.longest as f64,
    );
    let mut gauge = |name, help, value: f64| line(name, "gauge", help, value);
    gauge(
        "prompt_tokens_seconds",
        "Prompt tokens read a second, on average.",
        rate(totals.prompt_tokens, totals.prompt_time),
    );
    gauge(
        "predicted_tokens_seconds",
        "Tokens generated a second, on average.",
        rate(totals.predicted_tokens, totals.predict_time),
    );
    gauge(
        "requests_processing",
        "Requests in the slot.",
        processing as f64,
    );
    gauge("requests_deferred", "Requests in line.", deferred as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

fn rate(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        0.0
    } else {
        count as f64 / time.as_secs_f64()
    }
}
