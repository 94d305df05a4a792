//! Records as rows. Values are bound and read in the order of the column lists in `sql.rs`.

use orchestrator_core::eta::StartBand;
use orchestrator_core::id::{
    AcceptSeq, AttemptId, Epoch, ModelRef, PrincipalId, ProjectId, ReplicaName, SessionId, TaskId,
    TenantId,
};
use orchestrator_core::placement::ReplicaSetKey;
use orchestrator_core::task::{
    AttemptHead, AttemptRecord, AttemptState, FinishReason, PromptFacts, Sampling, Started,
    TaskEnd, TaskFault, TaskRecord, TaskSpec, TaskState, WaitingFor,
};
use orchestrator_core::time::WallMs;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Result, Row};
use store::state_name;

use crate::codec::{Exact, Hash, Id, Name, ShortId, Unsigned};
use crate::sql::Binder;

/// Binds what is fixed at acceptance.
pub(crate) fn bind_task_fixed(to: &mut Binder<'_, '_>, record: &TaskRecord) -> Result<()> {
    let TaskSpec {
        prompt, sampling, ..
    } = &record.spec;
    to.value(Unsigned(record.seq.0))?
        .value(ShortId::new(record.tenant.0))?
        .value(ShortId::new(record.project.0))?
        .value(ShortId::new(record.created_by.0))?
        .value(Id::new(record.id.0))?
        .value(Hash(record.fingerprint))?
        .value(Name(record.spec.kind))?
        .value(Hash(prompt.digest))?
        .value(Unsigned(prompt.bytes))?
        .value(Unsigned(prompt.tokens_estimate))?
        .value(Unsigned(prompt.tokens_least))?
        .value_or_null(record.spec.model_ref.as_ref().map(ModelRef::as_str))?
        .value_or_null(record.spec.engine.map(Name))?
        .value_or_null(record.spec.ctx)?
        .value(record.spec.max_tokens)?
        .value(record.spec.ignore_eos)?
        .value(Exact(sampling.temperature))?
        .value(sampling.top_k)?
        .value(Exact(sampling.top_p))?
        .value(Exact(sampling.min_p))?
        .value(Exact(sampling.repeat_penalty))?
        .value(record.spec.seed)?
        .value(Name(record.spec.determinism))?
        .value(Name(record.spec.priority))?
        .value_or_null(record.spec.deadline_ms.map(Unsigned))?
        .value_or_null(record.spec.run_at.map(|at| Unsigned(at.0)))?
        .value_or_null(record.spec.session.map(|session| Id::new(session.0)))?
        .value(Name(record.spec.on_disconnect))?
        .value(Unsigned(record.accepted_at.0))?
        .value(Unsigned(record.accepted_position))?
        .value(Unsigned(record.accepted_eta_ms))?
        .value_or_null(record.accepted_band.map(|band| Unsigned(band.low_ms)))?
        .value_or_null(record.accepted_band.map(|band| Unsigned(band.high_ms)))?;
    Ok(())
}

/// Binds what changes.
pub(crate) fn bind_task_changing(to: &mut Binder<'_, '_>, record: &TaskRecord) -> Result<()> {
    let waiting_for = match record.state {
        TaskState::Waiting(reason) => Some(reason),
        _ => None,
    };
    let attempt = record.attempt.as_ref();
    let started = record.started.as_ref();
    to.value(Unsigned(record.revision))?
        .value(state_name(record.state))?
        .value_or_null(waiting_for.map(Name))?
        .value(record.attempts)?
        .value(record.failures)?
        .value(record.interruptions)?
        .value_or_null(attempt.map(|attempt| Id::new(attempt.id.0)))?
        .value_or_null(attempt.map(|attempt| attempt.number))?
        .value_or_null(attempt.map(|attempt| attempt.replica.as_str()))?
        .value_or_null(record.replica_set.map(|set| Hash(set.0)))?
        .value_or_null(started.map(|started| Unsigned(started.at.0)))?
        .value_or_null(started.map(|started| started.replica.as_str()))?
        .value_or_null(started.map(|started| Name(started.engine)))?
        .value_or_null(started.map(|started| started.engine_version.as_str()))?
        .value_or_null(started.map(|started| Hash(started.model_digest)))?
        .value(Unsigned(record.position))?
        .value_or_null(record.not_before.map(|at| Unsigned(at.0)))?
        .value_or_null(record.ended_at.map(|at| Unsigned(at.0)))?;
    bind_end(to, record.end.as_ref())
}

fn bind_end(to: &mut Binder<'_, '_>, end: Option<&TaskEnd>) -> Result<()> {
    let finished = match end {
        Some(TaskEnd::Finished {
            finish,
            tokens_in,
            tokens_out,
            decode_ms,
        }) => Some((*finish, *tokens_in, *tokens_out, *decode_ms)),
        _ => None,
    };
    let failed = match end {
        Some(TaskEnd::Failed { fault, detail }) => Some((*fault, detail.as_str())),
        _ => None,
    };
    to.value_or_null(finished.map(|(finish, ..)| Name(finish)))?
        .value_or_null(finished.map(|(_, tokens_in, ..)| Unsigned(tokens_in)))?
        .value_or_null(finished.map(|(_, _, tokens_out, _)| Unsigned(tokens_out)))?
        .value_or_null(finished.map(|(.., decode_ms)| Unsigned(decode_ms)))?
        .value_or_null(failed.map(|(fault, _)| Name(fault)))?
        .value_or_null(failed.map(|(_, detail)| detail))?;
    Ok(())
}

/// Binds an attempt of the task with this accept sequence.
pub(crate) fn bind_attempt(
    to: &mut Binder<'_, '_>,
    record: &AttemptRecord,
    seq: Unsigned,
) -> Result<()> {
    let (state, finish, fault) = match record.state {
        AttemptState::Live => ("live", None, None),
        AttemptState::Finished(finish) => ("finished", Some(finish), None),
        AttemptState::Failed(fault) => ("failed", None, Some(fault)),
    };
    to.value(Id::new(record.id.0))?
        .value(seq)?
        .value(record.number)?
        .value(record.replica.as_str())?
        .value(Hash(record.replica_set.0))?
        .value(Unsigned(record.epoch.0))?
        .value(Unsigned(record.began_at.0))?
        .value_or_null(record.ended_at.map(|at| Unsigned(at.0)))?
        .value(state)?
        .value_or_null(finish.map(Name))?
        .value_or_null(fault.map(Name))?
        .value_or_null(record.first_token_ms.map(Unsigned))?
        .value(record.detail.as_str())?;
    Ok(())
}

/// Reads the columns of a row, in order.
pub(crate) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn new(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn take<T: FromSql>(&mut self) -> Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// Number of columns taken.
    pub(crate) fn taken(&self) -> usize {
        self.next
    }

    pub(crate) fn number(&mut self) -> Result<u64> {
        self.take::<Unsigned>().map(|number| number.0)
    }

    pub(crate) fn number_or_none(&mut self) -> Result<Option<u64>> {
        Ok(self.take::<Option<Unsigned>>()?.map(|number| number.0))
    }

    pub(crate) fn time(&mut self) -> Result<Option<WallMs>> {
        Ok(self.take::<Option<Unsigned>>()?.map(|ms| WallMs(ms.0)))
    }

    pub(crate) fn named<T: store::Named>(&mut self) -> Result<T> {
        self.take::<Name<T>>().map(|name| name.0)
    }

    pub(crate) fn named_or_none<T: store::Named>(&mut self) -> Result<Option<T>> {
        Ok(self.take::<Option<Name<T>>>()?.map(|name| name.0))
    }

    pub(crate) fn name_like<T>(&mut self, make: impl Fn(String) -> T) -> Result<Option<T>> {
        Ok(self.take::<Option<String>>()?.map(make))
    }

    /// The error for a combination of values, read last, that no version up to this one writes.
    pub(crate) fn unknown(&self, what: &str, value: &str) -> rusqlite::Error {
        rusqlite::Error::FromSqlConversionFailure(
            self.next - 1,
            Type::Text,
            format!("no {what} is called {value}").into(),
        )
    }
}

/// Reads a task.
pub(crate) fn read_task(from: &mut Columns<'_>) -> Result<TaskRecord> {
    Ok(TaskRecord {
        seq: AcceptSeq(from.number()?),
        tenant: TenantId(from.take::<ShortId>()?.value()),
        project: ProjectId(from.take::<ShortId>()?.value()),
        created_by: PrincipalId(from.take::<ShortId>()?.value()),
        id: TaskId(from.take::<Id>()?.value()),
        fingerprint: from.take::<Hash>()?.0,
        spec: read_spec(from)?,
        accepted_at: WallMs(from.number()?),
        accepted_position: from.number()?,
        accepted_eta_ms: from.number()?,
        accepted_band: read_band(from)?,
        revision: from.number()?,
        state: read_state(from)?,
        attempts: from.take()?,
        failures: from.take()?,
        interruptions: from.take()?,
        attempt: read_head(from)?,
        replica_set: from.take::<Option<Hash>>()?.map(|set| ReplicaSetKey(set.0)),
        started: read_started(from)?.map(Box::new),
        position: from.number()?,
        not_before: from.time()?,
        ended_at: from.time()?,
        end: read_end(from)?,
    })
}

fn read_band(from: &mut Columns<'_>) -> Result<Option<StartBand>> {
    let low = from.take::<Option<Unsigned>>()?;
    let high = from.take::<Option<Unsigned>>()?;
    Ok(low.zip(high).map(|(low, high)| StartBand {
        low_ms: low.0,
        high_ms: high.0,
    }))
}

fn read_spec(from: &mut Columns<'_>) -> Result<TaskSpec> {
    Ok(TaskSpec {
        kind: from.named()?,
        prompt: PromptFacts {
            digest: from.take::<Hash>()?.0,
            bytes: from.number()?,
            tokens_estimate: from.number()?,
            tokens_least: from.number()?,
        },
        model_ref: from.name_like(ModelRef::new)?,
        engine: from.named_or_none()?,
        ctx: from.take()?,
        max_tokens: from.take()?,
        ignore_eos: from.take()?,
        sampling: Sampling {
            temperature: from.take::<Exact>()?.0,
            top_k: from.take()?,
            top_p: from.take::<Exact>()?.0,
            min_p: from.take::<Exact>()?.0,
            repeat_penalty: from.take::<Exact>()?.0,
        },
        seed: from.take()?,
        determinism: from.named()?,
        priority: from.named()?,
        deadline_ms: from.take::<Option<Unsigned>>()?.map(|ms| ms.0),
        run_at: from.time()?,
        session: from.take::<Option<Id>>()?.map(|id| SessionId(id.value())),
        on_disconnect: from.named()?,
    })
}

fn read_state(from: &mut Columns<'_>) -> Result<TaskState> {
    let name: String = from.take()?;
    let waiting_for: Option<WaitingFor> = from.named_or_none()?;
    match (name.as_str(), waiting_for) {
        ("waiting", Some(reason)) => Ok(TaskState::Waiting(reason)),
        ("queued", None) => Ok(TaskState::Queued),
        ("dispatched", None) => Ok(TaskState::Dispatched),
        ("running", None) => Ok(TaskState::Running),
        ("cancel_requested", None) => Ok(TaskState::CancelRequested),
        ("completed", None) => Ok(TaskState::Completed),
        ("failed", None) => Ok(TaskState::Failed),
        ("cancelled", None) => Ok(TaskState::Cancelled),
        ("parked", None) => Ok(TaskState::Parked),
        _ => Err(from.unknown("task state", &name)),
    }
}

fn read_head(from: &mut Columns<'_>) -> Result<Option<AttemptHead>> {
    let id = from.take::<Option<Id>>()?;
    let number: Option<u32> = from.take()?;
    let replica = from.name_like(ReplicaName::new)?;
    Ok(id
        .zip(number)
        .zip(replica)
        .map(|((id, number), replica)| AttemptHead {
            id: AttemptId(id.value()),
            number,
            replica,
        }))
}

fn read_started(from: &mut Columns<'_>) -> Result<Option<Started>> {
    let at = from.time()?;
    let replica = from.name_like(ReplicaName::new)?;
    let engine = from.named_or_none()?;
    let engine_version: Option<String> = from.take()?;
    let model_digest = from.take::<Option<Hash>>()?;
    Ok((|| {
        Some(Started {
            at: at?,
            replica: replica?,
            engine: engine?,
            engine_version: engine_version?,
            model_digest: model_digest?.0,
        })
    })())
}

fn read_end(from: &mut Columns<'_>) -> Result<Option<TaskEnd>> {
    let finish: Option<FinishReason> = from.named_or_none()?;
    let mut counts = [0; 3];
    for count in &mut counts {
        *count = from.take::<Option<Unsigned>>()?.map_or(0, |count| count.0);
    }
    let fault: Option<TaskFault> = from.named_or_none()?;
    let detail: Option<String> = from.take()?;
    let [tokens_in, tokens_out, decode_ms] = counts;
    Ok(match (finish, fault) {
        (Some(finish), _) => Some(TaskEnd::Finished {
            finish,
            tokens_in,
            tokens_out,
            decode_ms,
        }),
        (None, Some(fault)) => Some(TaskEnd::Failed {
            fault,
            detail: detail.unwrap_or_default(),
        }),
        (None, None) => None,
    })
}

/// Reads an attempt.
pub(crate) fn read_attempt(from: &mut Columns<'_>) -> Result<AttemptRecord> {
    Ok(AttemptRecord {
        id: AttemptId(from.take::<Id>()?.value()),
        task: TaskId(from.take::<Id>()?.value()),
        number: from.take()?,
        replica: ReplicaName::new(from.take::<String>()?),
        replica_set: ReplicaSetKey(from.take::<Hash>()?.0),
        epoch: Epoch(from.number()?),
        began_at: WallMs(from.number()?),
        ended_at: from.time()?,
        state: read_attempt_state(from)?,
        first_token_ms: from.take::<Option<Unsigned>>()?.map(|ms| ms.0),
        detail: from.take()?,
    })
}

fn read_attempt_state(from: &mut Columns<'_>) -> Result<AttemptState> {
    let name: String = from.take()?;
    let finish = from.named_or_none()?;
    let fault = from.named_or_none()?;
    match (name.as_str(), finish, fault) {
        ("live", None, None) => Ok(AttemptState::Live),
        ("finished", Some(finish), None) => Ok(AttemptState::Finished(finish)),
        ("failed", None, Some(fault)) => Ok(AttemptState::Failed(fault)),
        _ => Err(from.unknown("attempt state", &name)),
    }
}
