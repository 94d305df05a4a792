//! A daemon whose answers each test lays out beforehand.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use api_client::{Backoff, Client, Options};
use api_server::{
    bulks::{BulkGetParams, BulkGetResponse, BulksApi},
    callers::{CallersApi, WhoamiGetResponse},
    capabilities::{CapabilitiesApi, CapabilitiesGetResponse},
    control_router, data_router,
    keys::{
        KeyCreateResponse, KeyListParams, KeyListResponse, KeyRevokeParams, KeyRevokeResponse,
        KeyRotateParams, KeyRotateResponse, KeysApi,
    },
    pools::{PoolHealthParams, PoolHealthResponse, PoolsApi},
    queue::{QueueApi, QueueGetResponse, QueuePauseResponse, QueueResumeResponse},
    quotas::{
        QuotaGetParams, QuotaGetResponse, QuotaListParams, QuotaListResponse, QuotaPutParams,
        QuotaPutResponse, QuotasApi,
    },
    refusals::{
        RefusalGetParams, RefusalGetResponse, RefusalListParams, RefusalListResponse, RefusalsApi,
    },
    replicasets::{ReplicasetListResponse, ReplicasetsApi},
    sessions::{
        SessionDeleteParams, SessionDeleteResponse, SessionGetParams, SessionGetResponse,
        SessionPutParams, SessionPutResponse, SessionsApi,
    },
    support::{ApiHost, Operation, ProblemReply, Rejection, finish, problem_type},
    system::{
        HealthGetResponse, MetricsGetResponse, OpenapiControlGetResponse, OpenapiDataGetResponse,
        ReadinessGetResponse, SystemApi,
    },
    tasks::{
        TaskCancelBulkResponse, TaskCancelParams, TaskCancelResponse, TaskCreateBatchResponse,
        TaskCreateParams, TaskCreateResponse, TaskGetParams, TaskGetResponse, TaskListParams,
        TaskListResponse, TaskRequeueBulkResponse, TaskRequeueParams, TaskRequeueResponse,
        TaskResultParams, TaskResultResponse, TaskStreamParams, TaskStreamResponse, TasksApi,
    },
};
use api_types::{
    BulkRequest, KeyCreateRequest, KeyRotateRequest, Problem, ProblemCode, QueueSwitchRequest,
    QuotaPutRequest, SessionPutRequest, TaskCreateRequest,
};
use axum::extract::FromRequestParts;
use http::request::Parts;
use tokio::{net::TcpListener, task::JoinHandle};

/// What the daemon was asked, and what it will answer, in order.
#[derive(Default)]
pub(crate) struct Daemon {
    pub(crate) created: Mutex<Vec<TaskCreateRequest>>,
    pub(crate) create: Mutex<VecDeque<TaskCreateResponse>>,
    pub(crate) got: Mutex<Vec<TaskGetParams>>,
    pub(crate) get: Mutex<VecDeque<TaskGetResponse>>,
    pub(crate) listed: Mutex<Vec<TaskListParams>>,
    pub(crate) streamed: Mutex<Vec<TaskStreamParams>>,
    pub(crate) stream: Mutex<VecDeque<TaskStreamResponse>>,
    /// Operations whose context was made, also of requests that were refused later.
    pub(crate) contexts: Mutex<Vec<&'static Operation>>,
}

/// The context: refuses who comes without the name that the tests use, to prove the order.
pub(crate) struct Caller;

impl FromRequestParts<Arc<Daemon>> for Caller {
    type Rejection = ProblemReply;

    async fn from_request_parts(
        parts: &mut Parts,
        daemon: &Arc<Daemon>,
    ) -> Result<Self, ProblemReply> {
        let operation = parts.extensions.get::<&'static Operation>().unwrap();
        daemon.contexts.lock().unwrap().push(operation);
        match parts.headers.contains_key("x-banned") {
            false => Ok(Self),
            true => Err(problem(404, ProblemCode::NotFound, "you may not know")),
        }
    }
}

impl ApiHost for Daemon {
    type Context = Caller;

    fn reject(&self, request: &Parts, rejection: Rejection) -> ProblemReply {
        let problem = rejection.into_problem(request, "c-1".to_owned());
        ProblemReply::new(problem)
    }
}

pub(crate) fn problem(status: u32, code: ProblemCode, detail: &str) -> ProblemReply {
    ProblemReply::new(Problem {
        type_: problem_type(&code),
        title: "Refused".to_owned(),
        status,
        detail: detail.to_owned(),
        instance: None,
        retriable: status == 429 || status == 503,
        retry_after_ms: (status == 429).then_some(1_500),
        code,
        engine: None,
        policy_label: None,
        limit_name: None,
        limit_max: None,
        limit_left: None,
        limit_window_s: None,
        task_id: None,
        correlation_id: "c-1".to_owned(),
        errors: None,
    })
}

fn next<T>(answers: &Mutex<VecDeque<T>>) -> T {
    let answer = answers.lock().unwrap().pop_front();
    answer.expect("the test laid out an answer")
}

impl TasksApi for Daemon {
    async fn task_create(
        &self,
        _: Caller,
        _: TaskCreateParams,
        body: TaskCreateRequest,
    ) -> TaskCreateResponse {
        self.created.lock().unwrap().push(body);
        next(&self.create)
    }

    async fn task_create_batch(
        &self,
        _: Caller,
        body: api_types::TaskBatchRequest,
    ) -> TaskCreateBatchResponse {
        TaskCreateBatchResponse::Ok200 {
            body: api_types::TaskBatch {
                accepted: 0,
                refused: 0,
                items: Vec::with_capacity(body.tasks.len()),
            },
        }
    }

    async fn task_list(&self, _: Caller, params: TaskListParams) -> TaskListResponse {
        self.listed.lock().unwrap().push(params);
        TaskListResponse::Ok200 {
            body: api_types::TaskPage {
                tasks: Vec::new(),
                next_cursor: Some("next".to_owned()),
            },
        }
    }

    async fn task_get(&self, _: Caller, params: TaskGetParams) -> TaskGetResponse {
        self.got.lock().unwrap().push(params);
        next(&self.get)
    }

    async fn task_cancel(&self, _: Caller, _: TaskCancelParams) -> TaskCancelResponse {
        problem(404, ProblemCode::NotFound, "no such task").into()
    }

    async fn task_requeue(&self, _: Caller, _: TaskRequeueParams) -> TaskRequeueResponse {
        problem(404, ProblemCode::NotFound, "no such task").into()
    }

    async fn task_cancel_bulk(&self, _: Caller, _: BulkRequest) -> TaskCancelBulkResponse {
        problem(429, ProblemCode::AdmissionReject, "too many run").into()
    }

    async fn task_requeue_bulk(&self, _: Caller, _: BulkRequest) -> TaskRequeueBulkResponse {
        problem(429, ProblemCode::AdmissionReject, "too many run").into()
    }

    async fn task_result(&self, _: Caller, _: TaskResultParams) -> TaskResultResponse {
        problem(404, ProblemCode::NotFound, "no such task").into()
    }

    async fn task_stream(&self, _: Caller, params: TaskStreamParams) -> TaskStreamResponse {
        self.streamed.lock().unwrap().push(params);
        next(&self.stream)
    }
}

impl RefusalsApi for Daemon {
    async fn refusal_get(&self, _: Caller, _: RefusalGetParams) -> RefusalGetResponse {
        problem(404, ProblemCode::NotFound, "no such refusal").into()
    }

    async fn refusal_list(&self, _: Caller, _: RefusalListParams) -> RefusalListResponse {
        problem(404, ProblemCode::NotFound, "no such page").into()
    }
}

impl BulksApi for Daemon {
    async fn bulk_get(&self, _: Caller, _: BulkGetParams) -> BulkGetResponse {
        problem(404, ProblemCode::NotFound, "no such bulk").into()
    }
}

impl SessionsApi for Daemon {
    async fn session_get(&self, _: Caller, _: SessionGetParams) -> SessionGetResponse {
        problem(404, ProblemCode::NotFound, "no such session").into()
    }

    async fn session_put(
        &self,
        _: Caller,
        _: SessionPutParams,
        _: SessionPutRequest,
    ) -> SessionPutResponse {
        problem(429, ProblemCode::AdmissionReject, "too many").into()
    }

    async fn session_delete(&self, _: Caller, _: SessionDeleteParams) -> SessionDeleteResponse {
        SessionDeleteResponse::NoContent204
    }
}

impl CallersApi for Daemon {
    async fn whoami_get(&self, _: Caller) -> WhoamiGetResponse {
        problem(401, ProblemCode::Unauthorized, "who are you").into()
    }
}

impl KeysApi for Daemon {
    async fn key_create(&self, _: Caller, _: KeyCreateRequest) -> KeyCreateResponse {
        problem(403, ProblemCode::Forbidden, "not you").into()
    }

    async fn key_list(&self, _: Caller, _: KeyListParams) -> KeyListResponse {
        problem(403, ProblemCode::Forbidden, "not you").into()
    }

    async fn key_revoke(&self, _: Caller, params: KeyRevokeParams) -> KeyRevokeResponse {
        problem(404, ProblemCode::NotFound, &params.id).into()
    }

    async fn key_rotate(
        &self,
        _: Caller,
        params: KeyRotateParams,
        _: KeyRotateRequest,
    ) -> KeyRotateResponse {
        problem(404, ProblemCode::NotFound, &params.id).into()
    }
}

impl QueueApi for Daemon {
    async fn queue_get(&self, _: Caller) -> QueueGetResponse {
        problem(403, ProblemCode::Forbidden, "not you").into()
    }

    async fn queue_pause(&self, _: Caller, _: QueueSwitchRequest) -> QueuePauseResponse {
        problem(403, ProblemCode::Forbidden, "not you").into()
    }

    async fn queue_resume(&self, _: Caller, _: QueueSwitchRequest) -> QueueResumeResponse {
        problem(403, ProblemCode::Forbidden, "not you").into()
    }
}

impl QuotasApi for Daemon {
    async fn quota_list(&self, _: Caller, _: QuotaListParams) -> QuotaListResponse {
        problem(403, ProblemCode::Forbidden, "not you").into()
    }

    async fn quota_get(&self, _: Caller, params: QuotaGetParams) -> QuotaGetResponse {
        problem(404, ProblemCode::NotFound, &params.id).into()
    }

    async fn quota_put(
        &self,
        _: Caller,
        params: QuotaPutParams,
        _: QuotaPutRequest,
    ) -> QuotaPutResponse {
        problem(404, ProblemCode::NotFound, &params.id).into()
    }
}

impl CapabilitiesApi for Daemon {
    async fn capabilities_get(&self, _: Caller) -> CapabilitiesGetResponse {
        problem(503, ProblemCode::NotReady, "not yet").into()
    }
}

impl PoolsApi for Daemon {
    async fn pool_health(&self, _: Caller, params: PoolHealthParams) -> PoolHealthResponse {
        problem(404, ProblemCode::NotFound, &params.id).into()
    }
}

impl ReplicasetsApi for Daemon {
    async fn replicaset_list(&self, _: Caller) -> ReplicasetListResponse {
        ReplicasetListResponse::Ok200 {
            body: api_types::ReplicaSetList {
                replica_sets: Vec::new(),
            },
        }
    }
}

impl SystemApi for Daemon {
    async fn health_get(&self, _: Caller) -> HealthGetResponse {
        HealthGetResponse::Ok200 {
            body: api_types::Health {
                status: api_types::HealthStatus::Ok,
            },
        }
    }

    async fn readiness_get(&self, _: Caller) -> ReadinessGetResponse {
        problem(503, ProblemCode::NotReady, "not yet").into()
    }

    async fn metrics_get(&self, _: Caller) -> MetricsGetResponse {
        MetricsGetResponse::Ok200 {
            body: "up 1\n".to_owned(),
        }
    }

    async fn openapi_data_get(&self, _: Caller) -> OpenapiDataGetResponse {
        let text = include_str!("../../../openapi/generated/data.json");
        OpenapiDataGetResponse::Ok200 {
            body: serde_json::from_str(text).unwrap(),
        }
    }

    async fn openapi_control_get(&self, _: Caller) -> OpenapiControlGetResponse {
        let text = include_str!("../../../openapi/generated/control.json");
        OpenapiControlGetResponse::Ok200 {
            body: serde_json::from_str(text).unwrap(),
        }
    }
}

/// A daemon that serves until it is dropped.
pub(crate) struct Served {
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) client: Client,
    pub(crate) url: String,
    server: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn start() -> Self {
        let daemon = Arc::new(Daemon::default());
        let router = data_router(&daemon).merge(control_router(&daemon));
        let router = finish(router, &daemon);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        let options = Options {
            backoff: Backoff {
                base: std::time::Duration::from_millis(1),
                ..Backoff::default()
            },
            ..Options::default()
        };
        let client = Client::with_options(&url, options).unwrap();
        Self {
            daemon,
            client,
            url,
            server,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}
