//! What one task cost, from the record, the stream and the metrics.

use std::time::{Duration, Instant};

use api_client::Client;
use api_client::types::Task;

use super::page::{Page, Tone};
use crate::exposition::{Exposition, NotMetrics};
use crate::haiku::{LINES_LEAST, Theme, Verdict};
use crate::wait::{InVain, until};
use crate::watch::Story;

/// Counter of tokens that were generated.
const TOKENS_OUT: &str = "tokens_out_total";

/// Tokens generated so far, by the metrics.
pub(super) async fn tokens_out(client: &Client) -> Result<f64, NotMetrics> {
    let text = client.metrics_get().await;
    let text = text.map_err(|error| NotMetrics {
        line: error.to_string(),
    })?;
    Ok(Exposition::parse(&text)?.sum(TOKENS_OUT))
}

/// The counter once it has counted a task whose stream has ended.
pub(super) async fn tokens_out_beyond(client: &Client, before: f64) -> Result<f64, InVain> {
    until("the counter of tokens has grown", async || {
        tokens_out(client).await.ok().filter(|now| *now > before)
    })
    .await
}

/// Writes what the answer holds of what was asked.
pub(super) fn show_verdict(page: &mut Page, theme: &Theme, verdict: Verdict) {
    let mark = |good: bool, text: String| {
        if good {
            page.tone(Tone::Good, &format!("✓ {text}"))
        } else {
            page.tone(Tone::Bad, &format!("✗ {text}"))
        }
    };
    let found = |good: bool, text: &str| {
        let verb = if good { "is there" } else { "is missing" };
        mark(good, format!("“{text}” {verb}"))
    };
    let checks = [
        mark(
            verdict.lines >= LINES_LEAST,
            format!("{} lines", verdict.lines),
        ),
        found(verdict.has_minute, &theme.minute_words),
        found(verdict.has_nonce, &theme.nonce),
    ];
    page.fact("checked", &checks.join("   "));
}

/// The figures of one task.
pub(super) struct Account<'a> {
    pub(super) story: &'a Story,
    pub(super) task: &'a Task,
    pub(super) submitted_at: Instant,
    pub(super) counter: (f64, f64),
    /// The throttle, in tokens a second.
    pub(super) throttle: Option<f64>,
}

impl Account<'_> {
    /// Writes the figures.
    pub(super) fn show(&self, page: &mut Page) {
        let Self { story, task, .. } = self;
        let waited = task.started_at_ms.unwrap_or(task.created_at_ms) - task.created_at_ms;
        page.fact("queue wait", &format!("{waited} ms"));
        let first = story.first_token_at.map(|at| at - self.submitted_at);
        page.fact(
            "first token",
            &first.map_or_else(
                || "none came".to_owned(),
                |first| {
                    format!(
                        "{} ms after the request was sent",
                        Duration::as_millis(&first)
                    )
                },
            ),
        );
        page.fact("generation", &self.rate());
        let (before, after) = self.counter;
        page.fact(
            "counted",
            &format!("{TOKENS_OUT} in /metrics went from {before} to {after}"),
        );
        let started = &story.started;
        page.fact(
            "engine",
            &format!(
                "{} {} on {}",
                started.engine, started.engine_version, started.replica
            ),
        );
        page.fact("model", &started.model_digest);
        page.fact("seed", &started.seed.to_string());
    }

    fn rate(&self) -> String {
        let end = &self.story.end;
        let mut text = format!("{} tokens from {}", end.tokens_out, end.tokens_in);
        // The time runs from the first token to the last.
        let gaps = end.tokens_out.saturating_sub(1);
        if end.decode_ms > 0 {
            let rate = gaps as f64 * 1_000.0 / end.decode_ms as f64;
            text.push_str(&format!(" in {} ms, {rate:.0} tokens/s", end.decode_ms));
        }
        if let Some(throttle) = self.throttle {
            text.push_str(&format!(", throttled to {throttle} so that you can watch"));
        }
        text
    }
}
