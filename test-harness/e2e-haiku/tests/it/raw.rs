//! HTTP without the client that knows the contract: for what that client would never send, and for every byte
//! that comes back.

use std::time::Duration;

use api_client::support::{Decoder, RawEvent};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use uuid::Uuid;

/// Longest silence that a test puts up with.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// One daemon, spoken to without manners.
#[derive(Clone)]
pub(crate) struct Raw {
    url: String,
    http: reqwest::Client,
    key: Option<String>,
}

/// One whole reply.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The events of one stream as they stand there.
pub(crate) struct Frames {
    response: Response,
    decoder: Decoder,
}

impl Raw {
    pub(crate) fn new(url: String) -> Self {
        let http = reqwest::Client::builder()
            .read_timeout(SILENCE_MAX)
            .build()
            .unwrap();
        Self {
            url,
            http,
            key: None,
        }
    }

    /// The same daemon, with a key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    /// The same daemon, without one.
    pub(crate) fn without_key(&self) -> Self {
        Self {
            key: None,
            ..self.clone()
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.key {
            None => request,
            Some(key) => request.bearer_auth(key),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request("POST", path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        send(self.request("PUT", path).json(body)).await
    }

    /// Hands a task over.
    pub(crate) async fn create(&self, body: &Value) -> Answer {
        send(self.request("POST", "/v1/tasks").json(body)).await
    }

    pub(crate) async fn cancel(&self, task: &Uuid) -> Answer {
        send(self.request("POST", &format!("/v1/tasks/{task}/cancel"))).await
    }

    pub(crate) fn stream(&self, task: &Uuid, last_event_id: Option<&str>) -> RequestBuilder {
        let request = self.request("GET", &format!("/v1/tasks/{task}/stream"));
        match last_event_id {
            None => request,
            Some(id) => request.header("last-event-id", id),
        }
    }

    /// Opens a stream that there is something to read of.
    pub(crate) async fn open(&self, task: &Uuid, last_event_id: Option<&str>) -> Frames {
        let response = self.stream(task, last_event_id).send().await.unwrap();
        assert_eq!(response.status(), 200, "{response:?}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Frames {
            response,
            decoder: Decoder::default(),
        }
    }

    /// The whole stream of a task, to its end.
    pub(crate) async fn story(&self, task: &Uuid) -> Vec<RawEvent> {
        self.open(task, None).await.rest().await
    }
}

/// Sends a request and reads the reply to its end.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.bytes().await.unwrap().to_vec();
    Answer {
        status,
        headers,
        body,
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The problem, after a look at what every problem has to be.
    pub(crate) fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        assert_eq!(
            problem["correlation_id"].as_str(),
            self.header("x-correlation-id"),
            "{problem}"
        );
        let code = problem["code"].as_str().unwrap();
        let slug = code.to_lowercase().replace('_', "-");
        assert_eq!(
            problem["type"],
            format!("urn:orchestrator:problem:{slug}"),
            "{problem}"
        );
        for member in ["title", "detail", "instance"] {
            assert!(
                problem[member]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "no {member}: {problem}"
            );
        }
        self.check_waiting(&problem);
        problem
    }

    /// Body and headers agree on how long to wait.
    fn check_waiting(&self, problem: &Value) {
        let number = |name: &str| self.header(name).map(|text| text.parse::<u64>().unwrap());
        let wait_ms = problem["retry_after_ms"].as_u64();
        assert_eq!(number("x-backoff-ms"), wait_ms, "{problem}");
        assert_eq!(
            number("retry-after"),
            wait_ms.map(|ms| ms.div_ceil(1_000)),
            "{problem}"
        );
    }

    /// The pointers of all faults, sorted.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let problem = self.problem();
        let faults = problem["errors"].as_array().cloned().unwrap_or_default();
        let pointer = |fault: &Value| fault["pointer"].as_str().unwrap().to_owned();
        let mut pointers: Vec<String> = faults.iter().map(pointer).collect();
        pointers.sort();
        pointers
    }
}

impl Frames {
    /// The next event; none if the stream is over, in whatever way.
    pub(crate) async fn next(&mut self) -> Option<RawEvent> {
        loop {
            if let Some(event) = self.decoder.next_event() {
                return Some(event);
            }
            let bytes = self.response.chunk().await.ok()??;
            self.decoder.push(&bytes).unwrap();
        }
    }

    /// All events up to and with the first one of this name.
    pub(crate) async fn up_to(&mut self, name: &str) -> Vec<RawEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            let found = event.name == name;
            events.push(event);
            if found {
                return events;
            }
        }
        panic!("the stream ended without `{name}`: {events:#?}");
    }

    /// All events up to and with the token at this index.
    pub(crate) async fn up_to_token(&mut self, index: u64) -> Vec<RawEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            let found = event.name == "token" && data(&event)["i"] == index;
            events.push(event);
            if found {
                return events;
            }
        }
        panic!("the stream ended before token {index}: {events:#?}");
    }

    /// All events that are left, to the end of the stream.
    pub(crate) async fn rest(mut self) -> Vec<RawEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

/// What an event says.
pub(crate) fn data(event: &RawEvent) -> Value {
    serde_json::from_str(&event.data).unwrap()
}

/// The events without those that tell where the task stands, which may be left out.
pub(crate) fn told(events: &[RawEvent]) -> Vec<RawEvent> {
    let lasting = events.iter().filter(|event| event.name != "metrics");
    lasting.cloned().collect()
}

/// The text of all tokens.
pub(crate) fn text_of(events: &[RawEvent]) -> String {
    let tokens = events.iter().filter(|event| event.name == "token");
    tokens
        .map(|event| data(event)["t"].as_str().unwrap().to_owned())
        .collect()
}

/// The tokens alone.
pub(crate) fn tokens_of(events: &[RawEvent]) -> Vec<RawEvent> {
    let tokens = events.iter().filter(|event| event.name == "token");
    tokens.cloned().collect()
}
