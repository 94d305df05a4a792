//! Ctrl-C.

use api_client::types::{FinishReason, ProblemCode};

use crate::{
    fixtures::{self, TASK, end, problem, started, token},
    orch::{Orch, interrupt, told},
    script::{Script, Step},
    server::Server,
};

/// A task that runs until it is cancelled.
fn endless() -> Script {
    let steps = vec![
        started(),
        token(0, "rain"),
        Step::UntilCancelled,
        token(1, " on"),
        end(FinishReason::Cancelled),
    ];
    Script {
        task: Ok(fixtures::cancelled()),
        ..Script::streaming(steps)
    }
}

#[tokio::test]
async fn ctrl_c_cancels_the_task_and_follows_it_to_its_end() {
    let server = Server::start(endless()).await;
    let orch = Orch::at(&server.url);
    let id = TASK.to_string();
    let mut child = orch.start(&["run", "Hi.", "--task-id", &id]);
    told(&mut child, "rain").await;
    interrupt(&child);
    let ran = orch.end(child).await;
    insta::assert_snapshot!(ran.shown());
    assert!(
        server.calls().contains(&format!("task_cancel {id}")),
        "{:?}",
        server.calls()
    );
}

#[tokio::test]
async fn a_second_ctrl_c_leaves_at_once() {
    let server = Server::start(endless()).await;
    let orch = Orch::at(&server.url);
    let mut child = orch.start(&["run", "Hi."]);
    told(&mut child, "rain").await;
    server.be_silent();
    interrupt(&child);
    server.asked("task_cancel").await;
    interrupt(&child);
    let ran = orch.end(child).await;
    assert_eq!(ran.code, Some(130), "{ran:?}");
}

#[tokio::test]
async fn a_cancel_that_fails_is_told() {
    let refused = problem(
        ProblemCode::StoreUnavailable,
        503,
        "The store does not answer",
        "the disk is full",
    );
    let server = Server::start(Script {
        task: Err(Box::new(refused)),
        ..endless()
    })
    .await;
    let orch = Orch::at(&server.url);
    let mut child = orch.start(&["run", "Hi."]);
    told(&mut child, "rain").await;
    interrupt(&child);
    let ran = orch.end(child).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), "\n"), "{ran:?}");
    assert!(ran.stderr.contains("not cancelled"), "{ran:?}");
    assert!(ran.stderr.contains("the disk is full"), "{ran:?}");
}

#[tokio::test]
async fn ctrl_c_before_the_answer_says_what_is_not_known() {
    let server = Server::start(Script {
        silent: true,
        ..Script::default()
    })
    .await;
    let orch = Orch::at(&server.url);
    let id = TASK.to_string();
    let child = orch.start(&["run", "Hi.", "--task-id", &id]);
    server.asked("task_create").await;
    interrupt(&child);
    insta::assert_snapshot!(orch.end(child).await.shown());
}

#[tokio::test]
async fn ctrl_c_only_leaves_a_stream_that_is_watched() {
    let server = Server::start(endless()).await;
    let orch = Orch::at(&server.url);
    let mut child = orch.start(&["task", "stream", &TASK.to_string()]);
    told(&mut child, "rain").await;
    interrupt(&child);
    insta::assert_snapshot!(orch.end(child).await.shown());
    assert_eq!(server.calls().len(), 1, "{:?}", server.calls());
}

#[tokio::test]
async fn a_second_ctrl_c_is_heard_while_nobody_reads_the_text() {
    // Far more than a pipe holds, so that the program is stuck in writing.
    let steps = vec![token(0, &"rain ".repeat(100_000)), Step::UntilCancelled];
    let server = Server::start(Script::streaming(steps)).await;
    let orch = Orch::at(&server.url);
    let mut child = orch.start(&["task", "stream", &TASK.to_string()]);
    told(&mut child, "rain ").await;
    interrupt(&child);
    interrupt(&child);
    // Two signals of one kind that come together count as one, so more are sent until it is gone.
    while child.try_wait().unwrap().is_none() {
        interrupt(&child);
        tokio::task::yield_now().await;
    }
    assert_eq!(child.wait().await.unwrap().code(), Some(130));
}
