//! Small things for the tests of the checkers.

use std::collections::HashMap;

use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::id::{AttemptId, Epoch, ReplicaName, TaskId};
use orchestrator_core::machine::HardState;
use orchestrator_core::mutation::Mutation;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{AttemptRecord, TaskRecord, TaskState};
use orchestrator_core::time::WallMs;
use orchestratord::owner::OwnerUnavailable;
use store::{Commit, Loaded};

use super::sight::Sight;
use crate::plan::{Plan, Setup};
use crate::world::Asked;

pub(super) fn setup() -> Setup {
    Plan::of(1).setup
}

pub(super) fn task(seq: u64, state: TaskState) -> TaskRecord {
    let mut row = test_harness_store_suite::task(seq);
    row.state = state;
    row.replica_set = None;
    row
}

pub(super) fn attempt(id: u128, replica: &ReplicaName) -> AttemptRecord {
    let mut row = test_harness_store_suite::attempt(id, 1, 1);
    row.replica = replica.clone();
    row
}

pub(super) fn order(attempt: u128) -> AttemptOrder {
    let row = task(1, TaskState::Dispatched);
    AttemptOrder {
        attempt: AttemptId(attempt),
        task: row.id,
        number: 1,
        replica: ReplicaName::new("pool-0-0"),
        spec: row.spec,
        position: 0,
        accepted_at: row.accepted_at,
    }
}

pub(super) fn loaded(tasks: Vec<TaskRecord>) -> Loaded {
    Loaded {
        accept_seq: tasks.last().map_or_else(Default::default, |row| row.seq),
        tasks,
        ..Loaded::default()
    }
}

pub(super) fn hard_of(durable: &Loaded) -> HardState {
    HardState {
        accept_seq: durable.accept_seq,
        tasks: durable
            .tasks
            .iter()
            .map(|row| (row.id, row.clone()))
            .collect(),
        attempts: durable
            .attempts
            .iter()
            .map(|row| (row.id, row.clone()))
            .collect(),
        sessions: durable
            .sessions
            .iter()
            .map(|row| (row.id, row.clone()))
            .collect(),
    }
}

pub(super) fn commit(epoch: u64, commit_seq: u64, mutations: Vec<Mutation>) -> Commit {
    Commit {
        epoch: Epoch(epoch),
        commit_seq,
        at: WallMs(0),
        mutations,
        payloads: HashMap::new(),
        events: Vec::new(),
    }
}

pub(super) fn applied(commit: &Commit) -> Sight<'_> {
    static NOTHING: std::sync::LazyLock<Loaded> = std::sync::LazyLock::new(Loaded::default);
    Sight::Applied {
        at: 0,
        daemon: 0,
        commit,
        durable: &NOTHING,
    }
}

pub(super) fn answer(reply: &Result<Reply, OwnerUnavailable>) -> Sight<'_> {
    Sight::Answer {
        daemon: 0,
        asked: Asked::Create(TaskId(1)),
        reply,
    }
}
