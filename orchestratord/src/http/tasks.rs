//! Operations tagged `tasks`.

use api_server::support::EventStream;
use api_server::tasks::{
    TaskCancelBulkResponse, TaskCancelParams, TaskCancelResponse, TaskCreateBatchResponse,
    TaskCreateParams, TaskCreateResponse, TaskGetParams, TaskGetResponse, TaskListParams,
    TaskListResponse, TaskRequeueBulkResponse, TaskRequeueParams, TaskRequeueResponse,
    TaskResultParams, TaskResultResponse, TaskStreamParams, TaskStreamResponse, TasksApi,
};
use api_types::{BulkRequest, TaskBatchRequest, TaskCreateRequest};
use futures_util::StreamExt;
use orchestrator_core::id::{ProjectId, SessionId, TaskId};

use super::context::Context;
use super::convert;
use super::fresh::rising_id;
use super::host::Host;
use super::problem::StreamOf;
use super::until::until;
use crate::app::{ListFilter, Trouble};
use crate::stream::Opening;

impl TasksApi for Host {
    async fn task_create(
        &self,
        context: Context,
        params: TaskCreateParams,
        body: TaskCreateRequest,
    ) -> TaskCreateResponse {
        let named = body.task_id.is_some();
        let TaskCreateParams { idempotency_key } = params;
        let task = convert::new_task(
            body,
            idempotency_key,
            rising_id(),
            self.app.classes.by_default(),
        );
        match self.app.task_create(&context.caller, task, named).await {
            Ok(created) => {
                let body =
                    convert::task_created(&created.record, context.correlation.as_str().to_owned());
                TaskCreateResponse::Accepted202 {
                    location: format!("/v1/tasks/{}", body.task_id),
                    x_budget_tokens_remaining: created.left.tokens,
                    x_budget_time_remaining_ms: created.left.time_ms,
                    x_budget_cost_remaining_micros: created.left.cost_micros,
                    idempotency_replayed: created.replayed.then_some(true),
                    body,
                }
            }
            Err(trouble) => {
                let correlation_id = context.correlation.as_str();
                self.app
                    .refusal_keep(rising_id(), correlation_id, named, &trouble);
                context.refuse(trouble).into()
            }
        }
    }

    async fn task_create_batch(
        &self,
        context: Context,
        body: TaskBatchRequest,
    ) -> TaskCreateBatchResponse {
        let tasks = convert::new_tasks(body, rising_id, self.app.classes.by_default());
        let named: Vec<bool> = tasks.iter().map(|(_, named)| *named).collect();
        match self.app.task_create_batch(&context.caller, tasks).await {
            Ok(outcomes) => {
                let keep = |place: usize, trouble: &Trouble| {
                    let correlation_id = context.correlation.as_str();
                    let id = rising_id();
                    let kept = self
                        .app
                        .refusal_keep(id, correlation_id, named[place], trouble);
                    kept.then_some(id)
                };
                TaskCreateBatchResponse::Ok200 {
                    body: convert::task_batch(outcomes, &context, keep),
                }
            }
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn task_cancel_bulk(
        &self,
        context: Context,
        body: BulkRequest,
    ) -> TaskCancelBulkResponse {
        let new = convert::new_bulk(body, rising_id());
        match self.app.task_cancel_bulk(&context.caller, new).await {
            Ok(shown) => {
                let body = convert::bulk(shown);
                TaskCancelBulkResponse::Accepted202 {
                    location: body.bulk_id.map(|id| format!("/v1/bulks/{id}")),
                    body,
                }
            }
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn task_requeue_bulk(
        &self,
        context: Context,
        body: BulkRequest,
    ) -> TaskRequeueBulkResponse {
        let new = convert::new_bulk(body, rising_id());
        match self.app.task_requeue_bulk(&context.caller, new).await {
            Ok(shown) => {
                let body = convert::bulk(shown);
                TaskRequeueBulkResponse::Accepted202 {
                    location: body.bulk_id.map(|id| format!("/v1/bulks/{id}")),
                    body,
                }
            }
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn task_list(&self, context: Context, params: TaskListParams) -> TaskListResponse {
        let TaskListParams {
            state,
            priority,
            session_id,
            project_id,
            limit,
            cursor,
        } = params;
        let filter = ListFilter {
            state: state.map(convert::state_filter),
            priority: priority.as_deref().and_then(convert::class_choice),
            session: session_id.map(|id| SessionId(id.as_u128())),
            project: project_id.map(|id| ProjectId(id.as_u128())),
            limit,
            cursor,
        };
        match self.app.task_list(&context.caller, filter).await {
            Ok(listed) => TaskListResponse::Ok200 {
                body: convert::task_page(listed),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn task_get(&self, context: Context, params: TaskGetParams) -> TaskGetResponse {
        match self
            .app
            .task_get(&context.caller, TaskId(params.id.as_u128()))
            .await
        {
            Ok(shown) => TaskGetResponse::Ok200 {
                body: convert::task(shown),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn task_cancel(&self, context: Context, params: TaskCancelParams) -> TaskCancelResponse {
        match self
            .app
            .task_cancel(&context.caller, TaskId(params.id.as_u128()))
            .await
        {
            Ok(shown) => TaskCancelResponse::Ok200 {
                body: convert::task(shown),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn task_requeue(
        &self,
        context: Context,
        params: TaskRequeueParams,
    ) -> TaskRequeueResponse {
        match self
            .app
            .task_requeue(&context.caller, TaskId(params.id.as_u128()))
            .await
        {
            Ok(shown) => TaskRequeueResponse::Ok200 {
                body: convert::task(shown),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn task_result(&self, context: Context, params: TaskResultParams) -> TaskResultResponse {
        match self
            .app
            .task_result(&context.caller, TaskId(params.id.as_u128()))
            .await
        {
            Ok(result) => TaskResultResponse::Ok200 {
                body: convert::task_result(result),
            },
            Err(trouble) => context.refuse(trouble).into(),
        }
    }

    async fn task_stream(&self, context: Context, params: TaskStreamParams) -> TaskStreamResponse {
        let TaskStreamParams { id, last_event_id } = params;
        let after = last_event_id.and_then(|text| text.parse().ok());
        match self
            .app
            .task_stream(&context.caller, TaskId(id.as_u128()), after)
            .await
        {
            Ok(watched) => {
                let of = StreamOf {
                    task_id: id,
                    priority: watched.priority,
                    engine: watched.engine.map(convert::engine),
                    correlation_id: context.correlation.as_str().to_owned(),
                };
                match watched.opening {
                    Opening::Frames(frames) => {
                        let of_frames = of.clone();
                        let events = frames.map(move |frame| convert::event(frame, &of_frames));
                        let last = move |turned| convert::shut_out(&turned, &of);
                        TaskStreamResponse::Ok200 {
                            body: EventStream::new(until(events, watched.shut_out, last)),
                        }
                    }
                    Opening::NothingMore => TaskStreamResponse::NoContent204,
                }
            }
            Err(trouble) => context.refuse(trouble).into(),
        }
    }
}
