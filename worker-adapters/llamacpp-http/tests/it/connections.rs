//! Which connections an engine is asked on that promises to keep them.

use std::sync::Arc;

use llamacpp_http::{LlamacppAdapter, Timeouts};
use serde_json::json;
use test_harness_adapter_suite::scripted::{Reply, ScriptedServer, Step};
use test_harness_adapter_suite::{collect, generation, within};
use worker_adapter::{Adapter, AdapterError, GenerationEvent, Prompt};

use crate::recordings;

/// An engine that promises to keep its connections, and what it does with one after a stream.
async fn promising(then: Step) -> (ScriptedServer, Arc<dyn Adapter>) {
    let recording = recordings::kept().recordings.remove(0);
    let server = ScriptedServer::start(move |request| match request.path.as_str() {
        "/props" => {
            let props = json!({
                "default_generation_settings": {"n_ctx": 64},
                "total_slots": 1,
                "engine_version": "1",
                "keeps_connections": true,
            });
            Reply::json(200, &props.to_string())
        }
        _ => Reply::chunked("text/event-stream")
            .chunk(&recording.body)
            .end()
            .then(then.clone()),
    })
    .await;
    let adapter = LlamacppAdapter::new(server.url(), Timeouts::default()).unwrap();
    adapter.facts().await.unwrap();
    (server, Arc::new(adapter))
}

async fn generate(adapter: &dyn Adapter) -> Result<Vec<GenerationEvent>, AdapterError> {
    let asked = generation(Prompt::Raw("Write a poem.".to_owned()), 4);
    let stream = adapter.generate(asked).await?;
    let (events, result) = collect(stream).await;
    result.map(|()| events)
}

/// The last connection may not be at rest yet when the next generation begins, so that a second one is opened.
#[tokio::test]
async fn they_are_used_again() {
    let (server, adapter) = promising(Step::Next).await;
    within("generations", async {
        while server.connections() == server.answered() {
            generate(&*adapter).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_that_meets_a_close_is_lost_and_does_not_go_out_again() {
    let (server, adapter) = promising(Step::CloseAtNext).await;
    within("a request that meets a close", async {
        while server.cut_off() == 0 {
            let before = server.answered();
            match generate(&*adapter).await {
                Ok(_) => assert_eq!(server.answered(), before + 1),
                Err(error) => {
                    assert!(matches!(error, AdapterError::Reset(_)), "{error}");
                    assert_eq!(server.answered(), before, "it was asked again");
                }
            }
        }
    })
    .await;
}
