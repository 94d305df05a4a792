//! Asking a deployment about everything at once.

use api_client::{
    ApiError, Client,
    types::{Capabilities, Problem, Readiness, ReplicaSet},
};
use serde::Serialize;

use super::gauges;

/// What a deployment says about itself. A part that it does not tell is absent.
#[derive(Serialize)]
pub(super) struct Survey {
    pub(super) readiness: Ready,
    pub(super) queue: Vec<Depth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) replica_sets: Option<Vec<ReplicaSet>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) capabilities: Option<Capabilities>,
}

/// The answer of `/readyz`, whichever of the two it was.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Ready {
    Yes(Readiness),
    No(Box<Problem>),
}

/// Tasks that wait in one class.
#[derive(Serialize)]
pub(super) struct Depth {
    pub(super) priority: String,
    pub(super) depth: u64,
}

impl Survey {
    /// Asks. A daemon that is not ready may refuse some parts, which are then left out.
    ///
    /// # Errors
    ///
    /// If it does not even say whether it is ready.
    pub(super) async fn take(client: &Client) -> Result<Self, ApiError> {
        let (readiness, metrics, sets, capabilities) = tokio::join!(
            client.readiness_get(),
            client.metrics_get(),
            client.replicaset_list(),
            client.capabilities_get(),
        );
        let capabilities = capabilities.ok().map(api_client::Reply::into_body);
        Ok(Self {
            readiness: match readiness {
                Ok(reply) => Ready::Yes(reply.into_body()),
                Err(ApiError::Problem { problem, .. }) => Ready::No(problem),
                Err(error) => return Err(error),
            },
            queue: metrics.map_or_else(|_| Vec::new(), |text| depths(&text, capabilities.as_ref())),
            replica_sets: sets.ok().map(|reply| reply.into_body().replica_sets),
            capabilities,
        })
    }
}

/// How many wait in each class: the most urgent first, and then those that take no tasks any more, by name.
fn depths(metrics: &str, capabilities: Option<&Capabilities>) -> Vec<Depth> {
    let classes = capabilities.map_or(&[][..], |it| it.classes.as_slice());
    let urgency = |name: &str| {
        let place = classes.iter().position(|class| class.class == name);
        place.unwrap_or(classes.len())
    };
    let mut depths: Vec<Depth> = gauges::by_label(metrics, "queue_depth", "priority")
        .into_iter()
        .map(|(priority, depth)| Depth {
            priority,
            depth: depth as u64,
        })
        .collect();
    // Metrics come in no order.
    depths.sort_by_cached_key(|it| (urgency(&it.priority), it.priority.clone()));
    depths
}
