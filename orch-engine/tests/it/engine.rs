//! An engine process of a test's own, on a free port of the loopback address.

use std::collections::BTreeMap;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// A bound for what must happen soon: reached only where a test fails.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A running engine. It is killed when this is dropped.
pub(crate) struct Engine {
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    url: String,
    client: reqwest::Client,
}

/// The binary, with nothing of the surroundings that could set an option.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orch-engine"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ORCH_ENGINE_")) {
        command.env_remove(name);
    }
    command.kill_on_drop(true);
    command
}

impl Engine {
    /// Starts the binary with these flags, and waits until its model is loaded.
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let mut command = command();
        command.args(flags).arg("--exit-on-stdin-eof");
        Self::started(command).await
    }

    pub(crate) async fn started(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        let engine = Self {
            stdin: child.stdin.take(),
            child,
            url: line.strip_prefix("listening on ").unwrap().to_owned(),
            client: reqwest::Client::new(),
        };
        engine
            .until("the model is loaded", async || {
                engine.get("/health").await.status() == 200
            })
            .await;
        engine
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn authority(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client
            .request(method.parse().unwrap(), format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.request("POST", path).json(body).send().await.unwrap()
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Value {
        let response = self.post(path, body).await;
        assert_eq!(response.status(), 200, "{path} {body}");
        response.json().await.unwrap()
    }

    pub(crate) async fn complete(&self, body: &Value) -> Value {
        self.post_json("/completion", body).await
    }

    /// One line of `/metrics`.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let value = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .find_map(|line| line.split_once(':')?.1.strip_prefix(&format!("{name} ")));
        value.unwrap().parse().unwrap()
    }

    pub(crate) async fn is_processing(&self) -> bool {
        self.get_json("/slots").await[0]["is_processing"] == true
    }

    /// Asks again and again until it is so.
    pub(crate) async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let asking = async {
            while !condition().await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, asking)
            .await
            .unwrap_or_else(|_| panic!("not in {SOON:?}: {what}"));
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(SOON, self.child.wait())
            .await
            .expect("the process goes on")
            .unwrap()
    }
}

/// The server-sent events of a reply, one by one.
pub(crate) struct Events {
    response: Response,
    text: String,
}

impl Events {
    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// The next event's data. `None` at the end; an error if the connection breaks.
    pub(crate) async fn next(&mut self) -> reqwest::Result<Option<Value>> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.strip_prefix("data: ").unwrap();
                let data = serde_json::from_str(data).unwrap();
                self.text = rest.to_owned();
                return Ok(Some(data));
            }
            match self.response.chunk().await? {
                Some(chunk) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                None => {
                    assert_eq!(self.text, "", "half an event");
                    return Ok(None);
                }
            }
        }
    }

    pub(crate) async fn all(mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await.unwrap() {
            events.push(event);
        }
        events
    }
}

/// A value with the members of its objects in order of their names, whichever way they came.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.into_iter().collect();
            members
                .into_iter()
                .map(|(name, v)| (name, sorted(v)))
                .collect()
        }
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}
