//! Reads what an engine is asked for, on its way.

use std::sync::Arc;

use serde_json::Value;
use test_harness_history::{Event, GenerationEvent, GenerationId};

use crate::load::digest;
use crate::recorder::Recorder;

/// Longest request that is read; longer ones pass unread.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Tells of generations that one engine is asked for.
pub(crate) struct Generations {
    /// Takes them down.
    pub(crate) recorder: Arc<Recorder>,
    /// Name of the engine.
    pub(crate) engine: String,
}

impl Generations {
    /// Reads one connection.
    pub(super) fn sniffer(self: &Arc<Self>) -> Sniffer {
        Sniffer {
            of: Arc::clone(self),
            bytes: Vec::new(),
            begun: Vec::new(),
        }
    }
}

/// Reads the requests of one connection. With the connection its generations stop.
pub(super) struct Sniffer {
    of: Arc<Generations>,
    bytes: Vec<u8>,
    begun: Vec<GenerationId>,
}

impl Sniffer {
    /// Takes what is on its way.
    pub(super) fn push(&mut self, piece: &[u8]) {
        if self.bytes.len() + piece.len() > REQUEST_BYTES_MAX {
            return;
        }
        self.bytes.extend_from_slice(piece);
        while let Some((length, generation)) = request(&self.bytes) {
            self.bytes.drain(..length);
            if let Some((seed, prompt)) = generation {
                self.begin(seed, &prompt);
            }
        }
    }

    fn begin(&mut self, seed: u64, prompt: &str) {
        let recorder = &self.of.recorder;
        let generation = recorder.next_generation();
        self.begun.push(generation);
        recorder.see(Event::Generation {
            generation,
            event: GenerationEvent::Begun {
                engine: self.of.engine.clone(),
                task: recorder.task_of_seed(seed),
                attempt: None,
                seed,
                prompt: digest(prompt),
            },
        });
    }
}

impl Drop for Sniffer {
    fn drop(&mut self) {
        for generation in self.begun.drain(..) {
            self.of.recorder.see(Event::Generation {
                generation,
                event: GenerationEvent::Stopped,
            });
        }
    }
}

/// The first request, if all of it is here: its length, and seed and prompt if it asks for a generation.
fn request(bytes: &[u8]) -> Option<(usize, Option<(u64, String)>)> {
    let head_length = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..head_length]);
    let mut lines = head.lines();
    let start = lines.next().unwrap_or_default();
    let body_length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    let length = head_length.checked_add(body_length)?;
    let body = bytes.get(head_length..length)?;
    let generation = start
        .starts_with("POST /completion ")
        .then(|| serde_json::from_slice::<Value>(body).ok())
        .flatten()
        .and_then(|body| Some((body["seed"].as_u64()?, body["prompt"].as_str()?.to_owned())));
    Some((length, generation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_read_once_all_of_it_is_here() {
        let body = r#"{"prompt":"old pond","seed":7}"#;
        let text = format!(
            "GET /health HTTP/1.1\r\nhost: x\r\n\r\nPOST /completion HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}rest",
            body.len()
        );
        let bytes = text.as_bytes();
        let (first, none) = request(bytes).unwrap();
        assert_eq!(none, None);
        let whole = bytes.len() - "rest".len();
        assert_eq!(request(&bytes[first..whole - 1]), None);
        let (second, generation) = request(&bytes[first..]).unwrap();
        assert_eq!(first + second, whole);
        assert_eq!(generation, Some((7, "old pond".to_owned())));
    }
}
