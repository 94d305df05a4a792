//! Following streams.

use std::collections::VecDeque;

use api_client::types::{FinishReason, Problem, ProblemCode, TaskStreamEvent, support::Event};
use axum::{http::StatusCode, response::Html};
use serde_json::Value;

use crate::{
    fixtures::{IDS, TASK, attempt, end, failure, problem, started, token, waiting, whole},
    orch::{Orch, Ran, said, told, told_up_to},
    script::{Script, Step},
    server::{Server, nowhere},
};

fn task() -> String {
    TASK.to_string()
}

#[tokio::test]
async fn the_text_goes_to_standard_output_and_what_happens_to_standard_error() {
    let server = Server::start(Script::streaming(whole())).await;
    let ran = Orch::at(&server.url)
        .run(&["run", "Hi.", "--task-id", &task()])
        .await;
    insta::assert_snapshot!(ran.shown());
}

#[tokio::test]
async fn tokens_are_shown_as_they_come() {
    let steps = vec![
        started(),
        token(0, "rain"),
        Step::UntilReleased,
        token(1, " falls\n"),
        end(FinishReason::Length),
    ];
    let server = Server::start(Script::streaming(steps)).await;
    let orch = Orch::at(&server.url);
    let mut child = orch.start(&["run", "Hi."]);
    told(&mut child, "rain").await;
    server.release();
    let ran = orch.end(child).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), " falls\n"),
        "one line feed is enough: {ran:?}"
    );
}

#[tokio::test]
async fn quiet_leaves_nothing_but_the_text() {
    let server = Server::start(Script::streaming(whole())).await;
    let ran = Orch::at(&server.url).run(&["run", "-q", "Hi."]).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (Some(0), "rain on moss\n", "")
    );
}

#[tokio::test]
async fn a_text_without_tokens_is_empty() {
    let server = Server::start(Script::streaming(vec![started(), end(FinishReason::Stop)])).await;
    let ran = Orch::at(&server.url).run(&["run", "Hi."]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn programs_get_each_event_as_a_line() {
    let mut steps = whole();
    steps.insert(
        3,
        Step::send(
            None,
            TaskStreamEvent::read("weather", "{\"wind\": 3}").unwrap(),
        ),
    );
    let server = Server::start(Script::streaming(steps)).await;
    let ran = Orch::at(&server.url)
        .run(&["run", "Hi.", "--task-id", &task(), "-o", "json"])
        .await;
    for line in ran.stdout.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
    insta::assert_snapshot!(ran.shown());
}

#[tokio::test]
async fn a_broken_connection_is_taken_up_after_the_last_token() {
    let script = Script {
        streams: VecDeque::from([
            // It breaks before the first token, so that `started` comes again.
            vec![started()],
            vec![started(), token(0, "rain"), token(1, " on")],
            vec![attempt(2), token(2, " moss"), end(FinishReason::Stop)],
        ]),
        ..Script::default()
    };
    let server = Server::start(script).await;
    let ran = Orch::at(&server.url)
        .run(&["run", "Hi.", "--task-id", &task()])
        .await;
    insta::assert_snapshot!(ran.shown());
    insta::assert_snapshot!(server.calls()[1..].join("\n"));
}

#[tokio::test]
async fn a_server_that_comes_back_is_waited_for_and_that_is_said() {
    let begin = vec![
        started(),
        token(0, "rain"),
        token(1, " on"),
        Step::UntilReleased,
    ];
    let mut server = Server::start(Script::streaming(begin)).await;
    let url = server.url.clone();
    let orch = Orch::at(&url);
    let mut child = orch.start(&["run", "Hi.", "--task-id", &task()]);
    told(&mut child, "rain on").await;
    server.stop().await;
    let said = said(&mut child, "trying again\n").await;
    assert!(
        said.ends_with("the connection is lost; trying again\n"),
        "{said}"
    );
    let rest = vec![token(2, " moss"), end(FinishReason::Stop)];
    let server = Server::start_again(&url, Script::streaming(rest)).await;
    let ran = orch.end(child).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), " moss\n"),
        "{ran:?}"
    );
    assert!(
        !ran.stderr.contains("the connection is lost"),
        "it is said once: {ran:?}"
    );
    assert_eq!(
        server.calls(),
        [format!("task_stream {TASK} after {}", IDS[1])]
    );
}

/// Ends a run's server in the midst of the text, and puts something there that is no daemon.
async fn lost(args: &[&str]) -> Ran {
    let begin = vec![
        started(),
        token(0, "rain"),
        token(1, " on"),
        Step::UntilReleased,
    ];
    let mut server = Server::start(Script::streaming(begin)).await;
    let url = server.url.clone();
    let orch = Orch::at(&url);
    let mut child = orch.start(args);
    let shown = if args.contains(&"json") {
        format!("\"id\":\"{}\",\"data\":{{", IDS[1])
    } else {
        "rain on".to_owned()
    };
    told_up_to(&mut child, &shown).await;
    server.stop().await;
    let _page =
        Server::answering_at(&url, || (StatusCode::NOT_FOUND, Html("<h1>Not here</h1>"))).await;
    orch.end(child).await
}

#[tokio::test]
async fn a_stream_that_is_lost_for_good_says_how_to_go_on_with_it() {
    let ran = lost(&["run", "-q", "Hi.", "--task-id", &task()]).await;
    insta::assert_snapshot!(ran.shown());
    let ran = lost(&["task", "stream", &task(), "-o", "json"]).await;
    assert_eq!(ran.code, Some(7), "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(told["task_id"], task());
    assert_eq!(told["last_event_id"], IDS[1]);
}

#[tokio::test]
async fn a_task_that_fails_has_a_status_of_its_own() {
    let lost = problem(
        ProblemCode::WorkerReset,
        500,
        "The engine broke off",
        "the engine was lost 3 times",
    );
    let server = Server::start(Script::streaming(vec![
        started(),
        token(0, "rain"),
        failure(lost.clone()),
    ]))
    .await;
    insta::assert_snapshot!(
        Orch::at(&server.url)
            .run(&["run", "Hi.", "--task-id", &task()])
            .await
            .shown()
    );
    let server = Server::start(Script::streaming(vec![failure(lost.clone())])).await;
    let ran = Orch::at(&server.url)
        .run(&["run", "Hi.", "-o", "json"])
        .await;
    assert_eq!(ran.code, Some(1));
    assert_eq!(serde_json::from_str::<Problem>(&ran.stderr).unwrap(), lost);
    let diverged = problem(
        ProblemCode::StreamDiverged,
        500,
        "Another text",
        "the hash differs",
    );
    let server = Server::start(Script::streaming(vec![failure(diverged)])).await;
    let ran = Orch::at(&server.url)
        .run(&["task", "stream", &task()])
        .await;
    assert_eq!(ran.code, Some(5), "this is no failure of the task: {ran:?}");
}

#[tokio::test]
async fn a_task_that_somebody_else_cancels_did_not_do_what_was_asked() {
    let server = Server::start(Script::streaming(vec![
        started(),
        end(FinishReason::Cancelled),
    ]))
    .await;
    let ran = Orch::at(&server.url)
        .run(&["run", "Hi.", "--task-id", &task()])
        .await;
    insta::assert_snapshot!(ran.shown());
}

#[tokio::test]
async fn a_refused_task_is_not_followed() {
    let refusal = problem(
        ProblemCode::TaskIdConflict,
        409,
        "The task id is taken",
        "another body",
    );
    let server = Server::start(Script {
        create_refusal: Some(refusal),
        ..Script::default()
    })
    .await;
    let ran = Orch::at(&server.url).run(&["run", "Hi."]).await;
    assert_eq!(
        (ran.code, ran.stdout.as_str(), server.calls().len()),
        (Some(5), "", 1),
        "{ran:?}"
    );
}

#[tokio::test]
async fn an_answer_to_an_earlier_request_says_so() {
    let script = Script {
        replayed: Some(true),
        ..Script::streaming(whole())
    };
    let server = Server::start(script).await;
    insta::assert_snapshot!(
        Orch::at(&server.url)
            .run(&["run", "Hi.", "--task-id", &task()])
            .await
            .shown()
    );
}

#[tokio::test]
async fn nobody_there_to_take_the_task_is_told_at_once() {
    let ran = Orch::at(&nowhere()).run(&["run", "Hi."]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(7), ""), "{ran:?}");
}

#[tokio::test]
async fn nobody_there_to_be_read_from_is_told_at_once() {
    let ran = Orch::at(&nowhere()).run(&["task", "stream", &task()]).await;
    insta::assert_snapshot!(ran.shown());
    let starting = Problem {
        retriable: true,
        retry_after_ms: Some(60_000),
        ..problem(ProblemCode::NotReady, 503, "Not ready", "it is starting")
    };
    let server = Server::refusing(starting).await;
    let ran = Orch::at(&server.url)
        .run(&["task", "stream", &task()])
        .await;
    assert_eq!(ran.code, Some(7), "{ran:?}");
    assert!(ran.stderr.contains("it is starting"), "{ran:?}");
}

#[tokio::test]
async fn a_stream_can_be_read_from_the_middle_and_after_its_end() {
    let rest = vec![waiting(0), token(2, " moss"), end(FinishReason::Stop)];
    let server = Server::start(Script::streaming(rest)).await;
    let orch = Orch::at(&server.url);
    let ran = orch
        .run(&["task", "stream", &task(), "--last-event-id", IDS[1]])
        .await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), " moss\n"));
    let ran = orch
        .run(&["task", "stream", &task(), "--last-event-id", IDS[3]])
        .await;
    insta::assert_snapshot!(ran.shown());
    let asked: Vec<String> = [IDS[1], IDS[3]]
        .iter()
        .map(|id| format!("task_stream {TASK} after {id}"))
        .collect();
    assert_eq!(server.calls(), asked);
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_trouble() {
    let mut steps = vec![started(), token(0, "rain"), Step::UntilReleased];
    steps.extend(vec![token(1, " and rain"); 100]);
    steps.push(end(FinishReason::Stop));
    for format in ["table", "json"] {
        let server = Server::start(Script::streaming(steps.clone())).await;
        let orch = Orch::at(&server.url);
        let mut child = orch.start(&["task", "stream", &task(), "-o", format]);
        told(&mut child, if format == "json" { "{" } else { "rain" }).await;
        drop(child.stdout.take());
        server.release();
        let ran = orch.end(child).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(
            !ran.stderr.contains("error") && !ran.stderr.contains("panic"),
            "{ran:?}"
        );
    }
}
