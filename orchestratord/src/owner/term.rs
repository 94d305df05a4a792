//! One term of the owner: a machine, the batch that is stepped and the one under way.

use std::collections::BTreeMap;
use std::sync::Arc;

use orchestrator_core::entropy::Entropy;
use orchestrator_core::id::{Epoch, PayloadRef, ReplyToken, TaskId};
use orchestrator_core::input::Input;
use orchestrator_core::machine::{Machine, MachineConfig, Output, Recovered};
use orchestrator_core::task::TaskRecord;
use orchestrator_core::time::Now;
use store::{Loaded, Payload};

use super::batch::{Answer, Batch, Held};
use super::error::OwnerUnavailable;
use super::events::TaskStates;
use super::flight::{Fall, Flight};
use super::view::LiveView;

pub(super) struct Term {
    pub(super) machine: Machine,
    pub(super) epoch: Epoch,
    /// Number of the last durable commit.
    pub(super) commit_seq: u64,
    pub(super) open: Batch,
    pub(super) flight: Option<Flight>,
    states: TaskStates,
    /// Commands without an answer, with the batch that each was stepped in.
    waiting: BTreeMap<ReplyToken, u64>,
}

/// What sealing the open batch came to.
pub(super) enum Sealed {
    /// Nothing had happened in it, or a commit is under way.
    Nothing,
    /// It changed nothing and nothing is before it.
    Free(Held),
    /// It is on its way to the store.
    Flying,
}

impl Term {
    /// Begins with what the store holds. What the machine orders again is in the open batch.
    pub(super) fn begin(config: MachineConfig, now: Now, loaded: Loaded) -> Self {
        let Loaded {
            epoch,
            commit_seq,
            accept_seq,
            tasks,
            attempts,
            sessions,
            keys,
            idempotency,
            quotas,
            quota_levels,
            pauses,
            bulks,
        } = loaded;
        let states = TaskStates::of(&tasks);
        let recovered = Recovered {
            epoch,
            accept_seq,
            tasks,
            attempts,
            sessions,
            keys,
            idempotency,
            quotas,
            quota_levels,
            pauses,
            bulks,
        };
        let mut term = Self {
            machine: Machine::recover(config, now, recovered),
            epoch,
            commit_seq,
            open: Batch::new(1),
            flight: None,
            states,
            waiting: BTreeMap::new(),
        };
        term.open.inputs = 1;
        term.drain(None);
        term
    }

    /// Steps the machine and gathers what comes out.
    pub(super) fn step(
        &mut self,
        now: Now,
        entropy: &mut dyn Entropy,
        input: Input,
        payload: Option<(PayloadRef, Payload)>,
    ) {
        if let Input::Command(command) = &input {
            self.waiting.insert(command.reply, self.open.number);
        }
        self.machine.step(now, entropy, input);
        self.open.inputs += 1;
        self.drain(payload);
    }

    fn drain(&mut self, mut payload: Option<(PayloadRef, Payload)>) {
        while let Some(output) = self.machine.poll() {
            match output {
                Output::Persist(mutation) => {
                    self.states.tell(&mutation, &mut self.open.events);
                    self.open.remember(mutation, &mut payload);
                }
                Output::Reply(token, reply) => {
                    self.open.held.answers.push(Answer::Reply(token, reply))
                }
                Output::Effect(effect) => self.open.held.effects.push(effect),
            }
        }
    }

    /// True if the machine holds the task, or a batch that is not durable yet holds its end.
    pub(super) fn knows(&self, task: TaskId) -> bool {
        self.machine.is_live(task) || self.ended(task).is_some()
    }

    /// The record of a task that ends in a batch that is not durable yet.
    pub(super) fn ended(&self, task: TaskId) -> Option<&TaskRecord> {
        let flying = || {
            self.flight
                .as_ref()
                .and_then(|flight| flight.ended.get(&task))
        };
        self.open.ended.get(&task).or_else(flying)
    }

    /// Closes the open batch if nothing is under way.
    pub(super) fn seal(&mut self, now: Now) -> Sealed {
        if self.flight.is_some() || self.open.is_untouched() {
            return Sealed::Nothing;
        }
        let number = self.open.number;
        let mut batch = std::mem::replace(&mut self.open, Batch::new(number + 1));
        if batch.mutations.is_empty() {
            batch.held.view = Some(Arc::new(self.view(self.commit_seq)));
            return Sealed::Free(batch.held);
        }
        let commit_seq = self.commit_seq + 1;
        batch.held.view = Some(Arc::new(self.view(commit_seq)));
        let (commit, held, ended) = batch.into_commit(self.epoch, commit_seq, now.wall);
        self.flight = Some(Flight::new(number, commit, held, ended));
        Sealed::Flying
    }

    /// The batch under way is durable.
    pub(super) fn land(&mut self) -> Option<Flight> {
        let flight = self.flight.take()?;
        self.commit_seq = flight.commit.commit_seq;
        Some(flight)
    }

    /// A command has its answer.
    pub(super) fn answered(&mut self, token: ReplyToken) {
        self.waiting.remove(&token);
    }

    /// What everyone is told who still waits when the term ends.
    pub(super) fn farewells(&self, fall: &Fall) -> Vec<(ReplyToken, OwnerUnavailable)> {
        let flying = self.flight.as_ref().map(|flight| flight.number);
        let farewell = |batch: u64| {
            if batch == self.open.number {
                OwnerUnavailable::NotApplied(fall.detail.clone())
            } else if Some(batch) == flying {
                fall.of_flight()
            } else {
                // What it did is durable, but not what it waits for.
                OwnerUnavailable::Unknown(fall.detail.clone())
            }
        };
        self.waiting
            .iter()
            .map(|(token, batch)| (*token, farewell(*batch)))
            .collect()
    }

    fn view(&self, commit_seq: u64) -> LiveView {
        LiveView::of(&self.machine, self.epoch, commit_seq)
    }
}
