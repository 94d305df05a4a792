//! One thing that was seen.

use serde::{Deserialize, Serialize};

use crate::conversation::{Answer, Ask};
use crate::frame::ReaderEvent;
use crate::id::{ClientId, DaemonId, GenerationId, ReaderId, RequestId, TaskId};
use crate::world::{GenerationEvent, LinkEvent, Process, ProcessEvent};

/// One thing that was seen. The order of observations is the order in which one observer made them: of a
/// question and its answer both moments are told, so that a judge knows what may have crossed on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Milliseconds since the run began; never falls.
    pub at_ms: u64,
    /// What.
    pub event: Event,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A client was answered.
    Answered {
        /// Which question.
        request: RequestId,
        /// What.
        answer: Answer,
    },
    /// A client asks; told before the question leaves it.
    Asked {
        /// The question, never used twice.
        request: RequestId,
        /// Who asks.
        client: ClientId,
        /// Whom.
        daemon: DaemonId,
        /// What.
        ask: Ask,
    },
    /// An engine was asked for something or stopped.
    Generation {
        /// Which generation, never used twice.
        generation: GenerationId,
        /// What happens.
        event: GenerationEvent,
    },
    /// A link between two processes broke or works again.
    Link {
        /// From which side connections come.
        from: Process,
        /// To which side.
        to: Process,
        /// What happens.
        event: LinkEvent,
    },
    /// The run enters a phase.
    Phase(Phase),
    /// A process came or went.
    Process {
        /// Which.
        process: Process,
        /// What happens to it.
        event: ProcessEvent,
    },
    /// Something happened to a reader.
    Reader {
        /// Which.
        reader: ReaderId,
        /// What.
        event: ReaderEvent,
    },
    /// From now on the engines give another text for this task than before, because they were made to: readers
    /// may have been shown what no other reader will be.
    TextChanged {
        /// The task.
        task: TaskId,
    },
}

/// The phases of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Faults are drawn.
    Chaos,
    /// No further fault comes, and everything that was broken works again.
    Healed,
    /// Enough time has passed for all work to end. What is still asked now is asked in quiet: each task that was
    /// accepted is read once more.
    Over,
}
