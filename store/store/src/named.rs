//! Names under which closed sets are stored: those of the wire, so that one word is searched for on
//! every floor. A name is never changed once written; a new member needs a new name only. Classes are stored by
//! name too, and their set is open: which there are is decided by the configuration.

use orchestrator_core::bulk::{BulkAction, LiveState};
use orchestrator_core::key::KeyScope;
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{
    Determinism, Engine, FinishReason, InputKind, OnDisconnect, TaskFault, TaskState, WaitingFor,
};

/// What is stored by its name.
pub trait Named: Sized + Copy {
    /// What the set is, for messages.
    const SET: &'static str;

    /// The stored name.
    fn name(&self) -> &str;

    /// The member with that name; none if there can be none, or a newer version wrote it.
    fn from_name(name: &str) -> Option<Self>;
}

macro_rules! named {
    ($set:ident as $label:literal: $($member:ident = $name:literal),+ $(,)?) => {
        impl Named for $set {
            const SET: &'static str = $label;

            fn name(&self) -> &str {
                match self {
                    $(Self::$member => $name,)+
                }
            }

            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$member),)+
                    _ => None,
                }
            }
        }
    };
}

named!(BulkAction as "action of a bulk": Cancel = "cancel", Requeue = "requeue");
named!(Determinism as "determinism": BestEffort = "best_effort", Strict = "strict");
named!(Engine as "engine": Embedded = "embedded", Llamacpp = "llamacpp");
named!(FinishReason as "finish reason": Cancelled = "cancelled", Length = "length", Stop = "stop");
named!(InputKind as "input kind": Completion = "completion", Prompt = "prompt");
named!(KeyScope as "scope of a key":
    Backup = "backup",
    Node = "node",
    Operator = "operator",
    User = "user",
);
named!(LiveState as "state of a live task":
    CancelRequested = "cancel_requested",
    Dispatched = "dispatched",
    Parked = "parked",
    Queued = "queued",
    Running = "running",
    Waiting = "waiting",
);
named!(OnDisconnect as "behaviour on disconnect": Cancel = "cancel", Continue = "continue");
named!(TaskFault as "fault":
    ContextExceeded = "context_exceeded",
    DeadlineUnmet = "deadline_unmet",
    DecodeTimeout = "decode_timeout",
    EngineRefused = "engine_refused",
    Interrupted = "interrupted",
    PoolUnavailable = "pool_unavailable",
    QueueFullDropLru = "queue_full_drop_lru",
    QueueFullShed = "queue_full_shed",
    ReplicaSetGone = "replica_set_gone",
    StreamDiverged = "stream_diverged",
    WorkerReset = "worker_reset",
);
named!(WaitingFor as "reason to wait": Backoff = "backoff", Time = "time");

impl Named for ClassName {
    const SET: &'static str = "class of any configuration";

    fn name(&self) -> &str {
        self.as_str()
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::named(name)
    }
}

/// The name of a state without what it waits for, which is stored beside it.
#[must_use]
pub fn state_name(state: TaskState) -> &'static str {
    state.name()
}
