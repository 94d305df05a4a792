//! Handing a task over.

use std::time::Duration;

use api_client::{
    ApiError, Client,
    types::{TaskBatch, TaskBatchRequest, TaskCreated},
};
use tokio::time::sleep;

use super::NewTask;

/// Waits before a request is sent again whose fate is not known.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];

/// The name of the header that marks an answer to an earlier request.
const REPLAYED: &str = "idempotency-replayed";

/// A task that the server has accepted.
pub(crate) struct Accepted {
    pub(crate) created: TaskCreated,
    /// True if it was accepted earlier, under the same id or idempotency key.
    pub(crate) replayed: bool,
}

/// Hands a task over. If no answer comes, nobody knows whether it was accepted; then the same request is
/// sent again, which its id or its idempotency key makes safe. What the server refuses is not tried again.
///
/// # Errors
///
/// The last error.
pub(crate) async fn submit(client: &Client, task: &NewTask) -> Result<Accepted, ApiError> {
    let key = task.idempotency_key.as_deref();
    let reply = again_if_lost(async || client.task_create(key, &task.request).await).await?;
    Ok(Accepted {
        replayed: reply.header(REPLAYED) == Some("true"),
        created: reply.into_body(),
    })
}

/// Hands tasks over together, each of which has an id. As [`submit`].
///
/// # Errors
///
/// The last error.
pub(crate) async fn submit_batch(
    client: &Client,
    request: &TaskBatchRequest,
) -> Result<TaskBatch, ApiError> {
    let reply = again_if_lost(async || client.task_create_batch(request).await).await?;
    Ok(reply.into_body())
}

/// Sends a request, which may be sent twice, again as long as no answer comes.
async fn again_if_lost<T>(send: impl AsyncFn() -> Result<T, ApiError>) -> Result<T, ApiError> {
    let mut pauses = PAUSES.into_iter();
    loop {
        match send().await {
            Err(error @ (ApiError::Unreachable { .. } | ApiError::Interrupted { .. })) => {
                match pauses.next() {
                    Some(pause) => sleep(pause).await,
                    None => return Err(error),
                }
            }
            outcome => return outcome,
        }
    }
}
