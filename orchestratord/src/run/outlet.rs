//! Carries out what the machine decided, once it is durable.

use std::sync::Arc;

use orchestrator_core::effect::Effect;
use store::Commit;

use super::attempts::Attempts;
use super::reports::OwnerReporter;
use crate::owner::{Notice, Outlet};
use crate::stream::{StreamHub, Terminal};
use crate::telemetry::Meter;

/// Attempts, streams and metrics, as the owner's outlet.
pub struct RunOutlet {
    attempts: Attempts<OwnerReporter>,
    streams: Arc<StreamHub>,
    meter: Meter,
}

impl RunOutlet {
    /// An outlet to these.
    #[must_use]
    pub fn new(attempts: Attempts<OwnerReporter>, streams: Arc<StreamHub>, meter: Meter) -> Self {
        Self {
            attempts,
            streams,
            meter,
        }
    }
}

impl Outlet for RunOutlet {
    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::AttemptCancel { attempt, task } => self.attempts.cancel(attempt, task),
            Effect::AttemptStart(order) => self.attempts.start(*order),
            Effect::TaskEnded {
                task,
                end,
                position,
            } => {
                self.streams.end(task, Terminal { end, position });
            }
            Effect::TaskStarted {
                task,
                started,
                accepted_position,
                seed,
            } => {
                self.streams
                    .open(task)
                    .start(started, accepted_position, seed);
            }
        }
    }

    fn committed(&mut self, commit: &Commit) {
        self.meter.committed(&commit.mutations);
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::CommitDelayed {
                commit_seq,
                tries,
                detail,
            } => {
                tracing::warn!(
                    commit_seq,
                    tries,
                    detail,
                    "a commit was not applied, and is tried again"
                );
            }
            Notice::CommitResolved {
                commit_seq,
                applied,
                epoch,
            } => {
                tracing::warn!(
                    commit_seq,
                    applied,
                    epoch = epoch.0,
                    "the outcome of a commit was found out"
                );
            }
            Notice::CommitUnknown { commit_seq, detail } => {
                tracing::warn!(commit_seq, detail, "the outcome of a commit is unknown");
            }
            Notice::PrefetchFailed { detail } => {
                tracing::warn!(detail, "ended tasks could not be looked up");
            }
            Notice::RecoveryFailed { detail } => {
                tracing::error!(detail, "the owner could not recover, and tries again");
            }
            Notice::Recovered { epoch, live_tasks } => {
                tracing::info!(epoch = epoch.0, live_tasks, "the owner's term has begun");
            }
            Notice::SteppedDown {
                detail,
                alarm: true,
            } => {
                tracing::error!(
                    detail,
                    "owner and store disagree: a bug; please report it with this log"
                );
            }
            Notice::SteppedDown {
                detail,
                alarm: false,
            } => {
                tracing::warn!(detail, "the owner has stepped down");
            }
        }
    }
}
