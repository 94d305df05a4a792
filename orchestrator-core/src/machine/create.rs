//! A task comes in.

use std::sync::Arc;

use crate::id::{AcceptSeq, PayloadRef, ReplyToken, TaskId};
use crate::input::TaskCreate;
use crate::machine::driver::{LiveTask, Machine};
use crate::machine::moves::ctx_need;
use crate::machine::step::Answer;
use crate::placement::Doom;
use crate::queue::{Admission, ClassName, FullPolicy, Victim};
use crate::refusal::{ClassAsk, Refusal};
use crate::reply::Reply;
use crate::session::Newcomer;
use crate::task::{TaskEnd, TaskEvent, TaskFault, TaskRecord, TaskSpec, TaskState, WaitingFor};
use crate::time::{AgeMs, Now};

impl Machine {
    /// Accepts a task, replays the answer of an earlier acceptance, or refuses and changes nothing.
    pub(super) fn task_create(
        &mut self,
        now: Now,
        reply: ReplyToken,
        create: TaskCreate,
        cold: Option<Arc<TaskRecord>>,
    ) {
        let key = create
            .key
            .filter(|key| self.idempotency.task(*key).is_none());
        let earlier = self.taken(&create, cold);
        let answer = match earlier.or_else(|| self.classless(create.spec.priority)) {
            Some(answer) => answer,
            None => {
                let (newcomer, body) = self.newcomer(now, create);
                let task = newcomer.record.id;
                match self.admit(now, &newcomer) {
                    Ok(victim) => {
                        if let Some(victim) = victim {
                            self.drop_from_queue(now, victim, task);
                        }
                        self.accept(now, newcomer, body);
                        Answer::Created {
                            task,
                            replayed: false,
                        }
                    }
                    Err(refusal) => {
                        let refused = self.refused(now, &newcomer, refusal);
                        Answer::Ready(Reply::TaskRefused(Box::new(refused)))
                    }
                }
            }
        };
        if let Some(key) = key
            && let Some(task) = answer.created()
        {
            self.step.bound = Some(self.idempotency.bind(now, key, task));
        }
        self.step.replies.push((reply, answer));
    }

    /// The task on whose record the answer to a request depends: the one that its idempotency key stands for, or
    /// else the one whose id it names. `None` for a new key or none at all, under a fresh id.
    #[must_use]
    pub fn answered_by(&self, create: &TaskCreate) -> Option<TaskId> {
        self.bound_task(create)
            .or_else(|| (!create.fresh).then_some(create.id))
    }

    /// The task that a request's idempotency key stands for.
    #[must_use]
    pub fn bound_task(&self, create: &TaskCreate) -> Option<TaskId> {
        self.idempotency.task(create.key?)
    }

    /// The answer if the idempotency key is bound, or else the id taken.
    fn taken(&self, create: &TaskCreate, cold: Option<Arc<TaskRecord>>) -> Option<Answer> {
        match self.bound_task(create) {
            Some(task) => Some(self.bound(create, task, cold)),
            None => self.taken_id(create, cold),
        }
    }

    /// The answer of a bound key. Its task may have been made by this very request only.
    fn bound(&self, create: &TaskCreate, task: TaskId, cold: Option<Arc<TaskRecord>>) -> Answer {
        let same = |row: &TaskRecord| {
            row.tenant == create.tenant
                && row.project == create.project
                && row.fingerprint == create.fingerprint
        };
        let refused = |refusal| Answer::Ready(Reply::Refused(refusal));
        if let Some(live) = self.tasks.get(&task) {
            return match same(&live.record) {
                true => Answer::Created {
                    task,
                    replayed: true,
                },
                false => refused(Refusal::IdempotencyMismatch { task }),
            };
        }
        match cold {
            Some(record) if same(&record) => Answer::Ready(Reply::TaskCreated {
                record,
                replayed: true,
            }),
            Some(_) => refused(Refusal::IdempotencyMismatch { task }),
            // What was accepted is never deleted, so that whoever does not find it has lost the store.
            None => refused(Refusal::TaskUnknown { task }),
        }
    }

    /// The answer if the id is taken.
    fn taken_id(&self, create: &TaskCreate, cold: Option<Arc<TaskRecord>>) -> Option<Answer> {
        let same =
            |row: &TaskRecord| row.tenant == create.tenant && row.fingerprint == create.fingerprint;
        let conflict =
            || Answer::Ready(Reply::Refused(Refusal::TaskIdConflict { task: create.id }));
        if let Some(live) = self.tasks.get(&create.id) {
            return Some(if same(&live.record) {
                Answer::Created {
                    task: create.id,
                    replayed: true,
                }
            } else {
                conflict()
            });
        }
        let record = cold?;
        Some(if same(&record) {
            Answer::Ready(Reply::TaskCreated {
                record,
                replayed: true,
            })
        } else {
            conflict()
        })
    }

    /// The answer if there is no such class. Nothing is reported of it, so that figures by class have no other
    /// classes than there are.
    fn classless(&self, class: ClassName) -> Option<Answer> {
        let refusal = self.class_refusal(class, ClassAsk::Task)?;
        Some(Answer::Ready(Reply::Refused(refusal)))
    }

    /// The refusal of a class that takes no tasks.
    pub(super) fn class_refusal(&self, class: ClassName, by: ClassAsk) -> Option<Refusal> {
        (!self.classes.is_configured(class)).then(|| Refusal::ClassUnknown {
            class,
            by,
            known: self.classes.names(),
        })
    }

    /// May it come in? The task that has to go for it, if one has to.
    fn admit(&self, now: Now, newcomer: &LiveTask) -> Result<Option<Victim>, Refusal> {
        let spec = &newcomer.record.spec;
        let lane = newcomer.lane();
        if let Some(doom) = self.fleet.doom(&lane, ctx_need(spec)) {
            return Err(self.refusal(spec, doom));
        }
        if let Some(key) = newcomer.record.session_key()
            && let Some(session) = self.sessions.get(key, now.mono)
            && session.record.turns >= self.config.session_turns_max
        {
            let turns_max = self.config.session_turns_max;
            return Err(Refusal::SessionExhausted {
                session: key.session,
                turns_max,
            });
        }
        let refusal = self
            .schedule_refusal(now, newcomer)
            .or_else(|| self.quota_refusal(now, newcomer))
            .or_else(|| self.budget_refusal(now, newcomer))
            .or_else(|| self.deadline_refusal(now, newcomer));
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        if newcomer.record.state != TaskState::Queued {
            // It stands at no door yet.
            return Ok(None);
        }
        if self.is_at_rest(now) && self.room_for_newcomer(now.mono, &lane) >= Some(ctx_need(spec)) {
            // It never waits. It overtakes nobody: a free slot that fits, and is kept for nobody, means that nobody
            // queued fits it.
            return Ok(None);
        }
        match self
            .front
            .admit(self.classes.rank(spec.priority), &self.classes)
        {
            Admission::Room => Ok(None),
            Admission::Victim(victim) => Ok(Some(victim)),
            Admission::Refused(class) => Err(Refusal::QueueFull {
                priority: spec.priority,
                capacity: class.capacity.max(1),
                full: class.full,
                retry_after_ms: self.eta_ms(&lane, 0).max(1),
            }),
        }
    }

    fn refusal(&self, spec: &TaskSpec, doom: Doom) -> Refusal {
        match doom {
            Doom::NotServed => Refusal::ModelUnknown {
                model_ref: spec.model_ref.clone(),
                engine: spec.engine,
                known: self.fleet.served(),
            },
            Doom::PoolUnavailable(detail) => Refusal::PoolUnavailable { detail },
            Doom::ContextExceeded { ctx_max } => Refusal::ContextExceeded {
                tokens_least: spec.prompt.tokens_least,
                ctx_asked: spec.ctx,
                ctx_max,
            },
            // A newcomer is pinned to no set.
            Doom::ReplicaSetGone => Refusal::PoolUnavailable {
                detail: String::new(),
            },
        }
    }

    fn drop_from_queue(&mut self, now: Now, victim: Victim, newcomer: TaskId) {
        if self.transit(victim.task, TaskEvent::Doomed).is_none() {
            return;
        }
        let (fault, detail) = match victim.by {
            FullPolicy::ShedLowPriority => (
                TaskFault::QueueFullShed,
                format!("the queue was full when the more urgent task {newcomer} came"),
            ),
            FullPolicy::DropLru | FullPolicy::Reject => (
                TaskFault::QueueFullDropLru,
                format!("the queue of its class was full when task {newcomer} came"),
            ),
        };
        self.finish(now, victim.task, TaskEnd::Failed { fault, detail });
    }

    /// The task as it would be accepted now, and its body.
    fn newcomer(&self, now: Now, create: TaskCreate) -> (LiveTask, PayloadRef) {
        let TaskCreate {
            id,
            fresh: _,
            tenant,
            project,
            created_by,
            fingerprint,
            key: _,
            spec,
            budget,
            body,
        } = create;
        let later = spec.run_at.filter(|at| *at > now.wall);
        let since = AgeMs::at(now.mono);
        let eligible = since.after(later.map_or(0, |at| at - now.wall));
        let record = TaskRecord {
            id,
            seq: AcceptSeq(self.accept_seq.0 + 1),
            tenant,
            project,
            created_by,
            fingerprint,
            spec,
            accepted_at: now.wall,
            accepted_position: 0,
            accepted_eta_ms: 0,
            accepted_band: None,
            revision: 0,
            state: match later {
                Some(_) => TaskState::Waiting(WaitingFor::Time),
                None => TaskState::Queued,
            },
            attempts: 0,
            failures: 0,
            interruptions: 0,
            attempt: None,
            replica_set: None,
            started: None,
            position: 0,
            not_before: later,
            ended_at: None,
            end: None,
        };
        let mut live = LiveTask::new(record, since, eligible);
        live.claim = self.budget_claim(&live);
        live.budget = budget.map(Box::new);
        (live, body)
    }

    fn accept(&mut self, now: Now, mut newcomer: LiveTask, body: PayloadRef) {
        self.note_estimates(now, &mut newcomer);
        let TaskRecord { id, seq, state, .. } = *newcomer.record;
        let session = newcomer.record.session_key();
        let of_session = Newcomer {
            seq,
            budget: newcomer.budget.as_deref().copied(),
            claim: newcomer.claim,
        };
        self.accept_seq = seq;
        self.quota_take(now, &newcomer.record);
        self.watch_deadline(id, newcomer.deadline());
        let line = (state == TaskState::Queued).then(|| self.line(&newcomer));
        self.tasks.insert(id, Box::new(newcomer));
        self.step.touch(id);
        self.step.inserted = Some((id, body));
        match line {
            Some(line) => self.stand_in_line(line),
            None => self.await_time(id),
        }
        if let Some(session) = session {
            self.sessions.accept(session, now, of_session);
            self.session_changed(session);
        }
    }

    /// Writes down position, estimated start and its band, as they are before the task itself is queued.
    fn note_estimates(&self, now: Now, newcomer: &mut LiveTask) {
        let position = self.ahead(now, newcomer);
        let eta = self.begins_in_ms(now, newcomer, position);
        let at_once = newcomer.waits_until().is_none();
        let band = at_once
            .then(|| self.start_band_of(newcomer, position))
            .flatten();
        let record = Arc::make_mut(&mut newcomer.record);
        record.accepted_position = position;
        record.accepted_eta_ms = eta;
        record.accepted_band = band;
    }
}
