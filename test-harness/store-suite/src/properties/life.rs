//! A task, its attempts, its text and its session from begin to end.

use std::sync::Arc;

use orchestrator_core::id::{AcceptSeq, AttemptId, PrincipalId, TaskId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::session::{Amounts, SessionBudget, SessionRecord};
use orchestrator_core::task::{
    AttemptRecord, AttemptState, FinishReason, TaskEnd, TaskFault, TaskRecord, TaskState,
    WaitingFor,
};
use orchestrator_core::time::WallMs;
use store::{OwnerStore, ReadStore};

use crate::bench::{Bench, Desk, text};
use crate::sample::{STATES, attempt, session, task};

fn insert<B: Bench>(desk: &mut Desk<B>, record: TaskRecord) {
    let body = desk.body("p");
    desk.commit(vec![Mutation::TaskInsert {
        record: Arc::new(record),
        body,
    }]);
}

/// Attempts come back oldest first, each as it ended.
pub fn an_attempt_is_begun_and_ended<B: Bench>() {
    let mut desk = Desk::<B>::new();
    insert(&mut desk, task(1));
    let failed = AttemptRecord {
        ended_at: Some(WallMs(9)),
        state: AttemptState::Failed(TaskFault::WorkerReset),
        detail: "it broke off".into(),
        ..attempt(12, 1, 1)
    };
    desk.commit(vec![Mutation::AttemptInsert(Box::new(attempt(12, 1, 1)))]);
    // One step may end an attempt and begin the next.
    desk.commit(vec![
        Mutation::AttemptUpdate(Box::new(failed.clone())),
        Mutation::AttemptInsert(Box::new(attempt(11, 1, 2))),
    ]);
    let history = desk.read(async |store| store.attempt_list(TaskId(1)).await);
    assert_eq!(history, [failed, attempt(11, 1, 2)]);
    assert_eq!(desk.load().attempts, [attempt(11, 1, 2)]);
    assert_eq!(
        desk.read(async |store| store.attempt_list(TaskId(2)).await),
        []
    );
}

/// The text so far is its chunks in order, whatever attempt made them.
pub fn chunks_add_up_to_the_text<B: Bench>() {
    let mut desk = Desk::<B>::new();
    insert(&mut desk, task(1));
    desk.commit(vec![Mutation::AttemptInsert(Box::new(attempt(10, 1, 1)))]);
    let whole = ["Sp", "ring", "", " 水", "\n", "🌊"];
    let (mut from, mut revision, mut maker) = (0, 1, 10);
    for part in [&whole[..1], &whole[1..4], &whole[4..]] {
        let to = from + part.len() as u64;
        revision += 1;
        let chunk = desk.text(part.iter().copied());
        desk.commit(vec![
            Mutation::ChunkAppend {
                task: TaskId(1),
                attempt: AttemptId(maker),
                from,
                to,
                chunk,
            },
            Mutation::TaskUpdate(Arc::new(TaskRecord {
                revision,
                position: to,
                ..task(1)
            })),
        ]);
        let so_far = desk.read(async |store| store.task_text(TaskId(1)).await);
        assert_eq!(so_far, Some(text(whole[..to as usize].iter().copied())));
        from = to;
        if maker == 10 {
            let gone = AttemptState::Failed(TaskFault::Interrupted);
            desk.commit(vec![
                Mutation::AttemptUpdate(Box::new(AttemptRecord {
                    state: gone,
                    ..attempt(10, 1, 1)
                })),
                Mutation::AttemptInsert(Box::new(attempt(11, 1, 2))),
            ]);
            maker = 11;
        }
    }
}

/// Once the whole text is put, it is what readers get, with its own boundaries.
pub fn a_text_takes_the_place_of_its_chunks<B: Bench>() {
    let mut desk = Desk::<B>::new();
    insert(&mut desk, task(1));
    insert(&mut desk, task(2));
    let none = desk.read(async |store| store.task_text(TaskId(1)).await);
    assert_eq!(none, Some(text([])), "a task without text has an empty one");
    assert_eq!(
        desk.read(async |store| store.task_text(TaskId(3)).await),
        None
    );
    let chunks = [desk.text(["a", "b"]), desk.text(["left"])];
    desk.commit(vec![
        Mutation::AttemptInsert(Box::new(attempt(10, 1, 1))),
        Mutation::AttemptInsert(Box::new(attempt(20, 2, 1))),
        Mutation::ChunkAppend {
            task: TaskId(1),
            attempt: AttemptId(10),
            from: 0,
            to: 2,
            chunk: chunks[0],
        },
        Mutation::ChunkAppend {
            task: TaskId(2),
            attempt: AttemptId(20),
            from: 0,
            to: 1,
            chunk: chunks[1],
        },
    ]);
    let whole = desk.text(["a", "b", "c"]);
    desk.commit(vec![Mutation::TextPut {
        task: TaskId(1),
        text: whole,
    }]);
    let kept = desk.read(async |store| store.task_text(TaskId(1)).await);
    assert_eq!(kept, Some(text(["a", "b", "c"])));
    let other = desk.read(async |store| store.task_text(TaskId(2)).await);
    assert_eq!(other, Some(text(["left"])), "another task's chunks stay");
}

/// A session is what was put last, until it is deleted; then it may be put anew.
pub fn a_session_is_put_changed_and_deleted<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let changed = SessionRecord {
        turns: 8,
        replica: None,
        touched_at: WallMs(u64::MAX),
        began: AcceptSeq(u64::MAX),
        budget: SessionBudget {
            tokens: None,
            time_ms: Some(0),
            cost_micros: Some(u64::MAX),
        },
        spent: Amounts {
            tokens: u64::MAX,
            time_ms: 0,
            cost_micros: 1,
        },
        ttl_ms: Some(u64::MAX),
        put: Some((PrincipalId(u128::MAX), WallMs(u64::MAX))),
        ..session(3)
    };
    desk.commit(vec![
        Mutation::SessionPut(Box::new(session(3))),
        Mutation::SessionPut(Box::new(session(1))),
    ]);
    desk.commit(vec![Mutation::SessionPut(Box::new(changed.clone()))]);
    assert_eq!(desk.load().sessions, [session(1), changed.clone()]);
    // Nobody's own word any more, but somebody's at the first moment there is.
    let again = SessionRecord {
        ttl_ms: None,
        put: Some((PrincipalId(0), WallMs(0))),
        ..changed
    };
    desk.commit(vec![Mutation::SessionPut(Box::new(again.clone()))]);
    assert_eq!(desk.load().sessions, [session(1), again]);
    desk.commit(vec![Mutation::SessionDelete(session(3).key())]);
    assert_eq!(desk.load().sessions, [session(1)]);
    desk.commit(vec![
        Mutation::SessionDelete(session(1).key()),
        Mutation::SessionPut(Box::new(session(1))),
    ]);
    assert_eq!(desk.load().sessions, [session(1)]);
}

/// A load has every task that has not ended, in the order of acceptance, with its live attempt.
pub fn everything_live_is_loaded_in_order<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let mut expected = Vec::new();
    for (seq, state) in (1..).zip(STATES.into_iter().cycle().take(27)) {
        // Ids fall as accept sequences rise, so that neither order can pass for the other.
        let id = TaskId(1_000 - u128::from(seq));
        let record = TaskRecord {
            id,
            state,
            attempts: 2,
            ..task(seq)
        };
        insert(&mut desk, record.clone());
        let old = AttemptRecord {
            task: id,
            ..attempt(u128::from(seq) * 10, seq, 1)
        };
        let gone = AttemptState::Failed(TaskFault::DecodeTimeout);
        let live = AttemptRecord {
            task: id,
            ..attempt(u128::from(seq) * 10 + 1, seq, 2)
        };
        desk.commit(vec![
            Mutation::AttemptInsert(Box::new(old.clone())),
            Mutation::AttemptUpdate(Box::new(AttemptRecord { state: gone, ..old })),
            Mutation::AttemptInsert(Box::new(live.clone())),
        ]);
        if !state.is_final() {
            expected.push((record, live));
        }
    }
    let loaded = desk.load();
    assert_eq!(loaded.accept_seq.0, 27);
    let (tasks, attempts): (Vec<_>, Vec<_>) = expected.into_iter().unzip();
    assert_eq!(loaded.tasks, tasks);
    assert_eq!(loaded.attempts, attempts);
}

/// A prefetch gives the records of the tasks named that have ended, each once.
pub fn a_prefetch_finds_what_has_ended_and_nothing_else<B: Bench>() {
    let mut desk = Desk::<B>::new();
    for (seq, state) in (1..).zip(STATES) {
        insert(&mut desk, TaskRecord { state, ..task(seq) });
    }
    let mut cold = desk.bench.owner().cold().expect("it can be read beside");
    let all: Vec<TaskId> = (1..=20).map(TaskId).collect();
    let found = cold.prefetch(&all).expect("it reads");
    let ended = (1..).zip(STATES).filter(|(_, state)| state.is_final());
    let expected: Vec<_> = ended
        .map(|(seq, state)| TaskRecord { state, ..task(seq) })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(
        cold.prefetch(&[TaskId(7)]).expect("it reads"),
        expected[..1]
    );
    assert_eq!(cold.prefetch(&[]).expect("it reads"), []);
    let end = TaskRecord {
        state: TaskState::Failed,
        revision: 2,
        ..task(2)
    };
    desk.commit(vec![Mutation::TaskUpdate(Arc::new(end.clone()))]);
    assert_eq!(
        cold.prefetch(&[TaskId(2)]).expect("it reads"),
        [end],
        "it sees every commit"
    );
}

/// What readers see is what was committed last, all the way to the end.
pub fn a_whole_life_is_read_back_at_each_point<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let mut record = task(1);
    insert(&mut desk, record.clone());
    let path = [
        TaskState::Waiting(WaitingFor::Time),
        TaskState::Queued,
        TaskState::Dispatched,
        TaskState::Running,
        TaskState::Waiting(WaitingFor::Backoff),
        TaskState::Queued,
        TaskState::Dispatched,
        TaskState::CancelRequested,
        TaskState::Cancelled,
    ];
    for state in path {
        record.state = state;
        record.revision += 1;
        if state.is_final() {
            record.ended_at = Some(WallMs(77));
            record.end = Some(TaskEnd::Finished {
                finish: FinishReason::Cancelled,
                tokens_in: 3,
                tokens_out: 4,
                decode_ms: 5,
            });
        }
        desk.commit(vec![Mutation::TaskUpdate(Arc::new(record.clone()))]);
        let kept = desk.read(async |store| store.task_get(record.tenant, record.id).await);
        assert_eq!(kept.map(|kept| kept.record), Some(record.clone()));
        let live = if state.is_final() {
            vec![]
        } else {
            vec![record.clone()]
        };
        assert_eq!(desk.load().tasks, live);
    }
}
