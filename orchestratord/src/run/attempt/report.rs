//! What an attempt tells the owner.

use orchestrator_core::id::{AttemptId, PayloadRef};
use orchestrator_core::input::{AttemptEnd, Report};
use orchestrator_core::task::{FinishReason, TaskFault};
use store::TaskText;

/// The owner knows the text's handle only once it has taken the report.
const OWNER_FILLS_IN: PayloadRef = PayloadRef(0);

/// What an attempt tells the owner.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptReport {
    /// Tokens from a position on, to be kept.
    Chunk {
        /// Position of the first.
        from: u64,
        /// The tokens.
        text: TaskText,
    },
    /// It broke.
    Failed {
        /// Why.
        fault: TaskFault,
        /// What happened, for a person.
        detail: String,
    },
    /// It reached an end.
    Finished(Box<Finished>),
    /// It is alive.
    Renewed,
    /// Its first token is there.
    Running,
}

impl AttemptReport {
    /// True if it tells the end; nothing comes after it.
    #[must_use]
    pub fn is_end(&self) -> bool {
        match self {
            Self::Failed { .. } | Self::Finished(_) => true,
            Self::Chunk { .. } | Self::Renewed | Self::Running => false,
        }
    }

    /// As the owner takes it: the machine's words, and the text beside them if there is one.
    #[must_use]
    pub fn into_report(self, attempt: AttemptId) -> (Report, Option<TaskText>) {
        match self {
            Self::Chunk { from, text } => {
                let to = from + text.tokens();
                let report = Report::AttemptChunk {
                    attempt,
                    from,
                    to,
                    chunk: OWNER_FILLS_IN,
                };
                (report, Some(text))
            }
            Self::Failed { fault, detail } => {
                let end = AttemptEnd::Failed { fault, detail };
                (Report::AttemptEnded { attempt, end }, None)
            }
            Self::Finished(finished) => {
                let end = finished.end(OWNER_FILLS_IN);
                (Report::AttemptEnded { attempt, end }, Some(finished.text))
            }
            Self::Renewed => (Report::AttemptRenewed { attempt }, None),
            Self::Running => (Report::AttemptRunning { attempt }, None),
        }
    }
}

/// The end of an attempt that has a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Why the text ends.
    pub finish: FinishReason,
    /// Tokens of the input, as the engine counted them; 0 if it was stopped before it said.
    pub tokens_in: u64,
    /// Milliseconds from the first to the last token.
    pub decode_ms: u64,
    /// Milliseconds from acceptance to the first token, if there was one.
    pub first_token_ms: Option<u64>,
    /// The whole text.
    pub text: TaskText,
}

impl Finished {
    /// As the machine takes it, without the text.
    #[must_use]
    pub fn end(&self, text: PayloadRef) -> AttemptEnd {
        AttemptEnd::Finished {
            finish: self.finish,
            tokens_in: self.tokens_in,
            tokens_out: self.text.tokens(),
            decode_ms: self.decode_ms,
            first_token_ms: self.first_token_ms,
            text,
        }
    }
}
