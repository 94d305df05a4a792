//! Brings questions and their answers together.

use std::collections::BTreeMap;

use crate::conversation::{Answer, Ask};
use crate::id::{DaemonId, RequestId};
use crate::observation::{Event, Observation};

/// A question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) ask: Ask,
    /// Which daemon was asked.
    pub(crate) daemon: DaemonId,
    /// Number of the observation that it was asked with.
    pub(crate) asked_at: u64,
}

/// Questions that wait for their answer, and the count of observations.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    waiting: BTreeMap<RequestId, Question>,
    count: u64,
}

impl Exchanges {
    /// Takes the next observation. If it is an answer, the question that it belongs to.
    pub(crate) fn take<'o>(&mut self, seen: &'o Observation) -> Option<(Question, &'o Answer)> {
        self.count += 1;
        match &seen.event {
            Event::Asked {
                request,
                daemon,
                ask,
                ..
            } => {
                let question = Question {
                    ask: ask.clone(),
                    daemon: *daemon,
                    asked_at: self.count,
                };
                self.waiting.insert(*request, question);
                None
            }
            Event::Answered { request, answer } => Some((self.waiting.remove(request)?, answer)),
            _ => None,
        }
    }

    /// Number of the observation that was taken last.
    pub(crate) fn now(&self) -> u64 {
        self.count
    }

    /// Questions that have had no answer.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Question> {
        self.waiting.values()
    }
}
