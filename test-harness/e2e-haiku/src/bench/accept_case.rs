//! The cases in which accepting is measured, and what is sent in each.

use serde_json::{Value, json};

use super::processor::Processor;
use super::stand_in::PROMPT;
use super::wire;

/// Bar for durable tasks a second in the case of batches.
const BATCH_RATE_LEAST: f64 = 100_000.0;
/// Bars for durable tasks a second, by connections.
const RATES_LEAST: [(usize, f64); 2] = [(1, 3_000.0), (64, 30_000.0)];
/// Where an id is to stand in a request until it has one.
pub(super) const ID_OPEN: &str = "00000000-0000-0000-0000-000000000000";

/// One case: connections, whether the caller chooses the ids, how many tasks a request brings, and where who asks is
/// kept, if it is.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) connections: usize,
    pub(super) keyed: bool,
    pub(super) tasks: usize,
    pub(super) kept_on: Option<Processor>,
}

/// So many connections, each task alone and under an id that the daemon makes.
pub(super) fn plain(connections: usize) -> Case {
    Case {
        connections,
        keyed: false,
        tasks: 1,
        kept_on: None,
    }
}

/// The same, for a single connection once on each processor.
pub(super) fn placed(connections: usize, processors: &[Processor]) -> Vec<Case> {
    if connections != 1 {
        return vec![plain(connections)];
    }
    let on = |processor: &Processor| Case {
        kept_on: Some(*processor),
        ..plain(connections)
    };
    processors.iter().map(on).collect()
}

impl Case {
    /// Tasks of one request in the case of batches.
    pub(super) const BATCH: usize = 100;

    /// What is sent again and again.
    pub(super) fn request(self) -> Vec<u8> {
        let task = body(self.keyed);
        match self.tasks {
            1 => request(&task),
            tasks => wire::post(
                "/v1/tasks/batch",
                &json!({ "tasks": vec![task; tasks] }).to_string(),
            ),
        }
    }

    /// The bar for durable tasks a second, if there is one.
    pub(super) fn rate_least(self) -> Option<f64> {
        if self.tasks > 1 {
            return Some(BATCH_RATE_LEAST);
        }
        let mut bars = RATES_LEAST.into_iter();
        bars.find(|(connections, _)| *connections == self.connections)
            .map(|(_, least)| least)
    }

    /// Its name in what was found.
    pub(super) fn name(self) -> String {
        let keyed = if self.keyed { ", own task_id" } else { "" };
        let kept = self
            .kept_on
            .map_or(String::new(), |on| format!(", client on CPU {}", on.0));
        match self.tasks {
            1 => format!("{}{keyed}{kept}", self.connections),
            tasks => format!("{}, batches of {tasks}", self.connections),
        }
    }
}

/// A request of ordinary size.
pub(super) fn body(keyed: bool) -> Value {
    let mut body = json!({
        "input": {
            "kind": "completion",
            "prompt": PROMPT,
        },
        "priority": "batch",
        "max_tokens": 64,
        "temperature": 0.7,
        "metadata": { "purpose": "measurement" },
    });
    if keyed {
        body["task_id"] = json!(ID_OPEN);
    }
    body
}

/// One task as a request.
pub(super) fn request(body: &Value) -> Vec<u8> {
    wire::post("/v1/tasks", &body.to_string())
}
