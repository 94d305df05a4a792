//! The summaries of codes.

use api_types::ProblemCode;

/// The summary of a code, the same for every occurrence.
pub(super) fn title(code: &ProblemCode) -> &'static str {
    match code {
        ProblemCode::AdmissionReject => "The queue is full",
        ProblemCode::BodyTooLarge => "The body is too large",
        ProblemCode::ContextExceeded => "The prompt does not fit the context",
        ProblemCode::DeadlineUnmet => "The deadline cannot be met",
        ProblemCode::DecodeTimeout => "The engine was silent for too long",
        ProblemCode::Forbidden => "Not allowed",
        ProblemCode::IdempotencyMismatch => "The idempotency key is taken",
        ProblemCode::Internal => "The daemon has a fault",
        ProblemCode::InvalidParams => "The request has faults",
        ProblemCode::KeyConflict => "The key cannot be changed so",
        ProblemCode::MethodNotAllowed => "The path has no such method",
        ProblemCode::ModelUnknown => "No pool serves this model",
        ProblemCode::NotAcceptable => "No acceptable media type",
        ProblemCode::NotFound => "There is nothing here",
        ProblemCode::NotReady => "Not ready",
        ProblemCode::PoolUnavailable => "The pool gave up",
        ProblemCode::QueueFullDropLru => "Dropped from a full queue",
        ProblemCode::QueueFullShed => "Dropped for more urgent work",
        ProblemCode::QuotaConflict => "The quota was changed meanwhile",
        ProblemCode::QuotaExceeded => "A quota is used up",
        ProblemCode::QuotaUnenforceable => "Nothing could hold this quota",
        ProblemCode::QuotaUnmeetable => "More than a quota allows at all",
        ProblemCode::ReplicaSetGone => "The replicas that began the text are gone",
        ProblemCode::RequestTimeout => "The body took too long",
        ProblemCode::SessionExhausted => "The session is used up",
        ProblemCode::StoreUnavailable => "The store does not answer",
        ProblemCode::StreamDiverged => "The text is not the one that was read before",
        ProblemCode::TaskEnded => "The task has ended",
        ProblemCode::TaskIdConflict => "The task id is taken",
        ProblemCode::TriesExceeded => "Too many failed tries",
        ProblemCode::Unauthorized => "Not known",
        ProblemCode::UnsupportedMediaType => "The body has another media type",
        ProblemCode::WorkerReset => "The engine broke off",
        ProblemCode::Unknown(_) => "A problem",
    }
}
