//! What a reader is told, in the machine's words. The wire form is made at the edge.

use orchestrator_core::eta::StartBand;
use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::{Started, TaskEnd};

use super::id::StreamId;

/// One thing that a reader is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// The task was dispatched for the first time.
    Started {
        /// Where and by what.
        started: Started,
        /// Tasks that were ahead at acceptance.
        accepted_position: u64,
        /// Seed it runs with.
        seed: u32,
    },
    /// One token.
    Token {
        /// Where the reader stands after it.
        id: StreamId,
        /// Its text.
        text: String,
    },
    /// Where the task stands. May be left out, carries no id.
    Metrics(Waiting),
    /// The end; nothing follows.
    Ended {
        /// Where the reader stands.
        id: StreamId,
        /// How it ended.
        end: TaskEnd,
    },
    /// The reader's text is not ours, or the replay's is not the one released; nothing follows.
    Diverged {
        /// What differed.
        detail: String,
    },
}

/// Where a task stands that has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Tasks that wait in its class.
    pub queue_depth: u64,
    /// Tasks ahead of it; none once it is dispatched.
    pub queue_position: Option<u64>,
    /// Estimated milliseconds to its start; none once it is dispatched.
    pub predicted_start_ms: Option<u64>,
    /// Between when and when it starts, four times of five; none once it is dispatched, or if too little is measured.
    pub start_band: Option<StartBand>,
    /// Probability, in thousandths, that it ends within its deadline; none without one, if nothing is measured, or
    /// once it is dispatched.
    pub on_time_permille: Option<u32>,
    /// What its session may still use of what is limited.
    pub budget_left: SessionBudget,
    /// Number of the present attempt, 0 before the first.
    pub attempt: u32,
}
