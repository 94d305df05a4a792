//! Whole generations as engines of the dialect sent them, and what they mean.

use serde_json::Value;
use test_harness_adapter_suite::Recording;
use worker_adapter::{Finish, GenerationEvent};

use crate::dialect::Llamacpp;

/// What `llama-server` says before a stream: a connection that stays, which it then closes.
const HEAD: &[u8] = include_bytes!("../recordings/completion.head");

const LIMIT: &[u8] = include_bytes!("../recordings/completion-limit.sse");
const IGNORE_EOS: &[u8] = include_bytes!("../recordings/completion-ignore-eos.sse");
const UTF8: &[u8] = include_bytes!("../recordings/completion-utf8.sse");
const EOS: &[u8] = include_bytes!("../recordings/completion-eos.sse");

/// The dialect with the recordings that are kept.
pub(crate) fn kept() -> Llamacpp {
    let kept = |name, body| read(name, HEAD.to_vec(), body);
    let recordings = vec![
        kept("llama-server, n_predict 4", LIMIT),
        kept("three tokens in one frame", EOS),
        kept("llama-server, a token for each byte", UTF8),
        kept("llama-server, 400 tokens", IGNORE_EOS),
    ];
    Llamacpp {
        recordings,
        model: None,
    }
}

/// Reads a body frame by frame: whoever reads it in pieces must come to the same.
pub(crate) fn read(name: &'static str, head: Vec<u8>, body: &[u8]) -> Recording {
    let text = std::str::from_utf8(body).unwrap();
    let mut events = Vec::new();
    let mut told = 0;
    for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let frame: Value = serde_json::from_str(data).unwrap();
        let number = |field: &str| frame[field].as_u64().unwrap();
        if events.is_empty() {
            let tokens = number("tokens_evaluated");
            events.push(GenerationEvent::Prompt { tokens });
        }
        // A frame stands for all tokens since the last one; only the last of them has text.
        for token in told + 1..=number("tokens_predicted") {
            let last = token == number("tokens_predicted");
            let text = if last {
                frame["content"].as_str().unwrap()
            } else {
                ""
            };
            events.push(GenerationEvent::Token(text.to_owned()));
        }
        told = number("tokens_predicted");
        if frame["stop"] == true {
            events.push(GenerationEvent::End {
                finish: match frame["stop_type"].as_str().unwrap() {
                    "limit" => Finish::Length,
                    "eos" | "word" => Finish::Stop,
                    other => panic!("{name}: stopped for {other}"),
                },
                tokens_in: number("tokens_evaluated"),
                tokens_out: told,
            });
        }
    }
    // The LF of the last CRLF is not needed for the end, nor is what follows it.
    let line_end = if text.contains('\r') {
        "\r\n\r"
    } else {
        "\n\n"
    };
    Recording {
        name,
        head,
        body: format!("{}{line_end}", text.trim_end()).into_bytes(),
        events,
    }
}

#[test]
fn what_is_kept_means_what_was_seen_when_it_was_recorded() {
    let texts = |recording: &Recording| {
        let text = |event: &GenerationEvent| match event {
            GenerationEvent::Token(text) => text.clone(),
            other => panic!("no token: {other:?}"),
        };
        recording.tokens().map(text).collect::<Vec<_>>()
    };
    let end = |recording: &Recording| recording.events.last().cloned().unwrap();
    let kept = kept().recordings;
    assert_eq!(texts(&kept[0]), ["\n", "L", "o", "w"]);
    assert_eq!(texts(&kept[1]), ["Ä", "", "", " 🌧", "雨\n", ""]);
    let characters = [
        "", "Ä", " ", "", "", "", "🌧", " ", "", "ü", "", "", "雨", "\n", "",
    ];
    assert_eq!(texts(&kept[2]), characters);
    assert_eq!(texts(&kept[3]).len(), 400);
    let ends = kept.iter().map(end).collect::<Vec<_>>();
    let expected = [
        (Finish::Length, 57, 4),
        (Finish::Stop, 9, 6),
        (Finish::Stop, 10, 15),
        (Finish::Length, 57, 400),
    ];
    for (end, (finish, tokens_in, tokens_out)) in ends.into_iter().zip(expected) {
        assert_eq!(
            end,
            GenerationEvent::End {
                finish,
                tokens_in,
                tokens_out
            }
        );
    }
}
