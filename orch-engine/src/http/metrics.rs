//! `GET /metrics`: counters and gauges in Prometheus' text format, under llama.cpp's names where it
//! has them.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::App;
use crate::slot::Totals;

/// A name, what it is, and its value.
type Metric = (&'static str, &'static str, f64);

pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let totals = app.slot.totals();
    let mut text = String::new();
    let counters = generated(&totals).into_iter().chain(loaded(&app));
    let counters = counters.map(|metric| ("counter", metric));
    let gauges = now(&app, &totals).map(|metric| ("gauge", metric));
    for (kind, (name, help, value)) in counters.chain(gauges) {
        _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"
        );
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

fn generated(totals: &Totals) -> [Metric; 6] {
    [
        (
            "llamacpp:prompt_tokens_total",
            "Prompt tokens read.",
            totals.prompt_tokens as f64,
        ),
        (
            "llamacpp:prompt_seconds_total",
            "Time spent reading prompts.",
            totals.prompt_time.as_secs_f64(),
        ),
        (
            "llamacpp:tokens_predicted_total",
            "Tokens generated.",
            totals.predicted_tokens as f64,
        ),
        (
            "llamacpp:tokens_predicted_seconds_total",
            "Time spent generating, the throttle's included.",
            totals.predict_time.as_secs_f64(),
        ),
        (
            "llamacpp:n_decode_total",
            "Calls of the model that predicted a token.",
            totals.decodes as f64,
        ),
        (
            "llamacpp:n_tokens_max",
            "Most tokens that prompt and reply of one request had together.",
            totals.longest as f64,
        ),
    ]
}

fn loaded(app: &App) -> [Metric; 2] {
    let loads = app.holder.loads();
    [
        (
            "orch_engine:model_loads_total",
            "Models loaded: the first, and each change.",
            loads.count as f64,
        ),
        (
            "orch_engine:model_load_seconds_total",
            "Time spent loading models, failures included.",
            loads.time.as_secs_f64(),
        ),
    ]
}

fn now(app: &App, totals: &Totals) -> [Metric; 4] {
    let processing = u64::from(app.slot.running().is_some());
    let deferred = (app.holder.waiting() + app.slot.waiting()) as u64;
    [
        (
            "llamacpp:prompt_tokens_seconds",
            "Prompt tokens read a second, on average.",
            rate(totals.prompt_tokens, totals.prompt_time),
        ),
        (
            "llamacpp:predicted_tokens_seconds",
            "Tokens generated a second, on average.",
            rate(totals.predicted_tokens, totals.predict_time),
        ),
        (
            "llamacpp:requests_processing",
            "Requests in the slot.",
            processing as f64,
        ),
        (
            "llamacpp:requests_deferred",
            "Requests in line.",
            deferred as f64,
        ),
    ]
}

fn rate(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        0.0
    } else {
        count as f64 / time.as_secs_f64()
    }
}
