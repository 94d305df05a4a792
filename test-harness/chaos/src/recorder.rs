//! The one observer: takes down what is seen, shows it to the judge, and tells who waits for a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use test_harness_history::{
    Answer, ClientId, Event, GenerationId, Judge, Observation, ReaderId, RequestId, TaskId,
    Violation,
};
use tokio::sync::oneshot;

use crate::point::Point;

/// First of the seeds that tasks are given: those before it are left to what is not a task, such as the proof that
/// an engine works.
const SEED_FIRST: u64 = 1_000;

/// Takes down one history.
pub(crate) struct Recorder {
    began: Instant,
    inner: Mutex<Inner>,
    clients: AtomicU64,
    generations: AtomicU64,
    readers: AtomicU64,
    requests: AtomicU64,
    seeds: AtomicU64,
}

#[derive(Default)]
struct Inner {
    history: Vec<Observation>,
    judge: Judge,
    /// What must not happen and is no property of a history, such as a reply that is not the contract's.
    oddities: Vec<String>,
    aimed: Option<Aim>,
    /// The task that each seed was drawn for.
    seeds: BTreeMap<u64, TaskId>,
    /// Tasks that were acknowledged.
    accepted: BTreeSet<TaskId>,
    /// Things that happened to processes and links.
    faults: u64,
}

/// Somebody waits for a moment.
struct Aim {
    point: Point,
    skip: u64,
    tell: oneshot::Sender<()>,
}

/// What a recorder has taken down.
pub(crate) struct Taken {
    pub(crate) history: Vec<Observation>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) oddities: Vec<String>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            inner: Mutex::default(),
            clients: AtomicU64::new(1),
            generations: AtomicU64::new(1),
            readers: AtomicU64::new(1),
            requests: AtomicU64::new(1),
            seeds: AtomicU64::new(SEED_FIRST),
        }
    }
}

impl Recorder {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one thing down.
    pub(crate) fn see(&self, event: Event) {
        let mut inner = self.inner();
        // Read under the lock, so that times never fall.
        let at_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let seen = Observation { at_ms, event };
        // The judge keeps what is broken.
        let _broken = inner.judge.observe(&seen);
        if let Event::Answered {
            answer: Answer::Accepted { task, .. },
            ..
        } = &seen.event
        {
            inner.accepted.insert(*task);
        }
        let fault = matches!(seen.event, Event::Process { .. } | Event::Link { .. });
        inner.faults += u64::from(fault);
        inner.history.push(seen);
    }

    /// Things that happened to processes and links so far.
    pub(crate) fn faults(&self) -> u64 {
        self.inner().faults
    }

    /// Tasks that were acknowledged so far.
    pub(crate) fn accepted(&self) -> BTreeSet<TaskId> {
        self.inner().accepted.clone()
    }

    /// Takes down what must not happen.
    pub(crate) fn odd(&self, what: String) {
        self.inner().oddities.push(what);
    }

    /// Somebody has come to a point.
    pub(crate) fn passed(&self, point: Point) {
        let mut inner = self.inner();
        let Some(aim) = inner.aimed.as_mut().filter(|aim| aim.point == point) else {
            return;
        };
        if aim.skip > 0 {
            aim.skip -= 1;
        } else if let Some(aim) = inner.aimed.take() {
            // Whoever aimed may have lost its patience.
            let _gone = aim.tell.send(());
        }
    }

    /// Resolves when somebody comes to a point, after so many have. One waits at a time.
    pub(crate) fn aim(&self, point: Point, skip: u64) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.inner().aimed = Some(Aim { point, skip, tell });
        told
    }

    /// A seed that no other task of this history has.
    pub(crate) fn fresh_seed(&self) -> u64 {
        self.seeds.fetch_add(1, Ordering::Relaxed)
    }

    /// A seed stands for a task, so that its generations can be told.
    pub(crate) fn seed_of(&self, seed: u64, task: TaskId) {
        self.inner().seeds.insert(seed, task);
    }

    /// The task that a seed stands for.
    pub(crate) fn task_of_seed(&self, seed: u64) -> Option<TaskId> {
        self.inner().seeds.get(&seed).copied()
    }

    pub(crate) fn next_client(&self) -> ClientId {
        self.clients.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn next_generation(&self) -> GenerationId {
        self.generations.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn next_reader(&self) -> ReaderId {
        self.readers.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn next_request(&self) -> RequestId {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether something is broken so far.
    pub(crate) fn broken(&self) -> bool {
        let inner = self.inner();
        !inner.judge.violations().is_empty() || !inner.oddities.is_empty()
    }

    /// Ends the history.
    pub(crate) fn finish(&self) -> Taken {
        let Inner {
            history,
            judge,
            oddities,
            ..
        } = std::mem::take(&mut *self.inner());
        Taken {
            history,
            violations: judge.finish(),
            oddities,
        }
    }
}
