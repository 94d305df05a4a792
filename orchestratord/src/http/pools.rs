//! Operations tagged `pools`.

use api_server::pools::{PoolHealthParams, PoolHealthResponse, PoolsApi};

use super::context::Context;
use super::convert;
use super::host::Host;

impl PoolsApi for Host {
    async fn pool_health(&self, context: Context, params: PoolHealthParams) -> PoolHealthResponse {
        match self.app.pool_health(&params.id) {
            Ok(health) => PoolHealthResponse::Ok200 {
                body: convert::pool_health(health),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }
}
