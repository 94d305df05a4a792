//! Which attempts are under way, and what an effect of the machine means for them and for their streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use orchestrator_core::effect::{AttemptOrder, Effect};
use orchestrator_core::id::AttemptId;
use orchestrator_core::task::TaskFault;

use super::attempt::AttemptReport;
use crate::stream::{StreamHub, TaskStream, Terminal};

/// What is to be done about an attempt.
#[derive(Debug)]
pub enum Deed {
    /// Follow it to its end, then say so by [`Roster::over`]. It is the writer of this stream.
    Follow {
        /// What it does.
        order: Box<AttemptOrder>,
        /// Where it writes.
        stream: Arc<TaskStream>,
    },
    /// Tell the owner of an attempt that does not run here, so that nobody waits for it.
    ReportLost {
        /// Which.
        attempt: AttemptId,
        /// The report.
        report: AttemptReport,
    },
    /// Tell who follows it that it has been stopped. It writes no token from here on.
    Stop(AttemptId),
}

/// The attempts under way in this process. It carries out what an effect means for the streams, and says
/// what is left to do. Every effect is harmless when carried out twice.
#[derive(Debug)]
pub struct Roster {
    streams: Arc<StreamHub>,
    under_way: BTreeMap<AttemptId, Arc<TaskStream>>,
}

impl Roster {
    /// None yet.
    #[must_use]
    pub fn new(streams: Arc<StreamHub>) -> Self {
        Self {
            streams,
            under_way: BTreeMap::new(),
        }
    }

    /// Carries out what concerns streams; gives back what remains to be done.
    pub fn carry_out(&mut self, effect: Effect) -> Option<Deed> {
        match effect {
            Effect::AttemptCancel { attempt, task: _ } => Some(self.cancel(attempt)),
            Effect::AttemptStart(order) => self.start(order),
            Effect::TaskEnded {
                task,
                end,
                position,
            } => {
                self.streams.end(task, Terminal { end, position });
                None
            }
            Effect::TaskStarted {
                task,
                started,
                accepted_position,
                seed,
            } => {
                let stream = self.streams.open(task);
                stream.start(started, accepted_position, seed);
                None
            }
        }
    }

    /// The attempt is not followed any more.
    pub fn over(&mut self, attempt: AttemptId) {
        self.under_way.remove(&attempt);
    }

    /// Number of attempts under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.under_way.len()
    }

    /// True if none is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Starts an attempt, unless it runs already. From here on it is the one that writes the task's text.
    fn start(&mut self, order: Box<AttemptOrder>) -> Option<Deed> {
        if self.under_way.contains_key(&order.attempt) {
            return None;
        }
        let stream = self.streams.open(order.task);
        stream.begin(order.attempt, order.number);
        self.under_way.insert(order.attempt, Arc::clone(&stream));
        Some(Deed::Follow { order, stream })
    }

    /// Stops an attempt: it writes no token from here on, and reports its end. One that does not run here is
    /// reported as lost.
    fn cancel(&self, attempt: AttemptId) -> Deed {
        if let Some(stream) = self.under_way.get(&attempt) {
            stream.revoke(attempt);
            return Deed::Stop(attempt);
        }
        let report = AttemptReport::Failed {
            fault: TaskFault::Interrupted,
            detail: "it does not run in this process".to_owned(),
        };
        Deed::ReportLost { attempt, report }
    }
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
