//! Tasks that were turned away.

use api_client::types::{Obstacle, ProblemCode, Refusal, RefusalPage};

use crate::{
    fixtures::{self, SESSION, TASK},
    orch::Orch,
    script::Script,
    server::Server,
};

/// A task that found its class full, and before it one without an id that no pool can take.
pub(crate) fn page() -> RefusalPage {
    let full = fixtures::refusal();
    let doomed = Refusal {
        refusal_id: uuid::uuid!("019a2f3c-7a52-7001-8000-0000000000ab"),
        correlation_id: "nightly/7".to_owned(),
        refused_at_ms: fixtures::days_ago(1),
        task_id: None,
        code: ProblemCode::SessionExhausted,
        blocked_by: Obstacle::Session,
        detail: format!("session {SESSION} has had its 8 turns"),
        limit_name: Some("session.turns_max".to_owned()),
        retry_after_ms: None,
        ..full.clone()
    };
    RefusalPage {
        refusals: vec![full, doomed],
        next_cursor: Some("17".to_owned()),
    }
}

#[tokio::test]
async fn refusals_are_listed_in_a_table_and_as_the_document_they_are() {
    let server = Server::start(Script::default()).await;
    let orch = Orch::at(&server.url);
    let args = ["refusal", "list", "--limit", "2", "--cursor", "19"];
    insta::assert_snapshot!("refusal_list", orch.run(&args).await.shown());
    let json = orch.run(&["refusal", "list", "-o", "json"]).await;
    let shown: RefusalPage = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(shown.next_cursor.as_deref(), Some("17"));
    assert_eq!(shown.refusals.len(), 2);
    assert_eq!(json.stderr, "");
    assert_eq!(
        server.calls(),
        [
            r#"refusal_list Some(2) Some("19")"#,
            "refusal_list None None"
        ]
    );
}

#[tokio::test]
async fn no_refusal_is_told_to_people_only() {
    let script = Script {
        refusals: RefusalPage {
            refusals: Vec::new(),
            next_cursor: None,
        },
        ..Script::default()
    };
    let server = Server::start(script).await;
    let ran = Orch::at(&server.url).run(&["refusal", "list"]).await;
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("", "no refusals\n")
    );
}

#[tokio::test]
async fn one_refusal_is_found_by_either_id_and_says_what_was_found() {
    let server = Server::start(Script::default()).await;
    let orch = Orch::at(&server.url);
    let by_correlation = orch.run(&["refusal", "get", "mine/1"]).await;
    insta::assert_snapshot!("refusal_get", by_correlation.shown());
    let task = TASK.to_string();
    let by_task = orch.run(&["refusal", "get", &task]).await;
    assert_eq!(by_task.shown(), by_correlation.shown());
    assert_eq!(
        server.calls(),
        [
            "refusal_get mine/1".to_owned(),
            format!("refusal_get {task}")
        ]
    );
    let gone = Script {
        refusal: Err(Box::new(fixtures::not_found())),
        ..Script::default()
    };
    let server = Server::start(gone).await;
    let ran = Orch::at(&server.url)
        .run(&["refusal", "get", "mine/1"])
        .await;
    assert_eq!(ran.code, Some(4), "{ran:?}");
    insta::assert_snapshot!("refusal_get_gone", ran.shown());
}
