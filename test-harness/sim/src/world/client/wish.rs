//! A wish becomes a task.

use orchestrator_core::id::{Digest, ModelRef, SessionId, TaskId};
use orchestrator_core::task::{InputKind, PROFILE_V1, PromptFacts, TaskSpec, prompt_size, seed_of};
use orchestrator_core::time::WallMs;
use sha2::{Digest as _, Sha256};
use test_harness_history::Payload;

use super::errand::New;
use crate::plan::Wish;

/// The id of a task: its number is in the last 16 bits, and the try of a client that does not name it above.
pub(crate) fn task_id(task: usize, nameless_try: u32) -> TaskId {
    TaskId(0x0190_0000_0000_7000_8000 << 48 | u128::from(nameless_try) << 16 | task as u128)
}

/// The id of a session.
pub(crate) fn session_id(session: u32) -> SessionId {
    SessionId(0x0190_0000_0000_7000_8001 << 48 | u128::from(session))
}

impl Wish {
    /// The task that it asks for. `changed`: with another payload under the same id.
    pub(crate) fn new_task(&self, id: TaskId, fresh: bool, changed: bool) -> New {
        let mut prompt = format!("prompt {} ", self.prompt);
        let bytes = usize::try_from(self.bytes).unwrap_or(0);
        while prompt.len() < bytes {
            prompt.push('.');
        }
        let size = prompt_size(prompt.len() as u64, prompt.len() as u64);
        let max_tokens = self.max_tokens + u32::from(changed);
        let spec = TaskSpec {
            kind: InputKind::Completion,
            prompt: PromptFacts {
                digest: Digest(Sha256::digest(prompt.as_bytes()).into()),
                bytes: prompt.len() as u64,
                tokens_estimate: size.tokens_estimate,
                tokens_least: size.tokens_least,
            },
            model_ref: self
                .model
                .map(|model| ModelRef::new(format!("model-{model}"))),
            engine: self.engine,
            ctx: self.ctx,
            max_tokens,
            ignore_eos: self.ignore_eos,
            sampling: PROFILE_V1.sampling,
            seed: seed_of(TaskId(u128::from(self.prompt) + 1)),
            determinism: self.determinism,
            priority: self.priority,
            deadline_ms: self.deadline_ms,
            run_at: self.run_at_ms.map(WallMs),
            session: self.session.map(session_id),
            on_disconnect: self.on_disconnect,
        };
        let body = format!("{spec:?}");
        New {
            fresh,
            key: None,
            id,
            fingerprint: Digest(Sha256::digest(body.as_bytes()).into()),
            spec,
            prompt,
            api_key: self.key,
        }
    }
}

/// What is asked for, as the history tells it.
pub(crate) fn payload(new: &New) -> Payload {
    Payload {
        fingerprint: new.fingerprint.to_string(),
        prompt: new.spec.prompt.digest.to_string(),
        class: new.spec.priority.to_string(),
        seed: Some(u64::from(new.spec.seed)),
        max_tokens: Some(u64::from(new.spec.max_tokens)),
    }
}
