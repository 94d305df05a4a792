//! Operations tagged `keys`.

use api_server::keys::{
    KeyCreateResponse, KeyListParams, KeyListResponse, KeyRevokeParams, KeyRevokeResponse,
    KeyRotateParams, KeyRotateResponse, KeysApi,
};
use api_types::{KeyCreateRequest, KeyRotateRequest};
use orchestrator_core::time::WallMs;

use super::context::Context;
use super::convert;
use super::host::Host;

impl KeysApi for Host {
    async fn key_create(&self, context: Context, body: KeyCreateRequest) -> KeyCreateResponse {
        let key = convert::new_key(body);
        match self.app.key_create(&context.caller, key).await {
            Ok(made) => KeyCreateResponse::Created201 {
                body: convert::key_created(&made),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn key_list(&self, context: Context, params: KeyListParams) -> KeyListResponse {
        let KeyListParams {
            tenant,
            limit,
            cursor,
        } = params;
        match self
            .app
            .key_list(tenant.as_deref(), limit, cursor.as_deref())
        {
            Ok(listed) => KeyListResponse::Ok200 {
                body: convert::key_page(&listed),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn key_revoke(&self, context: Context, params: KeyRevokeParams) -> KeyRevokeResponse {
        let key = convert::key_id(&params.id);
        match self.app.key_revoke(&context.caller, key).await {
            Ok(shown) => KeyRevokeResponse::Ok200 {
                body: convert::key(&shown),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn key_rotate(
        &self,
        context: Context,
        params: KeyRotateParams,
        body: KeyRotateRequest,
    ) -> KeyRotateResponse {
        let KeyRotateRequest {
            grace_ms,
            expires_at_ms,
        } = body;
        let key = convert::key_id(&params.id);
        let expires_at = expires_at_ms.map(WallMs);
        match self
            .app
            .key_rotate(&context.caller, key, grace_ms, expires_at)
            .await
        {
            Ok(made) => KeyRotateResponse::Created201 {
                body: convert::key_created(&made),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }
}
