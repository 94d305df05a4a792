//! Everything that can be about to happen.

use std::sync::Arc;

use orchestrator_core::id::AttemptId;
use orchestratord::owner::{StoreAnswer, StoreCall};
use store::Commit;
use worker_adapter::RunnerEvent;

use super::client::Message;
use super::client::Question;
use super::daemon::Read;

/// One event.
#[derive(Debug)]
pub(crate) enum Event {
    /// The acknowledged tasks are asked about once more, in quiet.
    Audit,
    /// Something reaches a client's errand.
    Client {
        errand: usize,
        /// The turn of the errand that it belongs to; it is stale in any other.
        turn: u32,
        /// The process that sent it, if one did.
        from: Option<(usize, u64)>,
        message: Message,
    },
    /// Something reaches a daemon's process.
    Daemon {
        daemon: usize,
        /// The process; it is lost with it.
        life: u64,
        what: DaemonEvent,
    },
    /// An engine goes on with a generation.
    Engine {
        replica: usize,
        attempt: AttemptId,
        serial: u64,
    },
    FaultBegins(usize),
    FaultEnds(usize),
    /// Everything is mended.
    Heal,
    /// A commit reaches the store that its owner has given up.
    LateCommit {
        daemon: usize,
        commit: Arc<Commit>,
    },
    /// A daemon is started, or tries again to get the store.
    Open {
        daemon: usize,
        life: u64,
    },
    Operation(usize),
    /// A call reaches the store.
    Store {
        daemon: usize,
        life: u64,
        call: StoreCall,
    },
}

/// What can reach a daemon's process.
#[derive(Debug)]
pub(crate) enum DaemonEvent {
    /// A timer of an attempt.
    AttemptTimer(AttemptId),
    /// A client has taken what it was sent, and can take more.
    Credit {
        reader: u64,
    },
    /// Somebody looks how a replica is.
    Health {
        replica: usize,
    },
    /// A client has gone.
    ReaderGone {
        errand: usize,
        turn: u32,
    },
    /// A timer of a reader.
    ReaderTimer {
        reader: u64,
    },
    /// A pool's supervisor gave up.
    PoolGaveUp {
        pool: usize,
    },
    /// The answer to a read of the store.
    Read(Read),
    /// A client asks.
    Request {
        errand: usize,
        turn: u32,
        question: Question,
    },
    /// The runner has something of an attempt.
    Runner {
        attempt: AttemptId,
        serial: u64,
        offset: u64,
        event: RunnerEvent,
    },
    /// Another listens to a generation now.
    RunnerGone {
        attempt: AttemptId,
        serial: u64,
    },
    StoreAnswer(StoreAnswer),
    /// Its belief that the store is its own is over.
    Lapse,
    Wake,
}
