//! What a generation came to, and how long a case waits for it.

use std::time::Duration;

use futures_util::StreamExt;
use worker_adapter::{
    AdapterError, Generation, GenerationEvent, GenerationStream, Prompt, Sampling,
};

/// After this much real time a case has hung.
const HUNG_AFTER: Duration = Duration::from_secs(60);

/// An error without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`AdapterError::Unreachable`].
    Unreachable,
    /// [`AdapterError::ContextExceeded`] with its numbers.
    ContextExceeded {
        /// Tokens of the prompt.
        tokens: u64,
        /// Context in tokens.
        ctx: u64,
    },
    /// [`AdapterError::Refused`].
    Refused,
    /// [`AdapterError::Busy`].
    Busy,
    /// [`AdapterError::Reset`].
    Reset,
    /// [`AdapterError::TimedOut`] with its time.
    TimedOut(Duration),
    /// [`AdapterError::Protocol`].
    Protocol,
}

impl From<&AdapterError> for Kind {
    fn from(error: &AdapterError) -> Self {
        match error {
            AdapterError::Unreachable { .. } => Self::Unreachable,
            AdapterError::ContextExceeded { tokens, ctx } => Self::ContextExceeded {
                tokens: *tokens,
                ctx: *ctx,
            },
            AdapterError::Refused(_) => Self::Refused,
            AdapterError::Busy(_) => Self::Busy,
            AdapterError::Reset(_) => Self::Reset,
            AdapterError::TimedOut { after, .. } => Self::TimedOut(*after),
            AdapterError::Protocol(_) => Self::Protocol,
        }
    }
}

/// Waits for `work`.
///
/// # Panics
/// If it has not ended after a minute of real time.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(HUNG_AFTER, work).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: still not done after {HUNG_AFTER:?}"),
    }
}

/// Everything that a stream gives, up to its end or its first error.
///
/// # Errors
/// The error, beside the events before it.
pub async fn collect(
    mut stream: GenerationStream,
) -> (Vec<GenerationEvent>, Result<(), AdapterError>) {
    let mut events = Vec::new();
    while let Some(item) = stream.next().await {
        match item {
            Ok(event) => events.push(event),
            Err(error) => {
                assert_eq!(stream.next().await, None, "something follows {error:?}");
                return (events, Err(error));
            }
        }
    }
    (events, Ok(()))
}

/// The next item that is not the prompt's size.
pub(crate) async fn next_token(
    stream: &mut GenerationStream,
) -> Option<Result<GenerationEvent, AdapterError>> {
    match stream.next().await {
        Some(Ok(GenerationEvent::Prompt { .. })) => stream.next().await,
        item => item,
    }
}

/// Panics unless the prompt's size, if it is told, is the first event, the only one of its kind, and what the
/// end counts, if that is there.
pub(crate) fn assert_prompt(name: &str, events: &[GenerationEvent]) {
    let rest = match events {
        [GenerationEvent::Prompt { tokens }, rest @ ..] => {
            if let Some(GenerationEvent::End { tokens_in, .. }) = rest.last() {
                assert_eq!(tokens, tokens_in, "{name}: {events:?}");
            }
            rest
        }
        events => events,
    };
    let again = |event: &GenerationEvent| matches!(event, GenerationEvent::Prompt { .. });
    assert!(!rest.iter().any(again), "{name}: {events:?}");
}

/// A generation of at most `max_tokens` tokens, seeded, without cache reuse.
#[must_use]
pub fn generation(prompt: Prompt, max_tokens: u32) -> Generation {
    Generation {
        prompt,
        max_tokens,
        ignore_eos: false,
        sampling: Sampling {
            temperature: 0.8,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.05,
            repeat_penalty: 1.0,
        },
        seed: 7,
        cache_reuse: false,
    }
}
