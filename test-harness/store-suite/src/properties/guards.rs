//! A mutation whose guard does not hold is a bug of the owner's, told as such, and nothing is done.

use std::sync::Arc;

use orchestrator_core::id::{AcceptSeq, AttemptId, PayloadRef, TaskId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::task::{AttemptRecord, AttemptState, FinishReason, TaskRecord};
use store::{CommitError, Payload, TaskText};

use crate::bench::{Bench, Desk};
use crate::picture::Picture;
use crate::sample::{attempt, session, task};

/// One mutation that must be refused, with why. The payloads are in the commit: 0 a body, 1 a text of two
/// tokens, 2 a text whose boundaries are wrong.
fn faulty() -> Vec<(&'static str, Mutation)> {
    let update = |seq, revision| {
        Mutation::TaskUpdate(Arc::new(TaskRecord {
            revision,
            ..task(seq)
        }))
    };
    let insert = |record, body| Mutation::TaskInsert {
        record: Arc::new(record),
        body: PayloadRef(body),
    };
    let chunk = |task, attempt, from, to, chunk| Mutation::ChunkAppend {
        task: TaskId(task),
        attempt: AttemptId(attempt),
        from,
        to,
        chunk: PayloadRef(chunk),
    };
    let text = |task, text| Mutation::TextPut {
        task: TaskId(task),
        text: PayloadRef(text),
    };
    let begun = |record: AttemptRecord| Mutation::AttemptInsert(Box::new(record));
    let ended = |record: AttemptRecord| Mutation::AttemptUpdate(Box::new(record));
    let other_id = |id, record: TaskRecord| TaskRecord {
        id: TaskId(id),
        ..record
    };
    vec![
        ("the revision is not the next", update(1, 3)),
        ("the revision is the stored one", update(1, 1)),
        ("no such task", update(50, 2)),
        (
            "the id is taken",
            insert(
                TaskRecord {
                    seq: AcceptSeq(90),
                    ..task(1)
                },
                0,
            ),
        ),
        (
            "the accept sequence is taken",
            insert(other_id(91, task(2)), 0),
        ),
        (
            "the accept sequence lies below the highest",
            insert(other_id(92, task(3)), 0),
        ),
        (
            "it does not begin at revision 1",
            insert(
                TaskRecord {
                    revision: 2,
                    ..task(90)
                },
                0,
            ),
        ),
        ("its body is missing", insert(task(90), 9)),
        ("its body is a text", insert(task(90), 1)),
        ("the chunk leaves a gap", chunk(1, 10, 3, 5, 1)),
        ("the chunk overlaps", chunk(1, 10, 1, 3, 1)),
        ("the chunk comes again", chunk(1, 10, 0, 2, 1)),
        (
            "the chunk has another number of tokens",
            chunk(1, 10, 2, 5, 1),
        ),
        ("the chunk is empty", chunk(1, 10, 2, 2, 1)),
        ("the chunk runs backwards", chunk(1, 10, 2, 0, 1)),
        ("the chunk is missing", chunk(1, 10, 2, 4, 9)),
        ("the chunk is a body", chunk(1, 10, 2, 4, 0)),
        ("the chunk's boundaries do not fit", chunk(1, 10, 2, 4, 2)),
        (
            "the chunk is of an attempt that has ended",
            chunk(2, 20, 0, 2, 1),
        ),
        (
            "the chunk is of another task's attempt",
            chunk(2, 10, 0, 2, 1),
        ),
        ("the chunk is of no attempt", chunk(1, 99, 2, 4, 1)),
        ("the chunk is of no task", chunk(50, 10, 0, 2, 1)),
        ("the text is put again", text(2, 1)),
        ("the text is of no task", text(50, 1)),
        ("the text is missing", text(1, 9)),
        ("the text's boundaries do not fit", text(1, 2)),
        ("the attempt's id is taken", begun(attempt(10, 1, 2))),
        (
            "the attempt's id is taken by another task",
            begun(attempt(20, 1, 2)),
        ),
        ("the attempt's number is taken", begun(attempt(11, 1, 1))),
        ("the attempt is of no task", begun(attempt(11, 50, 1))),
        ("the attempt has ended", ended(attempt(20, 2, 1))),
        ("the attempt does not exist", ended(attempt(99, 1, 1))),
        ("the attempt is another task's", ended(attempt(10, 2, 1))),
        (
            "there is no such session",
            Mutation::SessionDelete(session(99).key()),
        ),
    ]
}

fn furnish<B: Bench>(desk: &mut Desk<B>) {
    let bodies = [desk.body("one"), desk.body("two"), desk.body("four")];
    let chunk = desk.text(["a", "b"]);
    let whole = desk.text(["x"]);
    let ended = AttemptRecord {
        state: AttemptState::Finished(FinishReason::Stop),
        ..attempt(20, 2, 1)
    };
    desk.commit(vec![
        Mutation::TaskInsert {
            record: Arc::new(task(1)),
            body: bodies[0],
        },
        Mutation::TaskInsert {
            record: Arc::new(task(2)),
            body: bodies[1],
        },
        Mutation::TaskInsert {
            record: Arc::new(task(4)),
            body: bodies[2],
        },
        Mutation::AttemptInsert(Box::new(attempt(10, 1, 1))),
        Mutation::AttemptInsert(Box::new(attempt(20, 2, 1))),
        Mutation::ChunkAppend {
            task: TaskId(1),
            attempt: AttemptId(10),
            from: 0,
            to: 2,
            chunk,
        },
        Mutation::AttemptUpdate(Box::new(ended)),
        Mutation::TextPut {
            task: TaskId(2),
            text: whole,
        },
        Mutation::SessionPut(Box::new(session(1))),
    ]);
}

fn take_payloads<B: Bench>(desk: &mut Desk<B>) {
    assert_eq!(desk.body("body"), PayloadRef(0));
    assert_eq!(desk.text(["c", "d"]), PayloadRef(1));
    let askew = TaskText {
        text: "cd".into(),
        ends: vec![1, 3],
    };
    assert_eq!(desk.payload(Payload::Text(askew)), PayloadRef(2));
}

/// Each guard, alone.
pub fn every_broken_guard_is_told_and_changes_nothing<B: Bench>() {
    let mut desk = Desk::<B>::new();
    furnish(&mut desk);
    let before = Picture::take(&mut desk);
    for (why, mutation) in faulty() {
        take_payloads(&mut desk);
        let outcome = desk.try_commit(vec![mutation]);
        assert!(
            matches!(outcome, Err(CommitError::Broken(_))),
            "{why}: {outcome:?}"
        );
        assert_eq!(Picture::take(&mut desk), before, "{why}");
    }
    desk.commit(vec![Mutation::TaskUpdate(Arc::new(TaskRecord {
        revision: 2,
        ..task(1)
    }))]);
}

/// Mutations that are in order are not done either if a later one of the same commit is not.
pub fn a_failed_batch_leaves_nothing_behind<B: Bench>() {
    let mut desk = Desk::<B>::new();
    furnish(&mut desk);
    let before = Picture::take(&mut desk);
    for (why, mutation) in faulty() {
        take_payloads(&mut desk);
        let moved = TaskRecord {
            position: 2,
            revision: 2,
            ..task(4)
        };
        let other = TaskRecord {
            position: 7,
            revision: 2,
            ..task(2)
        };
        let good = vec![
            Mutation::TaskInsert {
                record: Arc::new(task(80)),
                body: PayloadRef(0),
            },
            Mutation::AttemptInsert(Box::new(attempt(800, 80, 1))),
            Mutation::AttemptInsert(Box::new(attempt(40, 4, 1))),
            Mutation::ChunkAppend {
                task: TaskId(4),
                attempt: AttemptId(40),
                from: 0,
                to: 2,
                chunk: PayloadRef(1),
            },
            Mutation::AttemptUpdate(Box::new(AttemptRecord {
                state: AttemptState::Finished(FinishReason::Length),
                ..attempt(40, 4, 1)
            })),
            Mutation::TextPut {
                task: TaskId(4),
                text: PayloadRef(1),
            },
            Mutation::TaskUpdate(Arc::new(moved)),
            Mutation::TaskUpdate(Arc::new(other)),
            Mutation::SessionPut(Box::new(session(2))),
            Mutation::SessionDelete(session(1).key()),
        ];
        let outcome = desk.try_commit(good.into_iter().chain([mutation]).collect());
        assert!(
            matches!(outcome, Err(CommitError::Broken(_))),
            "{why}: {outcome:?}"
        );
        assert_eq!(Picture::take(&mut desk), before, "{why}");
    }
}
