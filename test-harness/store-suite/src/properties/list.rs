//! Lists: newest first, narrowed by filters, page by page.

use std::sync::Arc;

use orchestrator_core::id::{AcceptSeq, ProjectId, SessionId, TenantId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::task::TaskRecord;
use store::{Payload, ReadStore, TaskBody, TaskPage, TaskQuery, TaskRow, state_name};

use crate::bench::{Bench, Desk};
use crate::draw::Draw;
use crate::sample::{CLASSES, STATES, task};

const TASKS: u64 = 240;
const TENANTS: [TenantId; 2] = [TenantId::DEFAULT, TenantId(1 << 100)];
const PROJECTS: [ProjectId; 2] = [ProjectId::DEFAULT, ProjectId(1 << 90)];
const SESSIONS: [SessionId; 3] = [SessionId(0), SessionId(7), SessionId(u128::MAX)];

/// Tasks of two tenants in every state, class and session; given newest first.
fn furnished<B: Bench>() -> (Desk<B>, Vec<TaskRow>) {
    let mut desk = Desk::<B>::new();
    let draw = &mut Draw::new(42);
    let (mut rows, mut inserts) = (Vec::new(), Vec::new());
    for seq in 1..=TASKS {
        let mut record = TaskRecord {
            tenant: draw.one_of(&TENANTS),
            project: draw.one_of(&PROJECTS),
            state: draw.one_of(&STATES),
            seq: AcceptSeq(seq * 3),
            ..task(seq)
        };
        record.spec.priority = draw.one_of(&CLASSES);
        record.spec.session = draw.maybe(|draw| draw.one_of(&SESSIONS));
        let metadata = vec![("nr".to_owned(), seq.to_string())];
        let body = Payload::Body(TaskBody {
            prompt: "p".into(),
            metadata: metadata.clone(),
        });
        let body = desk.payload(body);
        inserts.push(Mutation::TaskInsert {
            record: Arc::new(record.clone()),
            body,
        });
        rows.insert(0, TaskRow { record, metadata });
    }
    desk.commit(inserts);
    (desk, rows)
}

fn page<B: Bench>(desk: &Desk<B>, query: &TaskQuery) -> TaskPage {
    desk.read(async |store| store.task_list(query.clone()).await)
}

/// Everything, with metadata, newest first.
pub fn a_list_shows_the_newest_first<B: Bench>() {
    let (desk, rows) = furnished::<B>();
    let all = page(
        &desk,
        &TaskQuery {
            limit: 1_000,
            ..TaskQuery::default()
        },
    );
    assert_eq!(all, TaskPage { rows, more: false });
    let none = page(
        &desk,
        &TaskQuery {
            limit: 0,
            ..TaskQuery::default()
        },
    );
    assert_eq!(
        none,
        TaskPage {
            rows: vec![],
            more: true
        }
    );
}

/// Every combination of filters gives exactly the tasks that pass each.
pub fn each_filter_of_a_list_narrows_it<B: Bench>() {
    let (desk, rows) = furnished::<B>();
    let some = |choices: Vec<_>| {
        choices
            .into_iter()
            .map(Some)
            .chain([None])
            .collect::<Vec<_>>()
    };
    for tenant in TENANTS.map(Some).into_iter().chain([None]) {
        for state in some(vec!["queued", "waiting", "completed", "nonsense"]) {
            for priority in CLASSES.map(Some).into_iter().chain([None]) {
                for session in SESSIONS.map(Some).into_iter().chain([None]) {
                    for (before, project) in [
                        (None, None),
                        (Some(AcceptSeq(300)), Some(PROJECTS[0])),
                        (None, Some(PROJECTS[1])),
                        (Some(AcceptSeq(0)), None),
                    ] {
                        let query = TaskQuery {
                            tenant,
                            project,
                            state,
                            priority,
                            session,
                            before,
                            limit: 1_000,
                        };
                        let expected = rows
                            .iter()
                            .filter(|row| passes(row, &query))
                            .cloned()
                            .collect();
                        assert_eq!(
                            page(&desk, &query),
                            TaskPage {
                                rows: expected,
                                more: false
                            },
                            "{query:?}"
                        );
                    }
                }
            }
        }
    }
}

fn passes(row: &TaskRow, query: &TaskQuery) -> bool {
    let record = &row.record;
    query.tenant.is_none_or(|tenant| tenant == record.tenant)
        && query
            .project
            .is_none_or(|project| project == record.project)
        && query
            .state
            .is_none_or(|state| state == state_name(record.state))
        && query
            .priority
            .is_none_or(|priority| priority == record.spec.priority)
        && query
            .session
            .is_none_or(|session| Some(session) == record.spec.session)
        && query.before.is_none_or(|before| record.seq < before)
}

/// Page after page gives every task once, whatever the size of a page.
pub fn a_cut_page_continues_without_gap_or_repeat<B: Bench>() {
    let (desk, rows) = furnished::<B>();
    for tenant in [None, Some(TENANTS[0])] {
        let mine = |row: &&TaskRow| tenant.is_none_or(|tenant| tenant == row.record.tenant);
        let expected: Vec<_> = rows.iter().filter(mine).map(|row| row.record.seq).collect();
        for limit in [1, 7, 60] {
            let mut query = TaskQuery {
                tenant,
                limit,
                ..TaskQuery::default()
            };
            let mut seen = Vec::new();
            loop {
                let TaskPage { rows, more } = page(&desk, &query);
                assert!(
                    rows.len() == limit as usize || !more,
                    "only the last page is short"
                );
                seen.extend(rows.iter().map(|row| row.record.seq));
                query.before = seen.last().copied();
                if !more {
                    break;
                }
            }
            assert_eq!(seen, expected, "{limit} a page");
        }
    }
}
