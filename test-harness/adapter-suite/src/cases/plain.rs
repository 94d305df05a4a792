//! Plain calls, and what a generation asks for.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use worker_adapter::{Adapter, AdapterFuture, Generation, Prompt, Sampling};

use super::setup::{first_recording, raw};
use crate::dialect::{Dialect, Exchange, Limits};
use crate::outcome::{Kind, collect, within};
use crate::scripted::{Reply, ScriptedServer, Step};

/// Each health reply means what the dialect says.
///
/// # Panics
/// If the adapter fails the case.
pub async fn health_is_read(dialect: Arc<impl Dialect>) {
    for exchange in dialect.healths() {
        check(&*dialect, exchange, |adapter| adapter.health()).await;
    }
}

/// Each reply about facts means what the dialect says.
///
/// # Panics
/// If the adapter fails the case.
pub async fn facts_are_read(dialect: Arc<impl Dialect>) {
    for exchange in dialect.facts() {
        check(&*dialect, exchange, |adapter| adapter.facts()).await;
    }
}

async fn check<T: PartialEq + Debug>(
    dialect: &impl Dialect,
    exchange: Exchange<T>,
    call: impl for<'a> Fn(&'a dyn Adapter) -> AdapterFuture<'a, T>,
) {
    let server = ScriptedServer::start(exchange.answer).await;
    let adapter = dialect.adapter(server.url(), Limits::AMPLE);
    let result = within(exchange.name, call(&*adapter)).await;
    assert_eq!(
        result.as_ref().map_err(Kind::from),
        exchange.means.as_ref().map_err(|kind| *kind),
        "{}: {result:?}",
        exchange.name
    );
}

/// Where nobody listens, every call says so.
///
/// # Panics
/// If the adapter fails the case.
pub async fn nobody_listens(dialect: Arc<impl Dialect>) {
    // Bound without listening, so that nobody else takes the port meanwhile.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", taken.local_addr().unwrap());
    let adapter = dialect.adapter(&url, Limits::AMPLE);
    let kinds = within("three refused connections", async {
        [
            adapter.health().await.err().as_ref().map(Kind::from),
            adapter.facts().await.err().as_ref().map(Kind::from),
            adapter.generate(raw()).await.err().as_ref().map(Kind::from),
        ]
    })
    .await;
    assert_eq!(kinds, [Some(Kind::Unreachable); 3]);
}

/// A plain call is not waited for longer than its limit.
///
/// # Panics
/// If the adapter fails the case.
pub async fn plain_calls_in_time(dialect: Arc<impl Dialect>) {
    let limits = Limits {
        reply: Duration::from_secs(3),
        ..Limits::AMPLE
    };
    let server = ScriptedServer::start(|_| Reply::default().then(Step::Stay)).await;
    let adapter = dialect.adapter(server.url(), limits);
    let mut health = adapter.health();
    tokio::select! {
        _ = &mut health => panic!("health without a reply"),
        () = within("the request", server.requested()) => {}
    }
    tokio::time::pause();
    let result = health.await;
    tokio::time::resume();
    let kind = result.err().as_ref().map(Kind::from);
    assert_eq!(kind, Some(Kind::TimedOut(limits.reply)));
}

/// What is asked for reaches the engine, every value of it: through the chat template and raw.
///
/// # Panics
/// If the adapter fails the case.
pub async fn says_everything(dialect: Arc<impl Dialect>) {
    let recording = first_recording(&*dialect);
    let text = "line\n\"quoted\" \\ 🌧".to_owned();
    for (prompt, flag) in [
        (Prompt::Raw(text.clone()), true),
        (Prompt::Chat(text), false),
    ] {
        let generation = Generation {
            prompt,
            max_tokens: 1 << 20,
            ignore_eos: flag,
            sampling: Sampling {
                temperature: 0.125,
                top_k: 17,
                top_p: 0.75,
                min_p: 0.0625,
                repeat_penalty: 1.5,
            },
            seed: 2_147_483_647,
            cache_reuse: !flag,
        };
        let asked = Arc::new(Mutex::new(None));
        let reply = recording.reply().chunk(&recording.body).end();
        let server = ScriptedServer::start({
            let (dialect, asked) = (Arc::clone(&dialect), Arc::clone(&asked));
            move |request| {
                dialect.preliminary(request).unwrap_or_else(|| {
                    *asked.lock().unwrap() = Some(request.clone());
                    reply.clone()
                })
            }
        })
        .await;
        let adapter = dialect.adapter(server.url(), Limits::AMPLE);
        let (_, result) = within("a generation", async {
            collect(adapter.generate(generation.clone()).await.unwrap()).await
        })
        .await;
        assert_eq!(result, Ok(()));
        let request = asked.lock().unwrap().take().unwrap();
        dialect.assert_says(&request, &generation);
    }
}
