//! An engine that serves several models and has one in memory at a time.

use std::sync::{Arc, Mutex};

use llamacpp_http::{LlamacppAdapter, Timeouts};
use test_harness_adapter_suite::scripted::{Reply, ScriptedServer};
use test_harness_adapter_suite::{collect, generation, within};
use test_harness_support::EngineServer;
use worker_adapter::{Adapter, AdapterError, EngineFacts, Health, Prompt};

use crate::dialect::Llamacpp;
use crate::recordings;

/// The whole suite, with a name that a query cannot hold as it is.
mod named {
    use super::{Llamacpp, recordings};

    fn dialect() -> Llamacpp {
        Llamacpp {
            model: Some("a model & more"),
            ..recordings::kept()
        }
    }

    test_harness_adapter_suite::conformance!(dialect());
}

/// What a router of `llama-server` says of itself, as it was recorded.
const ROUTER_PROPS: &str = include_str!("../recordings/router-props.json");

fn adapter(url: &str, model: &str) -> LlamacppAdapter {
    let adapter = LlamacppAdapter::new(url, Timeouts::default()).unwrap();
    adapter.of_model(model)
}

#[tokio::test]
async fn facts_are_asked_of_the_model() {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let server = ScriptedServer::start({
        let paths = Arc::clone(&paths);
        move |request| {
            paths.lock().unwrap().push(request.path.clone());
            Reply::json(404, "{}")
        }
    })
    .await;
    let named = adapter(server.url(), "a model & more");
    within("facts", named.facts()).await.unwrap_err();
    assert_eq!(*paths.lock().unwrap(), ["/props?model=a+model+%26+more"]);
}

#[tokio::test]
async fn a_router_that_is_not_told_the_model_is_no_use() {
    let server = ScriptedServer::start(|_| Reply::json(200, ROUTER_PROPS)).await;
    let unnamed = LlamacppAdapter::new(server.url(), Timeouts::default()).unwrap();
    let error = within("facts", unnamed.facts()).await.unwrap_err();
    let what = "it serves several models, and was not told which of them is meant; give one of the names that its /models \
                lists as model_ref";
    assert_eq!(error, AdapterError::Refused(what.to_owned()));
}

async fn facts(adapter: &LlamacppAdapter) -> EngineFacts {
    within("facts", async {
        while adapter.health().await.unwrap() == Health::Loading {}
        adapter.facts().await.unwrap()
    })
    .await
}

/// Tokens that a short generation has.
async fn tokens(adapter: &LlamacppAdapter) -> usize {
    let mut asked = generation(Prompt::Chat("rain".to_owned()), 5);
    asked.ignore_eos = true;
    within("a generation", async {
        let (events, result) = collect(adapter.generate(asked).await.unwrap()).await;
        assert_eq!(result, Ok(()));
        events.len()
    })
    .await
}

/// Two adapters take turns: each has facts and generations of its own model, and who names another is refused.
async fn take_turns(server: &EngineServer) {
    let [haiku, random] = ["haiku", "random"].map(|name| adapter(server.url(), name));
    let of_haiku = facts(&haiku).await;
    let of_random = facts(&random).await;
    assert_ne!(of_haiku.ctx, of_random.ctx);
    assert_ne!(
        (&of_haiku.model_digest, &of_haiku.model_path),
        (&of_random.model_digest, &of_random.model_path)
    );
    for _ in 0..2 {
        assert_eq!(facts(&haiku).await, of_haiku);
        // The size of the prompt, five tokens, the end.
        assert_eq!(tokens(&haiku).await, 7);
        assert_eq!(tokens(&random).await, 7);
        assert_eq!(facts(&random).await, of_random);
    }
    let unknown = adapter(server.url(), "nope");
    let error = within("a refusal", unknown.facts()).await.unwrap_err();
    assert!(
        matches!(&error, AdapterError::Refused(told) if told.contains("'nope' not found")),
        "{error}"
    );
    let asked = generation(Prompt::Raw("rain".to_owned()), 5);
    let error = within("a refusal", unknown.generate(asked)).await.err();
    assert!(matches!(error, Some(AdapterError::Refused(_))), "{error:?}");
}

#[tokio::test]
async fn models_take_turns_on_orch_engine() {
    take_turns(&EngineServer::orch_engine_of_two(0, &[])).await;
}

#[tokio::test]
async fn models_take_turns_on_a_real_llama_server() {
    if let Some(server) = EngineServer::llama_router_of_two(0, &[]) {
        take_turns(&server).await;
    }
}
