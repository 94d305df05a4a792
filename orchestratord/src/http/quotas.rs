//! Operations tagged `quotas`.

use api_server::quotas::{
    QuotaGetParams, QuotaGetResponse, QuotaListParams, QuotaListResponse, QuotaPutParams,
    QuotaPutResponse, QuotasApi,
};
use api_types::QuotaPutRequest;

use super::context::Context;
use super::convert;
use super::host::Host;

impl QuotasApi for Host {
    async fn quota_list(&self, context: Context, params: QuotaListParams) -> QuotaListResponse {
        let QuotaListParams { limit, cursor } = params;
        match self.app.quota_list(limit, cursor.as_deref()).await {
            Ok(listed) => QuotaListResponse::Ok200 {
                body: convert::quota_page(listed),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn quota_get(&self, context: Context, params: QuotaGetParams) -> QuotaGetResponse {
        let QuotaGetParams { kind, id } = params;
        match self.app.quota_get(convert::quota_name(kind, &id)).await {
            Ok(view) => QuotaGetResponse::Ok200 {
                body: convert::quota(view),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn quota_put(
        &self,
        context: Context,
        params: QuotaPutParams,
        body: QuotaPutRequest,
    ) -> QuotaPutResponse {
        let QuotaPutParams { kind, id } = params;
        let name = convert::quota_name(kind, &id);
        let quota = convert::new_quota(body);
        match self.app.quota_put(&context.caller, name, quota).await {
            Ok(view) => QuotaPutResponse::Ok200 {
                body: convert::quota(view),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }
}
