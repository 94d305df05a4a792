//! Feeds the metrics.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use orchestrator_core::id::{AttemptId, ReplicaName, TaskId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::obstacle::Obstacle;
use orchestrator_core::queue::{ClassName, FullPolicy};
use orchestrator_core::quota::QuotaLimit;
use orchestrator_core::task::{
    AttemptRecord, Engine, FinishReason, TaskEnd, TaskFault, TaskRecord,
};
use tokio::time::{MissedTickBehavior, interval};

use super::commits::Commits;
use super::connection::OpenConnection;
use super::contract::{MetricKind, contract};
use super::deadlines::DeadlineRatios;
use super::depths::QueueDepths;
use super::shares::AdmissionShares;
use crate::names;

/// Pause between two clearings of samples.
const UPKEEP_PERIOD: Duration = Duration::from_secs(5);

/// Label of the queue, and of tasks that ask for no engine.
pub(super) const ANY_ENGINE: &str = "any";

/// The labels that a replica gives to what runs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaLabels {
    /// Kind of engine.
    pub engine: Engine,
    /// Version that it reports.
    pub engine_version: String,
    /// Its pool.
    pub pool: String,
}

/// Feeds the metrics and renders them.
#[derive(Clone)]
pub struct Meter {
    exporter: PrometheusHandle,
    replicas: Arc<Mutex<HashMap<ReplicaName, ReplicaLabels>>>,
    commits: Arc<Commits>,
    deadlines: Arc<DeadlineRatios>,
    depths: Arc<QueueDepths>,
    shares: Arc<AdmissionShares>,
}

impl Meter {
    /// Takes the process's metrics over; there is one meter a process.
    ///
    /// # Errors
    /// A text that says why the metrics cannot be taken over.
    pub fn install() -> Result<Self, String> {
        let mut builder = PrometheusBuilder::new();
        let metrics = contract();
        for metric in metrics
            .iter()
            .filter(|metric| metric.kind == MetricKind::Histogram)
        {
            builder = builder
                .set_buckets_for_metric(Matcher::Full(metric.name.clone()), &metric.buckets)
                .map_err(|error| {
                    format!("the buckets of {} cannot be set: {error}", metric.name)
                })?;
        }
        let exporter = builder
            .install_recorder()
            .map_err(|error| format!("metrics cannot be recorded: {error}"))?;
        for metric in metrics {
            match metric.kind {
                MetricKind::Counter => metrics::describe_counter!(metric.name, metric.help),
                MetricKind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
                MetricKind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
            }
        }
        Ok(Self::of(exporter))
    }

    fn of(exporter: PrometheusHandle) -> Self {
        Self {
            exporter,
            replicas: Arc::default(),
            commits: Arc::new(Commits::new()),
            deadlines: Arc::default(),
            depths: Arc::default(),
            shares: Arc::default(),
        }
    }

    /// The metrics in the Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.exporter.run_upkeep();
        self.exporter.render()
    }

    /// Sorts samples of histograms into their buckets again and again. Without it, or somebody who renders,
    /// each sample is kept.
    pub async fn keep_small(&self) -> Infallible {
        every(UPKEEP_PERIOD, || self.exporter.run_upkeep()).await
    }

    /// One that is not the process's own, and so counts nothing.
    #[cfg(test)]
    pub(crate) fn detached() -> Self {
        Self::of(PrometheusBuilder::new().build_recorder().handle())
    }

    /// A connection was taken in. It counts as open until what is returned is dropped.
    #[must_use]
    pub fn connection_opened(&self) -> OpenConnection {
        OpenConnection::begin()
    }

    /// Connections were turned away because there may be no more.
    pub fn connections_refused(&self, count: u64) {
        counter!("connections_refused_total").increment(count);
    }

    /// A replica takes work.
    pub fn replica_ready(&self, name: ReplicaName, labels: ReplicaLabels) {
        self.replicas
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.clone(), labels);
        // There from the start, so that the first change is a rise.
        self.count_model_changes(&name, 0);
    }

    /// A pool's replicas that take work have a new number.
    pub fn replicas_ready(&self, engine: Engine, pool: &str, ready: usize) {
        gauge!("replicas_ready", "engine" => names::engine(engine), "pool_id" => pool.to_owned())
            .set(ready as f64);
    }

    /// An engine process was lost and will be started again.
    pub fn replica_restarted(&self, engine: Engine, pool: &str, replica: &str) {
        let labels = [
            ("engine", names::engine(engine).to_owned()),
            ("pool_id", pool.to_owned()),
            ("replica_id", replica.to_owned()),
        ];
        counter!("replica_restarts_total", &labels).increment(1);
    }

    /// An engine process was told to change its model for that of this replica.
    pub fn model_changed(&self, replica: &ReplicaName) {
        self.count_model_changes(replica, 1);
    }

    fn count_model_changes(&self, replica: &ReplicaName, more: u64) {
        if let Some(labels) = self.labels(replica) {
            let labels = [
                ("engine", names::engine(labels.engine).to_owned()),
                ("pool_id", labels.pool),
                ("replica_id", replica.to_string()),
            ];
            counter!("model_changes_total", &labels).increment(more);
        }
    }

    /// So many tasks wait in each class that there is.
    pub fn queue_depths(&self, queued: &[(ClassName, u64)]) {
        self.depths.show(queued);
    }

    /// A task was turned away for the sake of a quota.
    pub fn quota_refused(&self, limit: QuotaLimit) {
        counter!("quota_refusals_total", "limit_name" => limit.name()).increment(1);
    }

    /// A task was turned away at the door; `full` is the policy of a full class, if that was the reason.
    pub fn task_rejected(
        &self,
        engine: Option<Engine>,
        code: &'static str,
        full: Option<FullPolicy>,
    ) {
        let engine = engine.map_or(ANY_ENGINE, names::engine);
        counter!("tasks_rejected_total", "engine" => engine, "reason" => code).increment(1);
        if let Some(policy) = full {
            backpressure(engine, policy);
        }
    }

    /// A task of a class was turned away by a rule.
    pub fn task_refused(&self, priority: ClassName, obstacle: Obstacle) {
        let labels = [
            ("blocked_by", obstacle.name().to_owned()),
            ("priority", priority.to_string()),
        ];
        counter!("task_refusals_total", &labels).increment(1);
    }

    /// A batch is durable.
    pub fn committed(&self, mutations: &[Mutation]) {
        let mut ended_attempts: HashMap<TaskId, &AttemptRecord> = HashMap::new();
        for mutation in mutations {
            match mutation {
                Mutation::AttemptInsert(attempt) => self.attempt_started(attempt, mutations),
                Mutation::AttemptUpdate(attempt) => {
                    ended_attempts.insert(attempt.task, attempt);
                }
                Mutation::TaskUpdate(record) if record.state.is_final() => {
                    self.task_ended(record, ended_attempts.get(&record.id).copied());
                }
                Mutation::TaskUpdate(_)
                | Mutation::BulkForget(_)
                | Mutation::BulkPut(_)
                | Mutation::ChunkAppend { .. }
                | Mutation::IdempotencyBind(_)
                | Mutation::IdempotencyForget { .. }
                | Mutation::KeyPut(_)
                | Mutation::PausePut(_)
                | Mutation::QuotaLevelsPut(_)
                | Mutation::QuotaPut(_)
                | Mutation::SessionDelete(_)
                | Mutation::SessionPut(_)
                | Mutation::TaskInsert { .. }
                | Mutation::TextPut { .. } => {}
            }
        }
        let accepted = mutations.iter().filter_map(|mutation| match mutation {
            Mutation::TaskInsert { record, .. } => Some((record.spec.engine, record.spec.priority)),
            _ => None,
        });
        self.commits.add(mutations.len(), accepted);
    }

    fn labels(&self, replica: &ReplicaName) -> Option<ReplicaLabels> {
        self.replicas
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(replica)
            .cloned()
    }

    fn attempt_started(&self, attempt: &AttemptRecord, batch: &[Mutation]) {
        let Some(labels) = self.labels(&attempt.replica) else {
            return;
        };
        let found = batch.iter().find_map(|mutation| match mutation {
            Mutation::TaskInsert { record, .. } | Mutation::TaskUpdate(record)
                if holds(record, attempt.id) =>
            {
                let first = record.attempts == 1;
                let outcome = record.start_outcome().filter(|_| first);
                Some((record.spec.priority, outcome, record.spec.cost()))
            }
            _ => None,
        });
        let Some((priority, outcome, tokens)) = found else {
            return;
        };
        for (class, share) in self.shares.add(priority, tokens) {
            gauge!("admission_share", "priority" => class.to_string()).set(share);
        }
        if let Some(outcome) = outcome {
            let labels = [
                ("outcome", outcome.name().to_owned()),
                ("priority", priority.to_string()),
            ];
            counter!("start_predictions_total", &labels).increment(1);
        }
        let labels = [
            ("engine", names::engine(labels.engine).to_owned()),
            ("engine_version", labels.engine_version),
            ("pool_id", labels.pool),
            ("replica_id", attempt.replica.to_string()),
            ("priority", priority.to_string()),
        ];
        counter!("tasks_started_total", &labels).increment(1);
    }

    fn task_ended(&self, record: &TaskRecord, attempt: Option<&AttemptRecord>) {
        let asked = record.spec.engine.map_or(ANY_ENGINE, names::engine);
        let Some(end) = &record.end else { return };
        let reason = match end {
            TaskEnd::Finished { finish, .. } => names::finish(*finish),
            TaskEnd::Failed { fault, .. } => names::fault_code(*fault),
        };
        let priority = record.spec.priority.to_string();
        counter!("tasks_ended_total", "engine" => asked, "priority" => priority.clone(), "reason" => reason).increment(1);
        match end {
            TaskEnd::Finished {
                finish: FinishReason::Cancelled,
                ..
            } => {
                counter!("tasks_canceled_total", "engine" => asked).increment(1);
            }
            TaskEnd::Failed {
                fault: TaskFault::QueueFullDropLru,
                ..
            } => backpressure(asked, FullPolicy::DropLru),
            TaskEnd::Failed {
                fault: TaskFault::QueueFullShed,
                ..
            } => {
                backpressure(asked, FullPolicy::ShedLowPriority);
                counter!("preemptions_total", "engine" => asked, "mode" => "soft").increment(1);
            }
            _ => {}
        }
        if let Some(met) = record.deadline_met() {
            let ratio = self.deadlines.add(record.spec.priority, met);
            gauge!("deadlines_met_ratio", "priority" => priority).set(ratio);
        }
        if let (
            TaskEnd::Finished {
                finish,
                tokens_in,
                tokens_out,
                decode_ms,
            },
            Some(attempt),
        ) = (end, attempt)
        {
            self.tokens(
                record,
                attempt,
                (*tokens_in, *tokens_out),
                (*finish != FinishReason::Cancelled).then_some(*decode_ms),
            );
        }
    }

    fn tokens(
        &self,
        record: &TaskRecord,
        attempt: &AttemptRecord,
        (tokens_in, tokens_out): (u64, u64),
        decode_ms: Option<u64>,
    ) {
        let Some(labels) = self.labels(&attempt.replica) else {
            return;
        };
        let engine = names::engine(labels.engine).to_owned();
        let replica = [
            ("engine", engine.clone()),
            ("engine_version", labels.engine_version.clone()),
            ("pool_id", labels.pool.clone()),
            ("replica_id", attempt.replica.to_string()),
        ];
        counter!("tokens_in_total", &replica).increment(tokens_in);
        counter!("tokens_out_total", &replica).increment(tokens_out);
        let class = [
            ("engine", engine),
            ("engine_version", labels.engine_version),
            ("pool_id", labels.pool),
            ("priority", record.spec.priority.to_string()),
        ];
        if let Some(ms) = attempt.first_token_ms {
            histogram!("latency_first_token_ms", &class).record(ms as f64);
        }
        if let Some(ms) = decode_ms {
            histogram!("latency_decode_ms", &class).record(ms as f64);
        }
    }
}

fn backpressure(engine: &'static str, policy: FullPolicy) {
    let labels = [("engine", engine), ("policy", names::full_policy(policy))];
    counter!("admission_backpressure_events_total", &labels).increment(1);
}

fn holds(record: &TaskRecord, attempt: AttemptId) -> bool {
    record
        .attempt
        .as_ref()
        .is_some_and(|head| head.id == attempt)
}

async fn every(period: Duration, mut work: impl FnMut()) -> Infallible {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        work();
    }
}

#[cfg(test)]
mod tests;
