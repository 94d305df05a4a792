//! What readers may see.

use std::sync::Arc;
use std::thread;

use orchestrator_core::id::{AttemptId, TaskId, TenantId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::task::{TaskRecord, TaskState};
use store::{ReadStore, TaskQuery};

use crate::bench::{Bench, Desk, block_on};
use crate::sample::{attempt, digest, task};

/// A task is found only by its own tenant.
pub fn a_stranger_sees_nothing_of_a_tenant<B: Bench>() {
    let mut desk = Desk::<B>::new();
    let body = desk.body("p");
    let owner = TenantId(5);
    let record = TaskRecord {
        tenant: owner,
        fingerprint: digest(1),
        ..task(1)
    };
    desk.commit(vec![Mutation::TaskInsert {
        record: Arc::new(record.clone()),
        body,
    }]);
    let seen_by = |tenant| desk.read(async |store| store.task_get(tenant, TaskId(1)).await);
    assert_eq!(seen_by(owner).map(|row| row.record), Some(record));
    assert_eq!(seen_by(TenantId::DEFAULT), None);
    assert_eq!(seen_by(TenantId(5 << 8)), None);
    assert_eq!(
        desk.read(async |store| store.task_get(owner, TaskId(2)).await),
        None
    );
}

/// Readers on other threads see each commit whole or not at all, and never go back.
pub fn reads_go_on_while_the_owner_writes<B: Bench>()
where
    B::Reader: Send,
{
    const COMMITS: u64 = 150;
    let mut desk = Desk::<B>::new();
    let body = desk.body("p");
    desk.commit(vec![
        Mutation::TaskInsert {
            record: Arc::new(task(1)),
            body,
        },
        Mutation::AttemptInsert(Box::new(attempt(1, 1, 1))),
    ]);
    let watchers: Vec<_> = (0..3)
        .map(|_| {
            let reader = desk.bench.reader();
            thread::spawn(move || block_on(watch(&reader)))
        })
        .collect();
    for step in 1..=COMMITS {
        let (body, chunk) = (desk.body("p"), desk.text(["x"]));
        let state = if step == COMMITS {
            TaskState::Completed
        } else {
            TaskState::Running
        };
        let record = TaskRecord {
            state,
            position: step,
            revision: step + 1,
            ..task(1)
        };
        desk.commit(vec![
            Mutation::TaskInsert {
                record: Arc::new(task(step + 1)),
                body,
            },
            Mutation::ChunkAppend {
                task: TaskId(1),
                attempt: AttemptId(1),
                from: step - 1,
                to: step,
                chunk,
            },
            Mutation::TaskUpdate(Arc::new(record)),
        ]);
    }
    for watcher in watchers {
        assert!(watcher.join().expect("the watcher saw no contradiction") > 0);
    }
}

/// Reads until the first task has ended; the number of reads.
async fn watch<R: ReadStore>(reader: &R) -> u64 {
    let (mut reads, mut position, mut newest) = (0, 0, 0);
    loop {
        let row = reader
            .task_get(TenantId::DEFAULT, TaskId(1))
            .await
            .expect("it reads");
        let record = row.expect("it was committed").record;
        assert!(record.position >= position, "a reader went back");
        position = record.position;
        let text = reader
            .task_text(TaskId(1))
            .await
            .expect("it reads")
            .expect("it is there");
        assert!(text.tokens() >= position, "a commit was seen in part");
        let list = TaskQuery {
            limit: 1,
            ..TaskQuery::default()
        };
        let page = reader.task_list(list).await.expect("it reads");
        let seq = page.rows[0].record.seq.0;
        assert!(seq > position && seq >= newest, "a commit was seen in part");
        newest = seq;
        reads += 1;
        if record.state.is_final() {
            return reads;
        }
    }
}
