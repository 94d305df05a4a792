//! A task comes in.

use crate::id::{ReplyToken, SessionKey, TaskId};
use crate::input::TaskCreate;
use crate::machine::driver::{LiveTask, Machine};
use crate::machine::moves::ctx_need;
use crate::machine::step::Answer;
use crate::placement::Doom;
use crate::queue::{Admission, LaneKey};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::task::{TaskEnd, TaskEvent, TaskFault, TaskRecord, TaskState};
use crate::time::{AgeMs, Now};

impl Machine {
    /// Accepts a task, replays the answer of an earlier acceptance, or refuses and changes nothing.
    pub(super) fn task_create(
        &mut self,
        now: Now,
        reply: ReplyToken,
        create: TaskCreate,
        cold: Option<Box<TaskRecord>>,
    ) {
        let answer = match self.taken(&create, cold) {
            Some(answer) => answer,
            None => match self.admit(now, &create) {
                Ok(victim) => {
                    if let Some(victim) = victim {
                        self.drop_from_queue(now, victim, create.id);
                    }
                    let task = create.id;
                    self.accept(now, create);
                    Answer::Created {
                        task,
                        replayed: false,
                    }
                }
                Err(refusal) => Answer::Ready(Reply::Refused(refusal)),
            },
        };
        self.step.replies.push((reply, answer));
    }

    /// The answer if the id is taken.
    fn taken(&self, create: &TaskCreate, cold: Option<Box<TaskRecord>>) -> Option<Answer> {
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

    /// May it come in? The task that has to go for it, if one has to.
    fn admit(&self, now: Now, create: &TaskCreate) -> Result<Option<TaskId>, Refusal> {
        let spec = &create.spec;
        let lane = LaneKey {
            model_ref: spec.model_ref.clone(),
            engine: spec.engine,
            pinned: None,
        };
        if let Some(doom) = self.fleet.doom(&lane, ctx_need(spec)) {
            return Err(self.refusal(create, doom));
        }
        if let Some(id) = spec.session
            && let Some(session) = self
                .sessions
                .get(SessionKey::new(create.tenant, id), now.mono)
            && session.record.turns >= self.config.session_turns_max
        {
            let turns_max = self.config.session_turns_max;
            return Err(Refusal::SessionExhausted {
                session: id,
                turns_max,
            });
        }
        if !self.pending.dispatch && self.fleet.room(&lane) >= Some(ctx_need(spec)) {
            // It never waits. It overtakes nobody: a free slot that fits means that nobody queued fits it.
            return Ok(None);
        }
        let limit = self.config.limit(spec.priority);
        match self.front.admit(spec.priority, limit) {
            Admission::Room => Ok(None),
            Admission::Victim(victim) => Ok(Some(victim)),
            Admission::Refused => Err(Refusal::QueueFull {
                priority: spec.priority,
                capacity: limit.capacity.max(1),
                retry_after_ms: self.eta_ms(&lane, 0).max(1),
            }),
        }
    }

    fn refusal(&self, create: &TaskCreate, doom: Doom) -> Refusal {
        let spec = &create.spec;
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

    fn drop_from_queue(&mut self, now: Now, victim: TaskId, newcomer: TaskId) {
        if self.transit(victim, TaskEvent::Doomed).is_some() {
            let fault = TaskFault::QueueFullDropLru;
            let detail = format!("the queue of its class was full when task {newcomer} came");
            self.finish(now, victim, TaskEnd::Failed { fault, detail });
        }
    }

    fn accept(&mut self, now: Now, create: TaskCreate) {
        let TaskCreate {
            id,
            fresh: _,
            tenant,
            project,
            created_by,
            fingerprint,
            spec,
            body,
        } = create;
        self.accept_seq.0 += 1;
        let session = spec.session.map(|id| SessionKey::new(tenant, id));
        let record = TaskRecord {
            id,
            seq: self.accept_seq,
            tenant,
            project,
            created_by,
            fingerprint,
            spec,
            accepted_at: now.wall,
            accepted_position: 0,
            accepted_eta_ms: 0,
            revision: 0,
            state: TaskState::Queued,
            attempts: 0,
            failures: 0,
            interruptions: 0,
            attempt: None,
            replica_set: None,
            started: None,
            position: 0,
            not_before: None,
            ended_at: None,
            end: None,
        };
        self.tasks.insert(
            id,
            Box::new(LiveTask {
                record,
                since: AgeMs::at(now.mono),
            }),
        );
        self.step.touch(id);
        self.step.inserted = Some((id, body));
        self.note_estimates(now, id);
        self.enqueue(id);
        if let Some(session) = session {
            self.sessions.accept(session, now);
            self.session_changed(session);
        }
    }

    /// Writes down position and estimated start, as they are before the task itself is queued.
    fn note_estimates(&mut self, now: Now, task: TaskId) {
        let Some(live) = self.tasks.get(&task) else {
            return;
        };
        let position = self.ahead(now, live);
        let eta = self.start_in_ms(now, live);
        if let Some(live) = self.tasks.get_mut(&task) {
            live.record.accepted_position = position;
            live.record.accepted_eta_ms = eta;
        }
    }
}
