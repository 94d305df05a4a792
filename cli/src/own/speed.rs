//! How fast it was, and what that depends on.

use api_client::types::{TaskResult, TaskTimings};

use crate::output::{counted, span};

/// What everybody should know who runs a model of their own in this way.
pub(crate) const CPU_ALONE: &str = "this engine computes on the CPU alone, one text at a time; for big models run llama.cpp's server and name it in a [[pool]] with engine = \"llamacpp\"";

/// What was measured: reading the prompt, up to the first token, and generating, from the first token to the last.
/// `None` if there was nothing to measure.
pub(crate) fn measured(result: &TaskResult) -> Option<String> {
    let TaskTimings {
        queue_ms,
        first_token_ms,
        decode_ms,
        ..
    } = &result.timings;
    let prompt_ms = (*first_token_ms)?.saturating_sub(queue_ms.unwrap_or(0));
    let prompt = part("prompt", result.tokens_in?, prompt_ms);
    // The time runs from the first token to the last, so it holds one token less.
    let generated = result.tokens_out?.saturating_sub(1);
    Some(match decode_ms {
        Some(ms) if generated > 0 => {
            format!("measured: {prompt}; {}", part("generation", generated, *ms))
        }
        _ => format!("measured: {prompt}"),
    })
}

fn part(what: &str, tokens: u64, ms: u64) -> String {
    let counted = counted(tokens, "token");
    // What took no time that could be measured has no rate.
    match ms {
        0 => format!("{what} {counted} in less than 1ms"),
        ms => format!(
            "{what} {counted} in {}, {:.1} tokens/s",
            span(ms),
            tokens as f64 * 1000.0 / ms as f64
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn result(tokens_out: u64, first_token_ms: Option<u64>, decode_ms: Option<u64>) -> TaskResult {
        serde_json::from_value(serde_json::json!({
            "task_id": "019a2f3c-7a51-7c40-9a53-000000000001", "state": "completed", "text": "", "seed": 1,
            "finish_reason": "stop", "attempts": 1, "tokens_in": 50, "tokens_out": tokens_out,
            "timings": { "queue_ms": 10, "first_token_ms": first_token_ms, "decode_ms": decode_ms },
        }))
        .unwrap()
    }

    #[test]
    fn a_part_has_its_own_tokens_and_its_own_time() {
        let told = |out, first, decode| measured(&result(out, first, decode)).unwrap_or_default();
        assert_eq!(
            told(21, Some(510), Some(4_000)),
            "measured: prompt 50 tokens in 500ms, 100.0 tokens/s; generation 20 tokens in 4.0s, 5.0 tokens/s"
        );
        assert_eq!(
            told(2, Some(10), Some(0)),
            "measured: prompt 50 tokens in less than 1ms; generation 1 token in less than 1ms"
        );
        assert_eq!(
            told(1, Some(35), Some(0)),
            "measured: prompt 50 tokens in 25ms, 2000.0 tokens/s"
        );
        assert_eq!(told(0, None, None), "");
    }
}
