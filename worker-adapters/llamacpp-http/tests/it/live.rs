//! The adapter against engines that really run: the same suite for `orch-engine` and for `llama-server`.

use serde_json::Value;
use test_harness_adapter_suite::generation;
use test_harness_adapter_suite::live::{LiveEngine, Pace, capture};
use test_harness_support::EngineServer;
use worker_adapter::{Generation, Prompt, Sampling};

use crate::dialect::Llamacpp;

/// The second of two models, where there are two.
const RANDOM: Option<&str> = Some("random");

/// An engine, and the model that is meant where it has several.
struct Engine(EngineServer, Option<&'static str>);

/// The dialect, for one model if it is named.
fn of(model: Option<&'static str>) -> Llamacpp {
    Llamacpp {
        model,
        ..Llamacpp::default()
    }
}

impl LiveEngine for Engine {
    fn url(&self) -> &str {
        self.0.url()
    }

    async fn is_idle(&self) -> bool {
        let query = self
            .1
            .map_or(String::new(), |name| format!("?model={name}"));
        let slots = reqwest::get(format!("{}/slots{query}", self.0.url()))
            .await
            .unwrap();
        let slots: Value = serde_json::from_slice(&slots.bytes().await.unwrap()).unwrap();
        let slots = slots.as_array().unwrap();
        slots.iter().all(|slot| slot["is_processing"] == false)
    }

    fn kill(&mut self) {
        self.0.kill();
    }
}

/// `orch-engine`, which takes minutes for its context when it is slowed down.
async fn orch_engine(pace: Pace) -> Option<Engine> {
    let args: &[&str] = match pace {
        Pace::Full => &[],
        Pace::Endless => &["--max-tokens-per-second", "4"],
    };
    Some(Engine(EngineServer::orch_engine(0, args), None))
}

/// `llama-server`, which cannot be slowed down, but forgets the oldest tokens and goes on for ever.
async fn llama_server(pace: Pace) -> Option<Engine> {
    let args: &[&str] = match pace {
        Pace::Full => &[],
        Pace::Endless => &["--context-shift"],
    };
    let server = EngineServer::llama_server(0, args)?;
    Some(Engine(server, None))
}

/// `orch-engine` with two models, of which another is in memory at first.
async fn orch_engine_of_two(pace: Pace) -> Option<Engine> {
    let args: &[&str] = match pace {
        Pace::Full => &[],
        Pace::Endless => &["--max-tokens-per-second", "4"],
    };
    Some(Engine(EngineServer::orch_engine_of_two(0, args), RANDOM))
}

/// `llama-server` as a router of two models, of which none is in memory at first.
async fn llama_router(pace: Pace) -> Option<Engine> {
    let args: &[&str] = match pace {
        Pace::Full => &[],
        Pace::Endless => &["--context-shift"],
    };
    let server = EngineServer::llama_router_of_two(0, args)?;
    Some(Engine(server, RANDOM))
}

async fn captured(engine: Option<Engine>) -> Option<Llamacpp> {
    let engine = engine?;
    let few = generation(Prompt::Raw("Write a poem.".to_owned()), 4);
    let whole = generation(Prompt::Chat("Write a poem about rain.".to_owned()), 60);
    // Any token at all, so that characters come in pieces and bytes that are no character too.
    let anything = Generation {
        sampling: Sampling {
            temperature: 100.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repeat_penalty: 1.0,
        },
        ignore_eos: true,
        ..generation(Prompt::Raw("Write a poem.".to_owned()), 40)
    };
    let asked = vec![("few", few), ("whole", whole), ("anything", anything)];
    let model = engine.1;
    let recordings = capture(&of(model), &engine, asked).await;
    Some(Llamacpp { recordings, model })
}

mod on_orch_engine {
    use super::{Llamacpp, Pace, captured, of, orch_engine};

    async fn capture() -> Option<Llamacpp> {
        captured(orch_engine(Pace::Full).await).await
    }

    test_harness_adapter_suite::live_conformance!(of(None), orch_engine, capture);
}

mod on_a_real_llama_server {
    use super::{Llamacpp, Pace, captured, llama_server, of};

    async fn capture() -> Option<Llamacpp> {
        captured(llama_server(Pace::Full).await).await
    }

    test_harness_adapter_suite::live_conformance!(of(None), llama_server, capture);
}

mod on_orch_engine_with_two_models {
    use super::{Llamacpp, Pace, RANDOM, captured, of, orch_engine_of_two};

    async fn capture() -> Option<Llamacpp> {
        captured(orch_engine_of_two(Pace::Full).await).await
    }

    test_harness_adapter_suite::live_conformance!(of(RANDOM), orch_engine_of_two, capture);
}

mod on_a_real_llama_server_with_two_models {
    use super::{Llamacpp, Pace, RANDOM, captured, llama_router, of};

    async fn capture() -> Option<Llamacpp> {
        captured(llama_router(Pace::Full).await).await
    }

    test_harness_adapter_suite::live_conformance!(of(RANDOM), llama_router, capture);
}
