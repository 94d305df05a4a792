//! Operations tagged `bulks`.

use api_server::bulks::{BulkGetParams, BulkGetResponse, BulksApi};
use orchestrator_core::id::BulkId;

use super::context::Context;
use super::convert;
use super::host::Host;

impl BulksApi for Host {
    async fn bulk_get(&self, context: Context, params: BulkGetParams) -> BulkGetResponse {
        let bulk = BulkId(params.id.as_u128());
        match self.app.bulk_get(&context.caller, bulk).await {
            Ok(shown) => BulkGetResponse::Ok200 {
                body: convert::bulk(shown),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }
}
