//! A daemon and everything that a test says to it.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use api_client::types::{Task, TaskCreateRequest, TaskCreated, TaskState};
use api_client::{Backoff, Client, Options};
use serde_json::{Value, json};
use test_harness_e2e_haiku::exposition::Exposition;
use test_harness_e2e_haiku::wait::until;
use test_harness_support::{Daemon, DaemonOptions, binary};
use uuid::Uuid;

use crate::raw::Raw;

/// A daemon, a client that follows the contract, and one that need not.
pub(crate) struct World {
    pub(crate) daemon: Daemon,
    pub(crate) client: Client,
    pub(crate) raw: Raw,
    /// The key that both show, if the daemon asks for one.
    key: Option<ApiKey>,
}

impl World {
    /// A daemon without configuration that is ready.
    pub(crate) async fn ready() -> Self {
        Self::ready_with(DaemonOptions::default()).await
    }

    /// A ready daemon whose engine gives at most so many tokens a second.
    pub(crate) async fn throttled(tokens_per_second: f64) -> Self {
        Self::ready_with(throttle(tokens_per_second)).await
    }

    /// A daemon with these options that is ready.
    pub(crate) async fn ready_with(options: DaemonOptions) -> Self {
        let world = Self::with(options);
        world.until_ready().await;
        world
    }

    /// A daemon with these options that listens, and may not be ready.
    pub(crate) fn with(options: DaemonOptions) -> Self {
        let daemon = Daemon::start(options);
        let (client, raw) = talk_to(daemon.url(), None);
        Self {
            daemon,
            client,
            raw,
            key: None,
        }
    }

    /// A ready daemon that asks for keys. Everything is asked with the first one.
    pub(crate) async fn keyed() -> Self {
        Self::keyed_with(DaemonOptions::default()).await
    }

    /// The same, with these options.
    pub(crate) async fn keyed_with(options: DaemonOptions) -> Self {
        let mut world = Self::ready_with(options).await;
        world.daemon.terminate();
        let first = init(&world.daemon.data_dir(), &[]);
        assert!(first.status.success(), "{first:?}");
        let key = String::from_utf8(first.stdout).unwrap();
        world.key = Some(ApiKey(key.trim_end().to_owned()));
        world.restart().await;
        world
    }

    /// The first key.
    pub(crate) fn first_key(&self) -> &str {
        self.key.as_ref().map_or("", |key| &key.0)
    }

    /// Shows another key from now on.
    pub(crate) fn show(&mut self, key: &str) {
        self.key = Some(ApiKey(key.to_owned()));
        (self.client, self.raw) = talk_to(self.daemon.url(), self.key.as_ref());
    }

    /// Starts the daemon again on the same data, and waits until it is ready.
    pub(crate) async fn restart(&mut self) {
        self.daemon.restart();
        (self.client, self.raw) = talk_to(self.daemon.url(), self.key.as_ref());
        self.until_ready().await;
    }

    /// Starts the daemon again with other options on the same data, and waits until it is ready.
    pub(crate) async fn restart_with(&mut self, options: DaemonOptions) {
        self.daemon.restart_with(options);
        (self.client, self.raw) = talk_to(self.daemon.url(), self.key.as_ref());
        self.until_ready().await;
    }

    pub(crate) async fn until_ready(&self) {
        let client = &self.client;
        eventually("the daemon is ready", async || {
            client.readiness_get().await.ok()
        })
        .await;
    }

    /// Hands a task over; `body` is the JSON of the request.
    pub(crate) async fn create(&self, body: Value) -> TaskCreated {
        let request: TaskCreateRequest = serde_json::from_value(body).unwrap();
        self.client
            .task_create(None, &request)
            .await
            .unwrap()
            .into_body()
    }

    pub(crate) async fn task(&self, id: &Uuid) -> Task {
        self.client.task_get(id).await.unwrap().into_body()
    }

    /// Waits until a task is in a state.
    pub(crate) async fn until_state(&self, id: &Uuid, state: TaskState) -> Task {
        eventually(&format!("task {id} is {state}"), async || {
            Some(self.task(id).await).filter(|task| task.state == state)
        })
        .await
    }

    pub(crate) async fn metrics(&self) -> Exposition {
        let text = self.client.metrics_get().await.unwrap();
        Exposition::parse(&text).unwrap()
    }

    /// Waits until no task holds a slot.
    pub(crate) async fn until_idle(&self, pool: &str) {
        eventually("every slot is free", async || {
            let health = self.client.pool_health(pool).await.unwrap();
            (health.slots_total > 0 && health.slots_free == health.slots_total).then_some(())
        })
        .await;
    }
}

/// A whole key.
struct ApiKey(String);

/// Runs `orchestratord init` on a data directory that no daemon uses.
pub(crate) fn init(data_dir: &Path, flags: &[&str]) -> Output {
    let mut command = Command::new(binary("orchestratord"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ORCH_") {
            command.env_remove(name);
        }
    }
    command
        .arg("init")
        .arg("--data-dir")
        .arg(data_dir)
        .args(flags);
    command.output().unwrap()
}

/// Clients that do not try again by themselves: a test says when it does.
fn talk_to(url: &str, key: Option<&ApiKey>) -> (Client, Raw) {
    let once = Backoff {
        attempts: 1,
        ..Backoff::default()
    };
    let options = Options {
        backoff: once,
        silence_timeout: Duration::from_secs(60),
        key: key.map(|key| api_client::ApiKey::new(&key.0).unwrap()),
        ..Options::default()
    };
    let raw = Raw::new(url.to_owned());
    let raw = match key {
        None => raw,
        Some(key) => raw.with_key(&key.0),
    };
    (Client::with_options(url, options).unwrap(), raw)
}

/// Options of a daemon whose engine gives at most so many tokens a second.
pub(crate) fn throttle(tokens_per_second: f64) -> DaemonOptions {
    DaemonOptions::default().env("ORCH_POOL_MAX_TOKENS_PER_SECOND", tokens_per_second)
}

/// Looks until there is something to see.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    until(what, look)
        .await
        .unwrap_or_else(|in_vain| panic!("{in_vain}"))
}

/// A task that says nothing but what it has to.
pub(crate) fn plain() -> Value {
    json!({ "input": { "kind": "prompt", "prompt": "Write a haiku about rain." } })
}

/// A task whose text has exactly so many tokens, the same ones for the same seed.
pub(crate) fn exactly(tokens: u32, seed: u32) -> Value {
    let mut body = plain();
    body["max_tokens"] = json!(tokens);
    body["ignore_eos"] = json!(true);
    body["seed"] = json!(seed);
    body
}

/// The same task with one more field.
pub(crate) fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}
