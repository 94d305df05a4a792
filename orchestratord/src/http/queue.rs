//! Operations tagged `queue`.

use api_server::queue::{QueueApi, QueueGetResponse, QueuePauseResponse, QueueResumeResponse};
use api_types::QueueSwitchRequest;

use super::context::Context;
use super::convert;
use super::host::Host;

impl QueueApi for Host {
    async fn queue_get(&self, context: Context) -> QueueGetResponse {
        match self.app.queue_get().await {
            Ok(state) => QueueGetResponse::Ok200 {
                body: convert::queue(state),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn queue_pause(&self, context: Context, body: QueueSwitchRequest) -> QueuePauseResponse {
        let QueueSwitchRequest { pool } = body;
        match self.app.queue_pause(&context.caller, pool.as_deref()).await {
            Ok(row) => QueuePauseResponse::Ok200 {
                body: convert::queue_switch(row),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn queue_resume(
        &self,
        context: Context,
        body: QueueSwitchRequest,
    ) -> QueueResumeResponse {
        let QueueSwitchRequest { pool } = body;
        match self
            .app
            .queue_resume(&context.caller, pool.as_deref())
            .await
        {
            Ok(row) => QueueResumeResponse::Ok200 {
                body: convert::queue_switch(row),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }
}
