//! What is put comes back as it was.

use std::sync::Arc;

use orchestrator_core::id::{AttemptId, TaskId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::task::AttemptState;
use store::{Payload, ReadStore, TaskBody, TaskText};

use crate::bench::{Bench, Desk};
use crate::draw::Draw;
use crate::sample::{attempt, changed_task, comparable, drawn_attempt, drawn_task, session, task};

/// Records drawn per property.
const DRAWN: u64 = 200;

/// Every field of a task, at acceptance and after an update, bit for bit.
pub fn every_task_field_survives<B: Bench>() {
    let mut desk = Desk::<B>::new();
    for seed in 1..=DRAWN {
        let draw = &mut Draw::new(seed);
        let mut record = drawn_task(draw, seed);
        record.id = TaskId(record.id.0 ^ u128::from(seed) << 64 | u128::from(seed));
        let body = desk.body("");
        desk.commit(vec![Mutation::TaskInsert {
            record: Arc::new(record.clone()),
            body,
        }]);
        let (tenant, id) = (record.tenant, record.id);
        let kept = desk
            .read(async |store| store.task_get(tenant, id).await)
            .expect("it was put");
        assert_eq!(
            comparable(&kept.record),
            comparable(&record),
            "inserted from seed {seed}"
        );

        let changed = changed_task(draw, &record, 2);
        desk.commit(vec![Mutation::TaskUpdate(Arc::new(changed.clone()))]);
        let kept = desk
            .read(async |store| store.task_get(tenant, id).await)
            .expect("it was put");
        assert_eq!(
            comparable(&kept.record),
            comparable(&changed),
            "updated from seed {seed}"
        );
    }
}

/// Every field of an attempt, at its beginning and at its end.
pub fn every_attempt_field_survives<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let body = desk.body("p");
    desk.commit(vec![Mutation::TaskInsert {
        record: Arc::new(task(1)),
        body,
    }]);
    let mut expected = Vec::new();
    for seed in 1..=DRAWN {
        let draw = &mut Draw::new(seed);
        let mut record = drawn_attempt(draw);
        record.id = AttemptId(u128::MAX - u128::from(seed));
        record.task = TaskId(1);
        record.number = u32::MAX - DRAWN as u32 + seed as u32;
        record.state = AttemptState::Live;
        desk.commit(vec![Mutation::AttemptInsert(Box::new(record.clone()))]);
        if seed % 2 == 0 {
            let (id, number) = (record.id, record.number);
            record = drawn_attempt(draw);
            (record.id, record.task, record.number) = (id, TaskId(1), number);
            desk.commit(vec![Mutation::AttemptUpdate(Box::new(record.clone()))]);
        }
        expected.push(record);
    }
    assert_eq!(
        desk.read(async |store| store.attempt_list(TaskId(1)).await),
        expected
    );
}

/// The text of a prompt with any characters, and metadata in the caller's order.
pub fn a_body_survives<B: Bench>() {
    let mut desk = Desk::<B>::new();
    for seed in 1..=DRAWN {
        let draw = &mut Draw::new(seed);
        let body = TaskBody {
            prompt: draw.text(),
            metadata: (0..draw.bits() % 4)
                .map(|_| (draw.text(), draw.text()))
                .collect(),
        };
        let payload = desk.payload(Payload::Body(body.clone()));
        let record = task(seed);
        desk.commit(vec![Mutation::TaskInsert {
            record: Arc::new(record.clone()),
            body: payload,
        }]);
        let kept = desk.read(async |store| store.task_body(record.id).await);
        assert_eq!(kept.as_ref(), Some(&body), "seed {seed}");
        let row = desk.read(async |store| store.task_get(record.tenant, record.id).await);
        assert_eq!(
            row.expect("it was put").metadata,
            body.metadata,
            "seed {seed}"
        );
    }
    assert_eq!(
        desk.read(async |store| store.task_body(TaskId(9_999)).await),
        None
    );
}

/// A prompt of 4 MiB and a text of 100,000 tokens.
pub fn a_huge_body_and_a_huge_text_survive<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let prompt = "0123456789abcde\n".repeat(4 << 16);
    let body = desk.body(&prompt);
    let mut text = TaskText::default();
    (0..100_000).for_each(|token| text.push(if token % 7 == 0 { "" } else { " wörd" }));
    let payload = desk.payload(Payload::Text(text.clone()));
    desk.commit(vec![
        Mutation::TaskInsert {
            record: Arc::new(task(1)),
            body,
        },
        Mutation::TextPut {
            task: TaskId(1),
            text: payload,
        },
    ]);
    let desk = desk.reopened();
    let kept = desk.read(async |store| store.task_body(TaskId(1)).await);
    assert!(kept.is_some_and(|kept| kept.prompt == prompt));
    let kept = desk.read(async |store| store.task_text(TaskId(1)).await);
    assert!(kept.is_some_and(|kept| kept == text));
}

/// Closing and opening again loses nothing, and the log goes on where it stood.
pub fn what_is_committed_outlives_the_store<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let body = desk.body("a prompt");
    let chunk = desk.text(["one", " two"]);
    desk.commit(vec![
        Mutation::TaskInsert {
            record: Arc::new(task(7)),
            body,
        },
        Mutation::AttemptInsert(Box::new(attempt(70, 7, 1))),
        Mutation::ChunkAppend {
            task: TaskId(7),
            attempt: AttemptId(70),
            from: 0,
            to: 2,
            chunk,
        },
        Mutation::SessionPut(Box::new(session(5))),
    ]);
    let epoch = desk.epoch;
    let mut desk = desk.reopened();
    assert!(desk.epoch > epoch, "opening again begins a term");
    let loaded = desk.load();
    assert_eq!(loaded.commit_seq, 1);
    assert_eq!(loaded.accept_seq.0, 7);
    assert_eq!(loaded.tasks, [task(7)]);
    assert_eq!(loaded.attempts, [attempt(70, 7, 1)]);
    assert_eq!(loaded.sessions, [session(5)]);
    let text = desk.read(async |store| store.task_text(TaskId(7)).await);
    assert_eq!(text.map(|text| text.text), Some("one two".into()));
    desk.commit(vec![]);
}
