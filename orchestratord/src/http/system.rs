//! Operations tagged `system`.

use std::sync::LazyLock;

use api_server::system::{
    HealthGetResponse, MetricsGetResponse, OpenapiControlGetResponse, OpenapiDataGetResponse,
    ReadinessGetResponse, SystemApi,
};
use api_types::{Health, HealthStatus, OpenapiDocument, Readiness, ReadinessStatus};

use super::context::Context;
use super::host::Host;

/// The published contract of the data plane.
static DATA: LazyLock<OpenapiDocument> = LazyLock::new(|| {
    document(include_str!(
        "../../../contracts/openapi/generated/data.json"
    ))
});
/// The published contract of the control plane.
static CONTROL: LazyLock<OpenapiDocument> = LazyLock::new(|| {
    document(include_str!(
        "../../../contracts/openapi/generated/control.json"
    ))
});

fn document(text: &str) -> OpenapiDocument {
    serde_json::from_str(text).expect("the generator writes JSON objects")
}

/// Version of the data plane contract, from the contract itself.
#[must_use]
pub(super) fn api_version() -> String {
    DATA.get("info")
        .and_then(|info| info.get("version"))
        .and_then(|it| it.as_str())
        .unwrap_or_default()
        .to_owned()
}

impl SystemApi for Host {
    async fn health_get(&self, _: Context) -> HealthGetResponse {
        HealthGetResponse::Ok200 {
            body: Health {
                status: HealthStatus::Ok,
            },
        }
    }

    async fn readiness_get(&self, context: Context) -> ReadinessGetResponse {
        match self.app.readiness_get() {
            Ok(paused) => ReadinessGetResponse::Ok200 {
                body: Readiness {
                    status: ReadinessStatus::Ready,
                    paused_pools: (!paused.is_empty()).then_some(paused),
                },
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn metrics_get(&self, _: Context) -> MetricsGetResponse {
        MetricsGetResponse::Ok200 {
            body: self.app.metrics_get(),
        }
    }

    async fn openapi_data_get(&self, _: Context) -> OpenapiDataGetResponse {
        OpenapiDataGetResponse::Ok200 { body: DATA.clone() }
    }

    async fn openapi_control_get(&self, _: Context) -> OpenapiControlGetResponse {
        OpenapiControlGetResponse::Ok200 {
            body: CONTROL.clone(),
        }
    }
}
