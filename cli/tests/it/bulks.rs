//! Many tasks in one command.

use std::collections::VecDeque;

use api_client::types::{Bulk, BulkAction, BulkFilterShown, BulkSkipReason, BulkState};
use uuid::Uuid;

use crate::{
    fixtures::{self, SESSION},
    orch::Orch,
    script::Script,
    server::Server,
};

const BULK: Uuid = Uuid::from_u128(0x019a_2f3c_7a51_7c40_9a53_0000_0000_00b1);

/// A bulk over everything; one that was begun began three minutes ago.
fn bulk(action: BulkAction, state: BulkState, changed: u64, skipped: u64) -> Bulk {
    let began = fixtures::minutes_ago(3);
    let counted = state == BulkState::DryRun;
    let reason = match action {
        BulkAction::Requeue => BulkSkipReason::NotParked,
        _ => BulkSkipReason::CancelRequested,
    };
    Bulk {
        bulk_id: (!counted).then_some(BULK),
        action,
        ended_at_ms: (state == BulkState::Done).then_some(began + 840),
        state,
        filter: BulkFilterShown::default(),
        matched: changed + skipped,
        changed,
        skipped,
        skip_reason: (skipped > 0).then_some(reason),
        created_at_ms: (!counted).then_some(began),
        counted_at_ms: counted.then_some(began),
        created_by: (!counted).then(|| "5f0c9a3be1d27448".to_owned()),
    }
}

fn narrow() -> BulkFilterShown {
    BulkFilterShown {
        state: Some("queued".to_owned()),
        priority: Some("batch".to_owned()),
        session_id: Some(SESSION),
        project_id: None,
        created_from_ms: None,
        created_before_ms: Some(1_763_664_000_000),
    }
}

pub(crate) fn done() -> Bulk {
    bulk(BulkAction::Cancel, BulkState::Done, 2, 0)
}

fn answering(bulks: impl IntoIterator<Item = Bulk>) -> Script {
    Script {
        bulks: VecDeque::from_iter(bulks),
        ..Script::default()
    }
}

#[tokio::test]
async fn it_is_begun_with_its_filter_and_looked_at_until_it_is_done() {
    let running = |changed| bulk(BulkAction::Cancel, BulkState::Running, changed, 0);
    let ended = Bulk {
        filter: narrow(),
        ..bulk(BulkAction::Cancel, BulkState::Done, 9, 1)
    };
    let server = Server::start(answering([running(0), running(4), ended])).await;
    let session = SESSION.to_string();
    let args = [
        "task",
        "cancel",
        "--all",
        "--state",
        "queued",
        "--priority",
        "batch",
        "--session",
        &session,
        "--created-before",
        "2025-11-20T18:40:00Z",
    ];
    let ran = Orch::at(&server.url).run(&args).await;
    insta::assert_snapshot!("task_cancel_all", ran.shown());
    let begun = format!(
        r#"task_cancel_bulk {{"filter":{{"state":"queued","priority":"batch","session_id":"{session}","created_before_ms":1763664000000}}}}"#
    );
    let look = format!("bulk_get {BULK}");
    assert_eq!(server.calls(), [begun, look.clone(), look]);
}

#[tokio::test]
async fn a_dry_run_is_one_question() {
    let counted = bulk(BulkAction::Requeue, BulkState::DryRun, 1, 3);
    let server = Server::start(answering([counted.clone()])).await;
    let orch = Orch::at(&server.url);
    let args = ["task", "requeue", "--all", "--dry-run"];
    let ran = orch.run(&args).await;
    insta::assert_snapshot!("task_requeue_all_dry_run", ran.shown());
    let json = orch.run(&[&args[..], &["-o", "json"]].concat()).await;
    let shown: Bulk = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(shown, counted);
    let asked = r#"task_requeue_bulk {"filter":{},"dry_run":true}"#.to_owned();
    assert_eq!(server.calls(), [asked.clone(), asked]);
}

#[tokio::test]
async fn a_bulk_is_looked_at_by_its_id() {
    let running = bulk(BulkAction::Requeue, BulkState::Running, 4, 2);
    let server = Server::start(answering([running.clone()])).await;
    let orch = Orch::at(&server.url);
    let id = BULK.to_string();
    insta::assert_snapshot!(
        "bulk_get_running",
        orch.run(&["bulk", "get", &id]).await.shown()
    );
    let json = orch.run(&["bulk", "get", &id, "-o", "json"]).await;
    let shown: Bulk = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(shown, running);
    assert_eq!(
        server.calls(),
        [format!("bulk_get {id}"), format!("bulk_get {id}")]
    );
    let server = Server::start(answering([done()])).await;
    let ran = Orch::at(&server.url).run(&["bulk", "get", &id]).await;
    insta::assert_snapshot!("bulk_get_done", ran.shown());
}

#[tokio::test]
async fn one_task_or_all_of_them_must_be_meant() {
    let server = Server::start(Script::default()).await;
    let orch = Orch::at(&server.url);
    let id = BULK.to_string();
    for args in [
        &["task", "cancel"][..],
        &["task", "cancel", &id, "--all"],
        &["task", "cancel", &id, "--dry-run"],
        &["task", "requeue", "--state", "parked"],
        &["task", "requeue", "--all", "--state", "completed"],
    ] {
        let ran = orch.run(args).await;
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.shown());
    }
    assert!(server.calls().is_empty());
}
