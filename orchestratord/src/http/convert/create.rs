//! From a request to a task for the machine.

use api_types as wire;
use orchestrator_core::id::{Digest, ModelRef, ProjectId, SessionId, TaskId};
use orchestrator_core::queue::ClassName;
use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::{
    InputKind, PROFILE_V1, PromptFacts, Sampling, TaskSpec, prompt_size, seed_of,
};
use orchestrator_core::time::WallMs;
use sha2::{Digest as _, Sha256};
use store::TaskBody;
use uuid::Uuid;

use super::choice;
use crate::app::NewTask;

/// The task that a request asks for, under the id that it names or else under `fresh`. `key` is its idempotency key
/// as it was sent; `class_default` is the class of tasks that ask for none.
pub(in crate::http) fn new_task(
    request: wire::TaskCreateRequest,
    key: Option<String>,
    fresh: Uuid,
    class_default: ClassName,
) -> NewTask {
    let fingerprint = fingerprint(&request);
    let wire::TaskCreateRequest {
        input,
        task_id,
        model_ref,
        engine,
        ctx,
        max_tokens,
        ignore_eos,
        temperature,
        top_k,
        top_p,
        min_p,
        repeat_penalty,
        seed,
        determinism,
        priority,
        deadline_ms,
        run_at_ms,
        session_id,
        session_budget,
        project_id,
        on_disconnect,
        metadata,
    } = request;
    let id = TaskId(task_id.unwrap_or(fresh).as_u128());
    let (kind, prompt) = read_as(input);
    let profile = PROFILE_V1;
    let spec = TaskSpec {
        kind,
        prompt: prompt_facts(&prompt),
        model_ref: model_ref.map(ModelRef::new),
        engine: engine.map(choice::engine_choice),
        ctx,
        max_tokens: max_tokens.unwrap_or(profile.max_tokens),
        ignore_eos: ignore_eos.unwrap_or(profile.ignore_eos),
        sampling: Sampling {
            temperature: temperature.unwrap_or(profile.sampling.temperature),
            top_k: top_k.unwrap_or(profile.sampling.top_k),
            top_p: top_p.unwrap_or(profile.sampling.top_p),
            min_p: min_p.unwrap_or(profile.sampling.min_p),
            repeat_penalty: repeat_penalty.unwrap_or(profile.sampling.repeat_penalty),
        },
        seed: seed
            .and_then(|seed| u32::try_from(seed).ok())
            .unwrap_or_else(|| seed_of(id)),
        determinism: determinism.map_or(profile.determinism, choice::determinism_choice),
        priority: choice::class_or(priority.as_deref(), class_default),
        deadline_ms,
        run_at: run_at_ms.map(WallMs),
        session: session_id.map(|id| SessionId(id.as_u128())),
        on_disconnect: on_disconnect.map_or(profile.on_disconnect, choice::on_disconnect_choice),
    };
    let metadata = metadata.unwrap_or_default().into_iter().collect();
    NewTask {
        id,
        fingerprint,
        key: key.map(|sent| key_text(&sent)),
        spec,
        project: project_id.map(|id| ProjectId(id.as_u128())),
        budget: session_budget.map(budget),
        body: TaskBody { prompt, metadata },
    }
}

/// How the input is read, and its text.
fn read_as(input: wire::TaskInputRequest) -> (InputKind, String) {
    match input {
        wire::TaskInputRequest::Completion(wire::CompletionInput { prompt }) => {
            (InputKind::Completion, prompt)
        }
        wire::TaskInputRequest::Prompt(wire::PromptInput { prompt }) => (InputKind::Prompt, prompt),
    }
}

/// The key that was sent: a quoted string without its quotes and escapes, or the bare text.
fn key_text(sent: &str) -> String {
    let Some(inside) = sent
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return sent.to_owned();
    };
    let mut text = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        let escaped = (character == '\\').then(|| characters.next()).flatten();
        text.push(escaped.unwrap_or(character));
    }
    text
}

pub(super) fn budget(request: wire::SessionBudgetRequest) -> SessionBudget {
    let wire::SessionBudgetRequest {
        tokens,
        time_ms,
        cost_micros,
    } = request;
    SessionBudget {
        tokens,
        time_ms,
        cost_micros,
    }
}

fn prompt_facts(prompt: &str) -> PromptFacts {
    let bytes = prompt.len() as u64;
    let size = prompt_size(bytes, prompt.chars().count() as u64);
    PromptFacts {
        digest: Digest(Sha256::digest(prompt.as_bytes()).into()),
        bytes,
        tokens_estimate: size.tokens_estimate,
        tokens_least: size.tokens_least,
    }
}

/// The request written again in one way, whatever the order of its fields was, and before any default.
fn fingerprint(request: &wire::TaskCreateRequest) -> Digest {
    let canonical = serde_json::to_vec(request).expect("a request is plain JSON");
    Digest(Sha256::digest(canonical).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn read(json: &str) -> NewTask {
        new_task(
            serde_json::from_str(json).unwrap(),
            None,
            Uuid::from_u128(9),
            ClassName::INTERACTIVE,
        )
    }

    #[test]
    fn the_order_of_fields_is_no_difference_and_a_value_is() {
        let one = read(
            r#"{"input":{"kind":"prompt","prompt":"x"},"seed":3,"metadata":{"a":"1","b":"2"}}"#,
        );
        let same = read(
            r#"{"metadata":{"b":"2","a":"1"},"seed":3,"input":{"prompt":"x","kind":"prompt"}}"#,
        );
        let other = read(
            r#"{"input":{"kind":"prompt","prompt":"x"},"seed":4,"metadata":{"a":"1","b":"2"}}"#,
        );
        assert_eq!(one.fingerprint, same.fingerprint);
        assert_ne!(one.fingerprint, other.fingerprint);
    }

    #[test]
    fn a_quoted_key_and_a_bare_one_are_the_same() {
        for (sent, text) in [
            ("a-key", "a-key"),
            (r#""a-key""#, "a-key"),
            (r#""with \"quotes\" and \\""#, r#"with "quotes" and \"#),
            (r#""\\\\""#, r"\\"),
        ] {
            assert_eq!(key_text(sent), text, "{sent}");
        }
    }

    #[test]
    fn a_default_written_out_is_another_request() {
        let bare = read(r#"{"input":{"kind":"prompt","prompt":"x"}}"#);
        let full = read(r#"{"input":{"kind":"prompt","prompt":"x"},"max_tokens":256}"#);
        assert_eq!(bare.spec, full.spec);
        assert_ne!(bare.fingerprint, full.fingerprint);
    }

    #[test]
    fn a_task_without_an_id_gets_the_fresh_one_and_its_seed() {
        let task = read(r#"{"input":{"kind":"completion","prompt":"x"}}"#);
        assert_eq!(task.id, TaskId(9));
        assert_eq!(task.spec.seed, seed_of(TaskId(9)));
        assert_eq!(task.spec.kind, InputKind::Completion);
    }
}
