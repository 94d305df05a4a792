//! Operations tagged `capabilities`.

use api_server::capabilities::{CapabilitiesApi, CapabilitiesGetResponse};

use super::context::Context;
use super::convert;
use super::host::Host;

impl CapabilitiesApi for Host {
    async fn capabilities_get(&self, _: Context) -> CapabilitiesGetResponse {
        CapabilitiesGetResponse::Ok200 {
            body: convert::capabilities(self.app.capabilities_get()),
        }
    }
}
