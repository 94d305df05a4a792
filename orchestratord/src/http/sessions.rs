//! Operations tagged `sessions`.

use api_server::sessions::{
    SessionDeleteParams, SessionDeleteResponse, SessionGetParams, SessionGetResponse,
    SessionPutParams, SessionPutResponse, SessionsApi,
};
use api_types::SessionPutRequest;
use orchestrator_core::id::SessionId;

use super::context::Context;
use super::convert;
use super::host::Host;

impl SessionsApi for Host {
    async fn session_get(&self, context: Context, params: SessionGetParams) -> SessionGetResponse {
        match self
            .app
            .session_get(&context.caller, SessionId(params.id.as_u128()))
            .await
        {
            Ok(view) => SessionGetResponse::Ok200 {
                body: convert::session(view),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn session_put(
        &self,
        context: Context,
        params: SessionPutParams,
        body: SessionPutRequest,
    ) -> SessionPutResponse {
        let session = SessionId(params.id.as_u128());
        let new = convert::new_session(body);
        match self.app.session_put(&context.caller, session, new).await {
            Ok(view) => SessionPutResponse::Ok200 {
                body: convert::session(view),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn session_delete(
        &self,
        context: Context,
        params: SessionDeleteParams,
    ) -> SessionDeleteResponse {
        match self
            .app
            .session_delete(&context.caller, SessionId(params.id.as_u128()))
            .await
        {
            Ok(()) => SessionDeleteResponse::NoContent204,
            Err(trouble) => context.refuse(trouble).into(),
        }
    }
}
