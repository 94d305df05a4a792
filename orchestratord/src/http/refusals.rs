//! Operations tagged `refusals`.

use api_server::refusals::{
    RefusalGetParams, RefusalGetResponse, RefusalListParams, RefusalListResponse, RefusalsApi,
};

use super::context::Context;
use super::convert;
use super::host::Host;

impl RefusalsApi for Host {
    async fn refusal_get(&self, context: Context, params: RefusalGetParams) -> RefusalGetResponse {
        match self.app.refusal_get(&context.caller, &params.id) {
            Ok(kept) => RefusalGetResponse::Ok200 {
                body: convert::refusal(&kept),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn refusal_list(
        &self,
        context: Context,
        params: RefusalListParams,
    ) -> RefusalListResponse {
        let RefusalListParams { limit, cursor } = params;
        match self
            .app
            .refusal_list(&context.caller, limit, cursor.as_deref())
        {
            Ok(listed) => RefusalListResponse::Ok200 {
                body: convert::refusal_page(&listed),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }
}
