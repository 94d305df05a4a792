//! What is stepped together, committed together and let out together.

use std::collections::HashMap;
use std::sync::Arc;

use orchestrator_core::effect::Effect;
use orchestrator_core::id::{Epoch, PayloadRef, ReplyToken, TaskId};
use orchestrator_core::mutation::Mutation;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::TaskRecord;
use orchestrator_core::time::WallMs;
use store::{Commit, Event, Payload};

use super::limits::OwnerLimits;
use super::release::Deliver;
use super::view::LiveView;

/// Something that someone waits for.
pub(super) enum Answer {
    Live(Deliver),
    Reply(ReplyToken, Reply),
}

/// A batch that is being stepped.
#[derive(Default)]
pub(super) struct Batch {
    /// Counts the batches of a term.
    pub(super) number: u64,
    /// Inputs stepped into it.
    pub(super) inputs: usize,
    /// Bytes that came with them and stay.
    pub(super) bytes: usize,
    pub(super) mutations: Vec<Mutation>,
    pub(super) payloads: HashMap<PayloadRef, Payload>,
    pub(super) events: Vec<Event>,
    /// Tasks that end in it: neither the machine nor the store has them until it is durable.
    pub(super) ended: HashMap<TaskId, TaskRecord>,
    pub(super) held: Held,
}

/// What a batch lets out once it is durable.
#[derive(Default)]
pub(super) struct Held {
    pub(super) effects: Vec<Effect>,
    pub(super) answers: Vec<Answer>,
    pub(super) view: Option<Arc<LiveView>>,
}

impl Batch {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            ..Self::default()
        }
    }

    /// True if nothing happened in it.
    pub(super) fn is_untouched(&self) -> bool {
        self.inputs == 0
            && self.mutations.is_empty()
            && self.held.effects.is_empty()
            && self.held.answers.is_empty()
    }

    /// Inputs that still fit.
    pub(super) fn room(&self, limits: &OwnerLimits) -> usize {
        if self.mutations.len() >= limits.batch_mutations || self.bytes >= limits.batch_bytes {
            0
        } else {
            limits.batch_inputs.saturating_sub(self.inputs)
        }
    }

    /// Takes a mutation in, with the payload it names out of those at hand.
    pub(super) fn remember(
        &mut self,
        mutation: Mutation,
        payload: &mut Option<(PayloadRef, Payload)>,
    ) {
        let named = match &mutation {
            Mutation::ChunkAppend { chunk, .. } => Some(*chunk),
            Mutation::TaskInsert { body, .. } => Some(*body),
            Mutation::TextPut { text, .. } => Some(*text),
            Mutation::TaskUpdate(record) => {
                if record.state.is_final() {
                    self.ended.insert(record.id, TaskRecord::clone(record));
                }
                None
            }
            Mutation::AttemptInsert(_)
            | Mutation::AttemptUpdate(_)
            | Mutation::BulkForget(_)
            | Mutation::BulkPut(_)
            | Mutation::IdempotencyBind(_)
            | Mutation::IdempotencyForget { .. }
            | Mutation::KeyPut(_)
            | Mutation::PausePut(_)
            | Mutation::QuotaLevelsPut(_)
            | Mutation::QuotaPut(_)
            | Mutation::SessionDelete(_)
            | Mutation::SessionPut(_) => None,
        };
        if let Some((payload_ref, payload)) =
            payload.take_if(|(at_hand, _)| named == Some(*at_hand))
        {
            self.bytes += size(&payload);
            self.payloads.insert(payload_ref, payload);
        }
        self.mutations.push(mutation);
    }

    /// The transaction that makes it durable, and what is held until it has.
    pub(super) fn into_commit(
        self,
        epoch: Epoch,
        commit_seq: u64,
        at: WallMs,
    ) -> (Commit, Held, HashMap<TaskId, TaskRecord>) {
        let commit = Commit {
            epoch,
            commit_seq,
            at,
            mutations: self.mutations,
            payloads: self.payloads,
            events: self.events,
        };
        (commit, self.held, self.ended)
    }
}

fn size(payload: &Payload) -> usize {
    match payload {
        Payload::Body(body) => {
            let labels = body
                .metadata
                .iter()
                .map(|(key, value)| key.len() + value.len());
            body.prompt.len() + labels.sum::<usize>()
        }
        Payload::Text(text) => text.text.len() + text.ends.len() * size_of::<u32>(),
    }
}
