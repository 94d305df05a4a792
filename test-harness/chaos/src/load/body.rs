//! What clients ask for.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use test_harness_history::Payload;

use crate::dice::Dice;
use crate::recorder::Recorder;

/// A task to hand over, without an id.
#[derive(Clone, Debug)]
pub(super) struct Body {
    value: Value,
    class: &'static str,
    prompt: String,
    /// Tokens that its text has if nothing goes wrong.
    pub(super) tokens: u64,
    /// The seed, if it says one.
    pub(super) seed: Option<u64>,
    /// True if an engine is asked for exactly this prompt.
    pub(super) raw: bool,
}

impl Body {
    /// Draws one whose text has a length in this range.
    pub(super) fn draw(dice: &mut Dice, recorder: &Recorder, least: u64, most: u64) -> Self {
        let tokens = dice.range(least, most);
        let seed = dice.percent(85).then(|| recorder.fresh_seed());
        let raw = dice.percent(75);
        let class = dice.weighed(&[("interactive", 6), ("batch", 4)]);
        let prompt = format!("Rain on an old pond, {}.", dice.range(1, 1_000_000));
        let mut value = json!({
            "input": {
                "kind": if raw { "completion" } else { "prompt" },
                "prompt": prompt,
            },
            "max_tokens": tokens,
            "ignore_eos": true,
            "priority": class,
        });
        if let Some(seed) = seed {
            value["seed"] = json!(seed);
        }
        if let Some(model) = dice.weighed(&[(None, 5), (Some("near"), 3), (Some("far"), 3)]) {
            value["model_ref"] = json!(model);
        }
        if dice.percent(30) {
            value["determinism"] = json!("strict");
        }
        Self {
            value,
            class,
            prompt,
            tokens,
            seed,
            raw,
        }
    }

    /// The same in a session.
    pub(super) fn in_session(mut self, session: u128) -> Self {
        self.value["session_id"] = json!(uuid::Uuid::from_u128(session).to_string());
        self
    }

    /// The same, cancelled once nobody reads it any more.
    pub(super) fn while_read(mut self) -> Self {
        self.value["on_disconnect"] = json!("cancel");
        self
    }

    /// Another one that differs in nothing but its length.
    pub(super) fn longer(mut self) -> Self {
        self.tokens += 1;
        self.value["max_tokens"] = json!(self.tokens);
        self
    }

    /// What the daemon is sent.
    pub(super) fn request(&self, own: Option<u128>) -> Value {
        let mut value = self.value.clone();
        if let Some(own) = own {
            value["task_id"] = json!(uuid::Uuid::from_u128(own).to_string());
        }
        value
    }

    /// What the history is told.
    pub(super) fn payload(&self) -> Payload {
        Payload {
            // Members are sorted, so equal bodies are equal texts.
            fingerprint: self.value.to_string(),
            prompt: digest(&self.prompt),
            class: self.class.to_owned(),
            seed: self.seed,
            max_tokens: Some(self.tokens),
        }
    }
}

/// The digest of a prompt, as records name it.
pub(crate) fn digest(prompt: &str) -> String {
    let hash = Sha256::digest(prompt.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
