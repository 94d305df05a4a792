//! A server that keeps to a script and writes down what it is asked.

use std::{
    collections::VecDeque,
    net::TcpListener as StdListener,
    sync::{Arc, Mutex, PoisonError},
};

use api_client::types::{
    Bulk, BulkRequest, Health, HealthStatus, KeyCreateRequest, KeyRotateRequest, OpenapiDocument,
    Problem, QueueSwitchRequest, QuotaPutRequest, Readiness, ReplicaSetList, SessionPutRequest,
    TaskBatchRequest, TaskCreateRequest,
};
use api_server::{
    bulks::*, callers::*, capabilities::*, keys::*, pools::*, queue::*, quotas::*, refusals::*,
    replicasets::*, sessions::*, support::*, system::*, tasks::*,
};
use axum::{Router, extract::FromRequestParts, response::IntoResponse};
use futures_util::stream;
use http::request::Parts;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    fixtures, keys, queues, quotas,
    script::{Script, Step},
};

/// A server on a free loopback port. Dropping it ends it.
pub(crate) struct Server {
    pub(crate) url: String,
    api: Option<Arc<Api>>,
    serving: JoinHandle<()>,
    stop: Arc<Notify>,
}

struct Api {
    script: Mutex<Script>,
    calls: watch::Sender<Vec<String>>,
    cancelled: Arc<Notify>,
    released: Arc<Notify>,
}

impl Server {
    /// Serves the API by a script.
    pub(crate) async fn start(script: Script) -> Self {
        Self::start_at("127.0.0.1:0", script).await
    }

    /// Serves the API by a script where another server was.
    pub(crate) async fn start_again(url: &str, script: Script) -> Self {
        Self::start_at(url.trim_start_matches("http://"), script).await
    }

    async fn start_at(address: &str, script: Script) -> Self {
        let api = Arc::new(Api {
            script: Mutex::new(script),
            calls: watch::Sender::new(Vec::new()),
            cancelled: Arc::default(),
            released: Arc::default(),
        });
        let routes = api_server::data_router(&api).merge(api_server::control_router(&api));
        let mut server = Self::serve(address, finish(routes, &api)).await;
        server.api = Some(api);
        server
    }

    /// Answers everything with one problem.
    pub(crate) async fn refusing(problem: Problem) -> Self {
        Self::answering(move || ProblemReply::new(problem.clone())).await
    }

    /// Answers everything alike.
    pub(crate) async fn answering<R: IntoResponse>(
        answer: impl Fn() -> R + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::answering_at("http://127.0.0.1:0", answer).await
    }

    /// Answers everything alike where another server was.
    pub(crate) async fn answering_at<R: IntoResponse>(
        url: &str,
        answer: impl Fn() -> R + Clone + Send + Sync + 'static,
    ) -> Self {
        let routes = Router::new().fallback(async move || answer().into_response());
        Self::serve(url.trim_start_matches("http://"), routes).await
    }

    async fn serve(address: &str, routes: Router) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let serving = tokio::spawn(async move {
            let serve = axum::serve(listener, routes);
            serve
                .with_graceful_shutdown(async move { stopped.notified().await })
                .await
                .unwrap();
        });
        Self {
            url,
            api: None,
            serving,
            stop,
        }
    }

    /// Ends it, with every stream and every connection.
    pub(crate) async fn stop(&mut self) {
        self.stop.notify_one();
        self.release();
        (&mut self.serving).await.unwrap();
    }

    /// What was asked so far: operation and what matters of its input.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.api().calls.borrow().clone()
    }

    /// Waits until an operation was asked for.
    pub(crate) async fn asked(&self, operation: &str) {
        let mut calls = self.api().calls.subscribe();
        let there = |calls: &Vec<String>| calls.iter().any(|call| call.starts_with(operation));
        calls.wait_for(there).await.unwrap();
    }

    /// Ends the wait of a [`Step::UntilReleased`].
    pub(crate) fn release(&self) {
        self.api().released.notify_one();
    }

    /// From now on, `task_create` and `task_cancel` never answer.
    pub(crate) fn be_silent(&self) {
        self.api().script(|script| script.silent = true);
    }

    fn api(&self) -> &Api {
        self.api.as_ref().expect("this server has a script")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A URL at which nobody listens.
pub(crate) fn nowhere() -> String {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

impl Api {
    fn note(&self, call: String) {
        self.calls.send_modify(|calls| calls.push(call));
    }

    fn script<T>(&self, read: impl FnOnce(&mut Script) -> T) -> T {
        read(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note_bulk(&self, operation: &str, body: &BulkRequest) {
        let body = serde_json::to_string(body).unwrap();
        self.note(format!("{operation} {body}"));
    }

    /// The next answer about a bulk; the last one stays.
    fn next_bulk(&self) -> Bulk {
        self.script(|script| match script.bulks.len() {
            1 => script.bulks[0].clone(),
            _ => script.bulks.pop_front().unwrap(),
        })
    }

    async fn answer_at_all(&self) {
        if self.script(|script| script.silent) {
            std::future::pending::<()>().await;
        }
    }
}

pub(crate) struct Caller;

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = ProblemReply;

    async fn from_request_parts(_: &mut Parts, _: &Arc<Api>) -> Result<Self, ProblemReply> {
        Ok(Self)
    }
}

impl ApiHost for Api {
    type Context = Caller;

    fn reject(&self, request: &Parts, rejection: Rejection) -> ProblemReply {
        ProblemReply::new(rejection.into_problem(request, fixtures::CORRELATION.to_owned()))
    }
}

impl TasksApi for Api {
    async fn task_list(&self, _: Caller, params: TaskListParams) -> TaskListResponse {
        self.note(format!("task_list {params:?}"));
        TaskListResponse::Ok200 {
            body: self.script(|script| script.tasks.clone()),
        }
    }

    async fn task_create(
        &self,
        _: Caller,
        params: TaskCreateParams,
        body: TaskCreateRequest,
    ) -> TaskCreateResponse {
        if let Some(key) = params.idempotency_key {
            self.note(format!("idempotency_key {key}"));
        }
        self.note(format!(
            "task_create {}",
            serde_json::to_string(&body).unwrap()
        ));
        self.answer_at_all().await;
        let (refusal, replayed) =
            self.script(|script| (script.create_refusal.clone(), script.replayed));
        match refusal {
            Some(problem) => ProblemReply::new(problem).into(),
            None => TaskCreateResponse::Accepted202 {
                x_budget_tokens_remaining: None,
                x_budget_time_remaining_ms: None,
                x_budget_cost_remaining_micros: None,
                location: "/v1/tasks".to_owned(),
                idempotency_replayed: replayed,
                body: fixtures::created(body.task_id.unwrap_or(fixtures::TASK)),
            },
        }
    }

    async fn task_create_batch(
        &self,
        _: Caller,
        body: TaskBatchRequest,
    ) -> TaskCreateBatchResponse {
        self.note(format!("task_create_batch of {}", body.tasks.len()));
        self.answer_at_all().await;
        let refusal = self.script(|script| script.create_refusal.clone());
        TaskCreateBatchResponse::Ok200 {
            body: fixtures::batch(&body, refusal),
        }
    }

    async fn task_cancel_bulk(&self, _: Caller, body: BulkRequest) -> TaskCancelBulkResponse {
        self.note_bulk("task_cancel_bulk", &body);
        TaskCancelBulkResponse::Accepted202 {
            location: None,
            body: self.next_bulk(),
        }
    }

    async fn task_requeue_bulk(&self, _: Caller, body: BulkRequest) -> TaskRequeueBulkResponse {
        self.note_bulk("task_requeue_bulk", &body);
        TaskRequeueBulkResponse::Accepted202 {
            location: None,
            body: self.next_bulk(),
        }
    }

    async fn task_get(&self, _: Caller, params: TaskGetParams) -> TaskGetResponse {
        self.note(format!("task_get {}", params.id));
        match self.script(|script| script.task.clone()) {
            Ok(body) => TaskGetResponse::Ok200 { body },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }

    async fn task_cancel(&self, _: Caller, params: TaskCancelParams) -> TaskCancelResponse {
        self.note(format!("task_cancel {}", params.id));
        self.answer_at_all().await;
        self.cancelled.notify_one();
        match self.script(|script| script.task.clone()) {
            Ok(body) => TaskCancelResponse::Ok200 { body },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }

    async fn task_requeue(&self, _: Caller, params: TaskRequeueParams) -> TaskRequeueResponse {
        self.note(format!("task_requeue {}", params.id));
        match self.script(|script| script.task.clone()) {
            Ok(body) => TaskRequeueResponse::Ok200 { body },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }

    async fn task_result(&self, _: Caller, params: TaskResultParams) -> TaskResultResponse {
        self.note(format!("task_result {}", params.id));
        match self.script(|script| script.task.clone()) {
            Ok(task) => TaskResultResponse::Ok200 {
                body: fixtures::result(&task),
            },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }

    async fn task_stream(&self, _: Caller, params: TaskStreamParams) -> TaskStreamResponse {
        let after = params.last_event_id.unwrap_or_else(|| "nothing".to_owned());
        self.note(format!("task_stream {} after {after}", params.id));
        let Some(steps) = self.script(|script| script.streams.pop_front()) else {
            return TaskStreamResponse::NoContent204;
        };
        let signals = (Arc::clone(&self.cancelled), Arc::clone(&self.released));
        let events = stream::unfold(VecDeque::from(steps), move |mut steps| {
            let (cancelled, released) = signals.clone();
            async move {
                loop {
                    match steps.pop_front()? {
                        Step::Send(id, event) => {
                            return Some((
                                ServerEvent {
                                    id: id.map(str::to_owned),
                                    event: *event,
                                },
                                steps,
                            ));
                        }
                        Step::UntilCancelled => cancelled.notified().await,
                        Step::UntilReleased => released.notified().await,
                    }
                }
            }
        });
        TaskStreamResponse::Ok200 {
            body: EventStream::new(events),
        }
    }
}

impl RefusalsApi for Api {
    async fn refusal_get(&self, _: Caller, params: RefusalGetParams) -> RefusalGetResponse {
        self.note(format!("refusal_get {}", params.id));
        match self.script(|script| script.refusal.clone()) {
            Ok(body) => RefusalGetResponse::Ok200 { body },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }

    async fn refusal_list(&self, _: Caller, params: RefusalListParams) -> RefusalListResponse {
        let RefusalListParams { limit, cursor } = params;
        self.note(format!("refusal_list {limit:?} {cursor:?}"));
        RefusalListResponse::Ok200 {
            body: self.script(|script| script.refusals.clone()),
        }
    }
}

impl BulksApi for Api {
    async fn bulk_get(&self, _: Caller, params: BulkGetParams) -> BulkGetResponse {
        self.note(format!("bulk_get {}", params.id));
        BulkGetResponse::Ok200 {
            body: self.next_bulk(),
        }
    }
}

impl SessionsApi for Api {
    async fn session_get(&self, _: Caller, params: SessionGetParams) -> SessionGetResponse {
        self.note(format!("session_get {}", params.id));
        match self.script(|script| script.session.clone()) {
            Ok(body) => SessionGetResponse::Ok200 { body },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }

    async fn session_put(
        &self,
        _: Caller,
        params: SessionPutParams,
        body: SessionPutRequest,
    ) -> SessionPutResponse {
        let asked = serde_json::to_string(&body).unwrap();
        self.note(format!("session_put {} {asked}", params.id));
        match self.script(|script| script.session.clone()) {
            Ok(body) => SessionPutResponse::Ok200 { body },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }

    async fn session_delete(
        &self,
        _: Caller,
        params: SessionDeleteParams,
    ) -> SessionDeleteResponse {
        self.note(format!("session_delete {}", params.id));
        match self.script(|script| script.session.clone()) {
            Ok(_) => SessionDeleteResponse::NoContent204,
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }
}

impl CallersApi for Api {
    async fn whoami_get(&self, _: Caller) -> WhoamiGetResponse {
        self.note("whoami_get".to_owned());
        match self.script(|script| script.whoami.clone()) {
            Ok(body) => WhoamiGetResponse::Ok200 { body },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }
}

impl KeysApi for Api {
    async fn key_create(&self, _: Caller, body: KeyCreateRequest) -> KeyCreateResponse {
        self.note(format!(
            "key_create {}",
            serde_json::to_string(&body).unwrap()
        ));
        KeyCreateResponse::Created201 {
            body: keys::key_created(),
        }
    }

    async fn key_list(&self, _: Caller, params: KeyListParams) -> KeyListResponse {
        self.note(format!(
            "key_list {:?} {:?} {:?}",
            params.tenant, params.limit, params.cursor
        ));
        KeyListResponse::Ok200 {
            body: keys::key_page(),
        }
    }

    async fn key_revoke(&self, _: Caller, params: KeyRevokeParams) -> KeyRevokeResponse {
        self.note(format!("key_revoke {}", params.id));
        KeyRevokeResponse::Ok200 {
            body: keys::revoked_key(),
        }
    }

    async fn key_rotate(
        &self,
        _: Caller,
        params: KeyRotateParams,
        body: KeyRotateRequest,
    ) -> KeyRotateResponse {
        self.note(format!("key_rotate {} {}", params.id, body.grace_ms));
        KeyRotateResponse::Created201 {
            body: keys::key_created(),
        }
    }
}

impl QuotasApi for Api {
    async fn quota_list(&self, _: Caller, params: QuotaListParams) -> QuotaListResponse {
        self.note(format!("quota_list {:?} {:?}", params.limit, params.cursor));
        QuotaListResponse::Ok200 {
            body: quotas::page(),
        }
    }

    async fn quota_get(&self, _: Caller, params: QuotaGetParams) -> QuotaGetResponse {
        self.note(format!("quota_get {} {}", params.kind, params.id));
        QuotaGetResponse::Ok200 {
            body: quotas::of(&params.kind, &params.id),
        }
    }

    async fn quota_put(
        &self,
        _: Caller,
        params: QuotaPutParams,
        body: QuotaPutRequest,
    ) -> QuotaPutResponse {
        let asked = serde_json::to_string(&body).unwrap();
        self.note(format!("quota_put {} {} {asked}", params.kind, params.id));
        QuotaPutResponse::Ok200 {
            body: quotas::of(&params.kind, &params.id),
        }
    }
}

impl QueueApi for Api {
    async fn queue_get(&self, _: Caller) -> QueueGetResponse {
        QueueGetResponse::Ok200 {
            body: queues::queue(),
        }
    }

    async fn queue_pause(&self, _: Caller, body: QueueSwitchRequest) -> QueuePauseResponse {
        self.note(format!("queue_pause {:?}", body.pool));
        QueuePauseResponse::Ok200 {
            body: queues::switch(body.pool, true),
        }
    }

    async fn queue_resume(&self, _: Caller, body: QueueSwitchRequest) -> QueueResumeResponse {
        self.note(format!("queue_resume {:?}", body.pool));
        QueueResumeResponse::Ok200 {
            body: queues::switch(body.pool, false),
        }
    }
}

impl CapabilitiesApi for Api {
    async fn capabilities_get(&self, _: Caller) -> CapabilitiesGetResponse {
        match self.script(|script| script.capabilities.clone()) {
            Ok(body) => CapabilitiesGetResponse::Ok200 { body },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }
}

impl PoolsApi for Api {
    async fn pool_health(&self, _: Caller, params: PoolHealthParams) -> PoolHealthResponse {
        match self.script(|script| script.pools.get(&params.id).cloned()) {
            Some(body) => PoolHealthResponse::Ok200 { body },
            None => ProblemReply::new(fixtures::not_found()).into(),
        }
    }
}

impl ReplicasetsApi for Api {
    async fn replicaset_list(&self, _: Caller) -> ReplicasetListResponse {
        let replica_sets = self.script(|script| script.replica_sets.clone());
        ReplicasetListResponse::Ok200 {
            body: ReplicaSetList { replica_sets },
        }
    }
}

impl SystemApi for Api {
    async fn health_get(&self, _: Caller) -> HealthGetResponse {
        HealthGetResponse::Ok200 {
            body: Health {
                status: HealthStatus::Ok,
            },
        }
    }

    async fn readiness_get(&self, _: Caller) -> ReadinessGetResponse {
        match self.script(|script| script.readiness.clone()) {
            Ok(status) => ReadinessGetResponse::Ok200 {
                body: Readiness {
                    status,
                    paused_pools: None,
                },
            },
            Err(problem) => ProblemReply::new(*problem).into(),
        }
    }

    async fn metrics_get(&self, _: Caller) -> MetricsGetResponse {
        MetricsGetResponse::Ok200 {
            body: self.script(|script| script.metrics.clone()),
        }
    }

    async fn openapi_data_get(&self, _: Caller) -> OpenapiDataGetResponse {
        OpenapiDataGetResponse::Ok200 {
            body: OpenapiDocument::default(),
        }
    }

    async fn openapi_control_get(&self, _: Caller) -> OpenapiControlGetResponse {
        OpenapiControlGetResponse::Ok200 {
            body: OpenapiDocument::default(),
        }
    }
}
