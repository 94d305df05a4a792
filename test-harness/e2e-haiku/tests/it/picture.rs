//! What a refusal must leave as it was.

use serde_json::Value;
use test_harness_e2e_haiku::exposition::Sample;

use crate::world::World;

/// Samples that tell of refusals themselves, or of who looks.
const LEFT_OUT: [&str; 4] = [
    "admission_backpressure_events_total",
    "connections_open",
    "task_refusals_total",
    "tasks_rejected_total",
];

/// Everything that can be seen from outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Picture {
    tasks: Value,
    samples: Vec<Sample>,
    sets: Value,
}

impl Picture {
    pub(crate) async fn take(world: &World) -> Self {
        let mut samples = world.metrics().await.samples;
        samples.retain(|sample| !LEFT_OUT.contains(&sample.name.as_str()));
        samples.sort_by(|a, b| (&a.name, &a.labels).cmp(&(&b.name, &b.labels)));
        Self {
            tasks: world.raw.get("/v1/tasks?limit=200").await.json(),
            samples,
            sets: world.raw.get("/v1/replicasets").await.json(),
        }
    }
}
