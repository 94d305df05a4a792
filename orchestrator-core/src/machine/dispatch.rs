//! A queued task gets a slot.

use crate::attempt::{LiveAttempt, attempt_id};
use crate::effect::{AttemptOrder, Effect};
use crate::entropy::Entropy;
use crate::id::{AttemptId, ReplicaName, TaskId};
use crate::machine::affinity::Choice;
use crate::machine::driver::Machine;
use crate::machine::moves::ctx_need;
use crate::machine::step::Deed;
use crate::placement::{Precedence, ReplicaSetKey, Request, plan};
use crate::queue::{Charge, Shares};
use crate::task::{AttemptHead, AttemptRecord, AttemptState, Started, TaskEvent, TaskRecord};
use crate::time::{AgeMs, MonoMs, Now};
use crate::timer::Timer;

impl Machine {
    /// Dispatches the task that is first in the order of a pool with a slot free. False if there is none.
    pub(super) fn dispatch_next(&mut self, now: Now, entropy: &mut dyn Entropy) -> bool {
        if !self.fleet.has_room() {
            return false;
        }
        let Some((choice, replica)) = self.next_dispatch(now.mono) else {
            return false;
        };
        let Choice {
            next,
            group,
            replica: _,
            precedence,
        } = choice;
        let charge = Charge {
            group,
            band: next.band,
            flow: next.flow,
            weight: self.weight(next.flow),
            tokens: next.cost.into(),
        };
        let in_order = precedence == Precedence::First;
        self.fairness.charge(charge, &next.waiting, in_order);
        if self.fleet.shared(group).is_some() {
            self.fleet.count(&replica, precedence, next.cost);
        }
        self.dispatch(now, entropy, next.task, &replica, charge);
        true
    }

    /// What is dispatched next, and where. Each group of pools has an order of its own. Where the first of one group
    /// would rather run in another that has room too, that other group is asked first.
    fn next_dispatch(&self, now: MonoMs) -> Option<(Choice, ReplicaName)> {
        let policy = self.config.policy;
        let mut rather_elsewhere: Option<Choice> = None;
        for group in self.fleet.groups_with_room() {
            let choice = if self.fleet.shared(group).is_some() {
                self.look(now, group).choice
            } else {
                self.first_of(now, group)
            };
            let Some(choice) = choice else {
                continue;
            };
            let request = self.request(now, &self.tasks.get(&choice.next.task)?.record);
            let anywhere = plan(self.fleet.replicas(), &request, policy).chosen?;
            if self.fleet.is_in(anywhere, group) {
                let replica = choice.replica.clone();
                return Some((choice, replica.unwrap_or_else(|| anywhere.name.clone())));
            }
            rather_elsewhere.get_or_insert(choice);
        }
        let choice = rather_elsewhere?;
        if let Some(replica) = choice.replica.clone() {
            return Some((choice, replica));
        }
        let request = self.request(now, &self.tasks.get(&choice.next.task)?.record);
        let here = plan(self.fleet.members(choice.group), &request, policy).chosen?;
        Some((choice, here.name.clone()))
    }

    /// The first in the order of a pool that shares no process.
    fn first_of(&self, now: MonoMs, group: usize) -> Option<Choice> {
        let weight = |flow| self.weight(flow);
        let shares = Shares {
            fairness: &self.fairness,
            group,
            weight: &weight,
            classes: &self.classes,
        };
        let room = |lane: &_| self.fleet.room_in(group, lane);
        Some(Choice {
            next: self.lanes.next(now, shares, room)?,
            group,
            replica: None,
            precedence: Precedence::First,
        })
    }

    /// What placement is asked for a task.
    pub(super) fn request<'a>(&'a self, now: MonoMs, row: &'a TaskRecord) -> Request<'a> {
        let session = row
            .session_key()
            .and_then(|session| self.sessions.get(session, now));
        Request {
            model_ref: row.spec.model_ref.as_ref(),
            engine: row.spec.engine,
            ctx_need: ctx_need(&row.spec),
            pinned: row.replica_set,
            preferred: session.and_then(|session| session.record.replica.as_ref()),
        }
    }

    fn dispatch(
        &mut self,
        now: Now,
        entropy: &mut dyn Entropy,
        task: TaskId,
        replica: &ReplicaName,
        charge: Charge,
    ) {
        let Some((started, set)) = self.started(now, replica) else {
            return;
        };
        if self.transit(task, TaskEvent::Dispatched).is_none() {
            return;
        }
        let id = self.new_attempt_id(now, entropy);
        let Some(row) = self.row_mut(task) else {
            return;
        };
        row.attempts += 1;
        let head = AttemptHead {
            id,
            number: row.attempts,
            replica: replica.clone(),
        };
        row.attempt = Some(head.clone());
        let first = row.started.is_none();
        row.started.get_or_insert_with(|| Box::new(started));
        let row = row.clone();

        let changes_model = self.begin_attempt(now, task, &head, set, charge);
        if let Some(session) = row.session_key()
            && self.sessions.dispatched(session, replica, now)
        {
            self.step.sessions.insert(session);
        }
        if first {
            if let Some(outcome) = row.start_outcome() {
                let class = self.classes.rank(row.spec.priority);
                self.calibration.add(class, outcome);
            }
            self.step
                .deeds
                .extend(Effect::task_started(&row).map(Deed::Ready));
        }
        let order = Box::new(AttemptOrder {
            changes_model,
            ..order(&row, &head)
        });
        self.step
            .deeds
            .push(Deed::Ready(Effect::AttemptStart(order)));
    }

    /// What is told of a dispatch to this replica, and the replica's set.
    fn started(&self, now: Now, replica: &ReplicaName) -> Option<(Started, ReplicaSetKey)> {
        let replica = self.fleet.replica(replica)?;
        let facts = replica.facts.as_ref()?;
        let started = Started {
            at: now.wall,
            replica: replica.name.clone(),
            engine: facts.engine,
            engine_version: facts.engine_version.clone(),
            model_digest: facts.model_digest,
        };
        Some((started, replica.set?))
    }

    /// Writes the attempt down, takes the slot, and begins the lease. True if the process has to change its model.
    fn begin_attempt(
        &mut self,
        now: Now,
        task: TaskId,
        head: &AttemptHead,
        set: ReplicaSetKey,
        charge: Charge,
    ) -> bool {
        let record = AttemptRecord {
            id: head.id,
            task,
            number: head.number,
            replica: head.replica.clone(),
            replica_set: set,
            epoch: self.epoch,
            began_at: now.wall,
            ended_at: None,
            state: AttemptState::Live,
            first_token_ms: None,
            detail: String::new(),
        };
        let live = LiveAttempt {
            record,
            first_token_ms: None,
            since: AgeMs::at(now.mono),
            charge: Some(charge),
        };
        self.attempts.insert(head.id, Box::new(live));
        self.step.attempts_begun.push(head.id);
        self.timers
            .set(Timer::Lease(head.id), now.mono + self.config.lease_ttl_ms);
        self.fleet.take(&head.replica, head.id)
    }

    fn new_attempt_id(&self, now: Now, entropy: &mut dyn Entropy) -> AttemptId {
        let mut id = attempt_id(now.wall, entropy);
        while self.attempts.contains_key(&id) {
            id = AttemptId(id.0.wrapping_add(1));
        }
        id
    }
}

/// What the runner of a task's attempt needs to know, if the process holds its model.
pub(super) fn order(row: &TaskRecord, head: &AttemptHead) -> AttemptOrder {
    AttemptOrder {
        attempt: head.id,
        task: row.id,
        number: head.number,
        replica: head.replica.clone(),
        changes_model: false,
        spec: row.spec.clone(),
        position: row.position,
        accepted_at: row.accepted_at,
    }
}
