//! Holding queues and letting them go on.

use api_client::types::{Queue, QueueClass, QueueFullPolicy, QueuePool, QueueSwitch};

use crate::{fixtures, orch::Orch, script::Script, server::Server};

pub(crate) fn switch(pool: Option<String>, paused: bool) -> QueueSwitch {
    QueueSwitch {
        pool,
        paused,
        since_ms: fixtures::days_ago(2),
        by: Some("1d20c4ef7a90b6e3".to_owned()),
    }
}

pub(crate) fn queue() -> Queue {
    let pool = |pool: &str, paused| QueuePool {
        pool: pool.to_owned(),
        paused,
    };
    let class = |class: &str, band, full_policy: Option<QueueFullPolicy>, queued| QueueClass {
        class: class.to_owned(),
        configured: full_policy.is_some(),
        band,
        weight: 1,
        capacity: full_policy.as_ref().map(|_| 1_024),
        full_policy,
        queued,
    };
    Queue {
        classes: vec![
            class("interactive", 1, Some(QueueFullPolicy::Reject), 3),
            class("soon", 1, Some(QueueFullPolicy::ShedLowPriority), 0),
            class("batch", 3, Some(QueueFullPolicy::DropLru), 40),
            class("nightly", 3, None, 7),
        ],
        pools: vec![pool("default", false), pool("large", true)],
        switches: vec![switch(None, false), switch(Some("large".to_owned()), true)],
    }
}

#[tokio::test]
async fn a_queue_is_held_goes_on_and_is_shown() {
    let server = Server::start(Script::default()).await;
    let orch = Orch::at(&server.url);
    let pause = orch.run(&["queue", "pause", "large"]).await;
    insta::assert_snapshot!("queue_pause", pause.shown());
    let resume = orch.run(&["queue", "resume"]).await;
    insta::assert_snapshot!("queue_resume", resume.shown());
    let shown = orch.run(&["queue", "get"]).await;
    insta::assert_snapshot!("queue_get", shown.shown());
    assert_eq!(
        server.calls(),
        [r#"queue_pause Some("large")"#, "queue_resume None"]
    );
}
