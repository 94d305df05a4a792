//! Streams, from the typed event to the typed event.

use std::time::Duration;

use api_client::{ApiError, ClientEvent};
use api_server::{
    support::{EventStream, ServerEvent},
    tasks::TaskStreamResponse,
};
use api_types::{FinishReason, ProblemCode, StreamEnd, StreamToken, TaskStreamEvent};
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use crate::daemon::{Served, problem};

fn id(i: u64) -> String {
    format!("{i}-{i:016x}")
}

fn token(i: u64) -> ServerEvent<TaskStreamEvent> {
    ServerEvent {
        id: Some(id(i)),
        event: TaskStreamEvent::Token(StreamToken {
            t: format!("wörd\n{i}"),
            i,
        }),
    }
}

fn end() -> ServerEvent<TaskStreamEvent> {
    ServerEvent {
        id: None,
        event: TaskStreamEvent::End(StreamEnd {
            tokens_in: 1,
            tokens_out: 2,
            decode_ms: 3,
            finish_reason: FinishReason::Stop,
        }),
    }
}

fn answer(events: Vec<ServerEvent<TaskStreamEvent>>) -> TaskStreamResponse {
    TaskStreamResponse::Ok200 {
        body: EventStream::new(stream::iter(events)),
    }
}

async fn read(served: &Served) -> Vec<Result<ClientEvent<TaskStreamEvent>, ApiError>> {
    let mut reader = served.client.task_stream(&Uuid::from_u128(7), None);
    let mut events = Vec::new();
    while let Some(event) = reader.next().await {
        events.push(event);
    }
    events
}

fn same(sent: &ServerEvent<TaskStreamEvent>, got: &ClientEvent<TaskStreamEvent>) -> bool {
    sent.id == got.id && sent.event == got.event
}

#[tokio::test]
async fn a_broken_stream_goes_on_after_its_last_id() {
    let served = Served::start().await;
    {
        let mut answers = served.daemon.stream.lock().unwrap();
        answers.push_back(answer(vec![token(0), token(1)]));
        answers.push_back(problem(503, ProblemCode::StoreUnavailable, "restarting").into());
        answers.push_back(answer(vec![]));
        answers.push_back(answer(vec![token(2), end(), token(3)]));
    }
    let events: Vec<_> = read(&served)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let sent = [token(0), token(1), token(2), end()];
    assert_eq!(
        events.len(),
        sent.len(),
        "nothing follows the terminal event"
    );
    assert!(
        sent.iter().zip(&events).all(|(sent, got)| same(sent, got)),
        "{events:?}"
    );
    let asked = served.daemon.streamed.lock().unwrap();
    let asked: Vec<_> = asked
        .iter()
        .map(|params| params.last_event_id.as_deref())
        .collect();
    let last = id(1);
    assert_eq!(asked, [None, Some(&*last), Some(&*last), Some(&*last)]);
}

#[tokio::test]
async fn a_reader_may_be_given_up_and_taken_up_by_its_id() {
    let served = Served::start().await;
    {
        let mut answers = served.daemon.stream.lock().unwrap();
        answers.push_back(answer(vec![token(0), token(1), end()]));
        answers.push_back(answer(vec![token(1), end()]));
    }
    let task = Uuid::from_u128(7);
    let mut reader = served.client.task_stream(&task, None);
    assert!(same(&token(0), &reader.next().await.unwrap().unwrap()));
    let last = reader.last_event_id().unwrap().to_owned();
    drop(reader);
    let reader = served.client.task_stream(&task, Some(&last));
    let rest: Vec<_> = reader.into_stream().map(Result::unwrap).collect().await;
    assert!(same(&token(1), &rest[0]) && same(&end(), &rest[1]));
    let asked = served.daemon.streamed.lock().unwrap();
    assert_eq!(asked[1].last_event_id.as_deref(), Some(&*id(0)));
}

#[tokio::test]
async fn nothing_left_ends_the_reader() {
    let served = Served::start().await;
    served
        .daemon
        .stream
        .lock()
        .unwrap()
        .push_back(TaskStreamResponse::NoContent204);
    assert!(read(&served).await.is_empty());
}

#[tokio::test]
async fn a_refusal_for_good_is_given_to_the_caller_at_once() {
    let served = Served::start().await;
    let refusal = problem(404, ProblemCode::NotFound, "no such task");
    served
        .daemon
        .stream
        .lock()
        .unwrap()
        .push_back(refusal.into());
    let events = read(&served).await;
    let [Err(ApiError::Problem { status: 404, .. })] = events.as_slice() else {
        panic!("{events:?}");
    };
}

#[tokio::test]
async fn the_reply_keeps_caches_and_proxies_away_and_shows_life_in_silence() {
    let served = Served::start().await;
    let silent = EventStream::new(stream::once(async { token(0) }).chain(stream::pending()));
    let body = silent.keep_alive(Duration::from_millis(1));
    let answer = TaskStreamResponse::Ok200 { body };
    served.daemon.stream.lock().unwrap().push_back(answer);
    let url = format!("{}/v1/tasks/{}/stream", served.url, Uuid::from_u128(7));
    let mut response = reqwest::get(url).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-cache, no-store");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut text = String::new();
    while !text.ends_with(":\n\n:\n\n") {
        text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    let first = format!(
        "id: {}\nevent: token\ndata: {{\"t\":\"wörd\\n0\",\"i\":0}}\n\n",
        id(0)
    );
    assert!(text.starts_with(&first), "{text}");
}

#[tokio::test]
async fn an_event_that_is_passed_on_unread_arrives_as_it_was() {
    use api_types::support::Event;
    let served = Served::start().await;
    let event = TaskStreamEvent::read("thought", "{\n  \"x\": 1\n}").unwrap();
    let sent = ServerEvent { id: None, event };
    let answer = answer(vec![sent.clone(), end()]);
    served.daemon.stream.lock().unwrap().push_back(answer);
    let events = read(&served).await;
    assert!(same(&sent, events[0].as_ref().unwrap()), "{events:?}");
}

#[test]
fn an_event_that_this_version_does_not_know_is_kept_not_dropped() {
    use api_types::support::Event;
    let event = TaskStreamEvent::read("thought", "{\"x\":1}").unwrap();
    assert!(matches!(event, TaskStreamEvent::Unknown(_)));
    assert_eq!((event.name(), event.is_terminal()), ("thought", false));
    assert_eq!(event.data().unwrap(), "{\"x\":1}");
    assert!(TaskStreamEvent::read("token", "{\"t\":1}").is_err());
}
