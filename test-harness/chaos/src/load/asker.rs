//! Asks, and takes down what was asked and answered.

use std::sync::Arc;
use std::time::Duration;

use api_client::support::Backoff;
use api_client::types::TaskCreateRequest;
use api_client::{ApiError, Client, Options};
use test_harness_history::{Answer, Applied, Ask, ClientId, DaemonId, Event, State, TaskId};
use uuid::Uuid;

use super::body::Body;
use super::words::{self, Odd};
use crate::point::Point;
use crate::recorder::Recorder;

/// The one daemon of a round.
pub(super) const DAEMON: DaemonId = 0;

/// Longest silence that a client puts up with before it leaves its question in doubt.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most rows of one page.
const PAGE_ROWS: u32 = 200;

/// One client's way to ask. It has connections of its own.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) recorder: Arc<Recorder>,
    client: Client,
    me: ClientId,
}

impl Asker {
    /// A client of the daemon at a URL.
    ///
    /// # Errors
    /// If the URL is none.
    pub(crate) fn new(recorder: &Arc<Recorder>, url: &str) -> Result<Self, ApiError> {
        let options = Options {
            silence_timeout: PATIENCE,
            backoff: Backoff {
                attempts: 1,
                ..Backoff::default()
            },
            ..Options::default()
        };
        Ok(Self {
            recorder: Arc::clone(recorder),
            client: Client::with_options(url, options)?,
            me: recorder.next_client(),
        })
    }

    /// Its number.
    pub(crate) fn me(&self) -> ClientId {
        self.me
    }

    /// Hands a task over.
    pub(super) async fn submit(&self, own: Option<TaskId>, body: &Body) -> Answer {
        if let (Some(own), Some(seed), true) = (own, body.seed, body.raw) {
            self.recorder.seed_of(seed, own);
        }
        let payload = body.payload();
        let request: TaskCreateRequest = serde_json::from_value(body.request(own.map(|id| id.0)))
            .expect("the body is drawn to fit the contract");
        let answer = self
            .ask(
                Ask::Submit {
                    own,
                    key: None,
                    payload,
                },
                async || {
                    let reply = self.client.task_create(None, &request).await?;
                    Ok(Ok(Answer::Accepted {
                        task: TaskId(reply.task_id.as_u128()),
                        seed: reply.seed,
                        replayed: reply.header("idempotency-replayed") == Some("true"),
                    }))
                },
            )
            .await;
        if matches!(answer, Answer::Accepted { .. }) {
            self.recorder.passed(Point::Accepted);
        }
        answer
    }

    /// Cancels a task.
    pub(crate) async fn cancel(&self, task: TaskId) -> Answer {
        let answer = self
            .ask(Ask::Cancel { task }, async || {
                let reply = self.client.task_cancel(&uuid(task)).await?;
                Ok(words::record(&reply).map(Answer::Cancelled))
            })
            .await;
        if matches!(answer, Answer::Cancelled(_)) {
            self.recorder.passed(Point::Cancelled);
        }
        answer
    }

    /// Looks how a task stands.
    pub(crate) async fn record(&self, task: TaskId) -> Answer {
        self.ask(Ask::Record { task }, async || {
            let reply = self.client.task_get(&uuid(task)).await?;
            Ok(words::record(&reply).map(Answer::Record))
        })
        .await
    }

    /// Looks what came of a task.
    pub(crate) async fn result(&self, task: TaskId) -> Answer {
        self.ask(Ask::Result { task }, async || {
            let reply = self.client.task_result(&uuid(task)).await?;
            Ok(words::outcome(&reply).map(Answer::Result))
        })
        .await
    }

    /// Lists tasks, every page.
    pub(crate) async fn census(&self, state: Option<State>) -> Answer {
        self.ask(Ask::Census { state }, async || {
            let mut rows = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let filter = state.map(words::filter);
                let page = self
                    .client
                    .task_list(cursor.as_deref(), Some(PAGE_ROWS), None, None, None, filter)
                    .await?;
                match words::rows(&page) {
                    Ok(more) => rows.extend(more),
                    Err(odd) => return Ok(Err(odd)),
                }
                cursor.clone_from(&page.next_cursor);
                if cursor.is_none() {
                    return Ok(Ok(Answer::Census(rows)));
                }
            }
        })
        .await
    }

    /// Asks what the daemon has metered.
    pub(crate) async fn meter(&self) -> Answer {
        self.ask(Ask::Meter, async || {
            let text = self.client.metrics_get().await?.into_body();
            let samples = text
                .lines()
                .filter(|line| line.starts_with("tokens_out_total{"));
            let values = samples.map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
            let sum: Option<u64> = values.sum();
            Ok(match sum {
                Some(tokens_out) => Ok(Answer::Meter { tokens_out }),
                None => Err("a counter of tokens is no whole number".to_owned()),
            })
        })
        .await
    }

    /// True once the daemon answers that it is ready. This question is not taken down.
    pub(crate) async fn ready(&self) -> bool {
        self.client.readiness_get().await.is_ok()
    }

    /// Asks and takes down both. What does not fit the contract is taken down as an oddity.
    async fn ask(
        &self,
        ask: Ask,
        call: impl AsyncFnOnce() -> Result<Result<Answer, Odd>, ApiError>,
    ) -> Answer {
        let request = self.recorder.next_request();
        let about = match &ask {
            Ask::Submit { .. } => Some(Point::Submitting),
            Ask::Cancel { .. } => Some(Point::Cancelling),
            _ => None,
        };
        let name = format!("{ask:?}");
        self.recorder.see(Event::Asked {
            request,
            client: self.me,
            daemon: DAEMON,
            ask,
        });
        if let Some(point) = about {
            self.recorder.passed(point);
        }
        let answer = match call().await {
            Ok(answer) => answer,
            Err(error) => words::refused(&error),
        };
        let answer = answer.unwrap_or_else(|odd| {
            self.recorder.odd(format!("{name} was answered with {odd}"));
            Answer::Refused {
                code: "ODD".to_owned(),
                applied: Applied::Unknown,
            }
        });
        let seen = answer.clone();
        self.recorder.see(Event::Answered {
            request,
            answer: seen,
        });
        answer
    }
}

fn uuid(task: TaskId) -> Uuid {
    Uuid::from_u128(task.0)
}
