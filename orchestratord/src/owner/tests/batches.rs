//! Commands that are handed over together.

use std::sync::{Arc, Mutex};

use orchestrator_core::effect::Effect;
use orchestrator_core::id::TaskId;
use orchestrator_core::input::Ask;
use orchestrator_core::queue::ClassName;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use store::{Commit, FeedStore, ReadStore, TaskBody, TaskQuery};
use store_memory::{Fault, MemoryStore};

use super::things::{config, create, with_places};
use crate::owner::{
    Dice, Notice, Outlet, Owner, OwnerLimits, OwnerUnavailable, SystemClock, spawn,
};

/// Sizes of the commits that were made.
#[derive(Clone, Default)]
struct Sizes(Arc<Mutex<Vec<usize>>>);

impl Outlet for Sizes {
    fn effect(&mut self, _: Effect) {}

    fn committed(&mut self, commit: &Commit) {
        self.0.lock().unwrap().push(commit.mutations.len());
    }

    fn notice(&mut self, _: Notice) {}
}

fn start(store: &MemoryStore, limits: OwnerLimits) -> (Owner<MemoryStore>, Sizes) {
    let sizes = Sizes::default();
    let config = with_places(config(), [2_000, 4]);
    let (clock, dice) = (SystemClock::default(), Dice::from_os());
    let owner = spawn(store.clone(), config, limits, clock, dice, sizes.clone());
    (owner.unwrap(), sizes)
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn items(ids: impl IntoIterator<Item = u128>) -> Vec<(Ask, Option<TaskBody>)> {
    let item = |id: u128| {
        let body = TaskBody {
            prompt: format!("prompt {id}"),
            metadata: vec![],
        };
        (create(id, ClassName::INTERACTIVE), Some(body))
    };
    ids.into_iter().map(item).collect()
}

fn created(reply: &Reply) -> (TaskId, u64, bool) {
    match reply {
        Reply::TaskCreated { record, replayed } => (record.id, record.seq.0, *replayed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_thousand_are_one_commit_in_their_order_whatever_room_a_batch_has() {
    let limits = OwnerLimits {
        batch_inputs: 4,
        batch_mutations: 8,
        batch_bytes: 64,
        ..OwnerLimits::default()
    };
    let store = MemoryStore::new();
    let (owner, sizes) = start(&store, limits);
    // Against the order of ids, so that it is seen which order counts.
    let ids: Vec<u128> = (1..=1_000).rev().collect();
    let replies = wait(owner.handle().command_batch(items(ids.clone()))).unwrap();
    let seen: Vec<_> = replies.iter().map(created).collect();
    let expected = ids
        .iter()
        .zip(1..)
        .map(|(id, seq)| (TaskId(*id), seq, false));
    assert_eq!(seen, expected.collect::<Vec<_>>());
    assert_eq!(*sizes.0.lock().unwrap(), [1_000]);
    let body = wait(store.task_body(TaskId(17))).unwrap().unwrap();
    assert_eq!(body.prompt, "prompt 17");
    drop(owner.stop());
}

#[test]
fn each_has_an_answer_of_its_own() {
    let store = MemoryStore::new();
    let (owner, _) = start(&store, OwnerLimits::default());
    let mut batch = items([1, 2, 1, 2]);
    if let Ask::TaskCreate { create, .. } = &mut batch[3].0 {
        create.fingerprint.0[0] ^= 1;
    }
    let replies = wait(owner.handle().command_batch(batch)).unwrap();
    assert_eq!(created(&replies[0]), (TaskId(1), 1, false));
    assert_eq!(created(&replies[1]), (TaskId(2), 2, false));
    assert_eq!(created(&replies[2]), (TaskId(1), 1, true));
    let conflict = Refusal::TaskIdConflict { task: TaskId(2) };
    assert_eq!(replies[3], Reply::Refused(conflict));
    // As a repeat of the whole is, over another commit.
    let again = wait(owner.handle().command_batch(items([1, 2]))).unwrap();
    assert!(again.iter().all(|reply| created(reply).2));
    assert_eq!(wait(owner.handle().command_batch(Vec::new())), Ok(vec![]));
    drop(owner.stop());
}

#[test]
fn what_cannot_be_looked_up_turns_all_of_them_away() {
    let store = MemoryStore::new();
    let (owner, _) = start(&store, OwnerLimits::default());
    store.faults().fail_prefetches(1);
    let mut batch = items([1, 2]);
    if let Ask::TaskCreate { create, .. } = &mut batch[0].0 {
        create.fresh = true;
    }
    let turned = wait(owner.handle().command_batch(batch.clone_asks()));
    assert!(
        matches!(turned, Err(OwnerUnavailable::NotApplied(_))),
        "{turned:?}"
    );
    let none = wait(store.task_list(all())).unwrap();
    assert!(none.rows.is_empty(), "{none:?}");
    assert_eq!(wait(owner.handle().command_batch(batch)).unwrap().len(), 2);
    drop(owner.stop());
}

#[test]
fn an_outcome_that_nobody_knows_is_known_of_none_and_settles_for_all() {
    let store = MemoryStore::new();
    let (owner, _) = start(&store, OwnerLimits::default());
    store
        .faults()
        .plan_commits([Some(Fault::Unknown { applied: true })]);
    // The owner probes, finds that it was applied, and answers.
    let replies = wait(owner.handle().command_batch(items(1..=50))).unwrap();
    assert_eq!(replies.len(), 50);
    assert_eq!(wait(store.task_list(all())).unwrap().rows.len(), 50);
    assert_eq!(wait(store.commit_list(0, 10)).unwrap().len(), 1);
    drop(owner.stop());
}

fn all() -> TaskQuery {
    TaskQuery {
        limit: 10_000,
        ..TaskQuery::default()
    }
}

/// The same asks once more.
trait CloneAsks {
    fn clone_asks(&self) -> Self;
}

impl CloneAsks for Vec<(Ask, Option<TaskBody>)> {
    fn clone_asks(&self) -> Self {
        self.iter()
            .map(|(ask, body)| (ask.clone(), body.clone()))
            .collect()
    }
}
