//! What the server is to answer.

use std::collections::{BTreeMap, VecDeque};

use api_client::types::{
    Bulk, Capabilities, PoolHealth, Problem, ReadinessStatus, Refusal, RefusalPage, ReplicaSet,
    Session, Task, TaskPage, TaskStreamEvent, Whoami,
};

use crate::{bulks, fixtures, keys, refusals};

/// What the server is to answer to each operation.
pub(crate) struct Script {
    /// Answered if there is one; else each task is accepted.
    pub(crate) create_refusal: Option<Problem>,
    pub(crate) replayed: Option<bool>,
    /// `task_create` and `task_cancel` never answer.
    pub(crate) silent: bool,
    pub(crate) task: Result<Task, Box<Problem>>,
    pub(crate) tasks: TaskPage,
    /// One for each look at a bulk; the last one stays.
    pub(crate) bulks: VecDeque<Bulk>,
    /// One list of steps for each connection.
    pub(crate) streams: VecDeque<Vec<Step>>,
    pub(crate) session: Result<Session, Box<Problem>>,
    pub(crate) refusal: Result<Refusal, Box<Problem>>,
    pub(crate) refusals: RefusalPage,
    pub(crate) capabilities: Result<Capabilities, Box<Problem>>,
    pub(crate) replica_sets: Vec<ReplicaSet>,
    pub(crate) pools: BTreeMap<String, PoolHealth>,
    pub(crate) readiness: Result<ReadinessStatus, Box<Problem>>,
    pub(crate) metrics: String,
    pub(crate) whoami: Result<Whoami, Box<Problem>>,
}

/// One step of a stream. A stream without a terminal event breaks off at its end.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Option<&'static str>, Box<TaskStreamEvent>),
    /// Waits until somebody cancels the task.
    UntilCancelled,
    /// Waits until the test says so.
    UntilReleased,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            create_refusal: None,
            replayed: None,
            silent: false,
            task: Ok(fixtures::running()),
            tasks: TaskPage {
                tasks: Vec::new(),
                next_cursor: None,
            },
            bulks: VecDeque::from([bulks::done()]),
            streams: VecDeque::new(),
            session: Ok(fixtures::session()),
            refusal: Ok(fixtures::refusal()),
            refusals: refusals::page(),
            capabilities: Ok(fixtures::capabilities()),
            replica_sets: fixtures::replica_sets(),
            pools: fixtures::pools(),
            readiness: Ok(ReadinessStatus::Ready),
            metrics: fixtures::METRICS.to_owned(),
            whoami: Ok(keys::whoami()),
        }
    }
}

impl Step {
    pub(crate) fn send(id: Option<&'static str>, event: TaskStreamEvent) -> Self {
        Self::Send(id, Box::new(event))
    }
}

impl Script {
    /// A script with one stream.
    pub(crate) fn streaming(steps: Vec<Step>) -> Self {
        Self {
            streams: VecDeque::from([steps]),
            ..Self::default()
        }
    }
}
