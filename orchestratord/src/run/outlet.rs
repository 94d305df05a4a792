//! Carries out what the machine decided, once it is durable.

use orchestrator_core::effect::Effect;
use store::Commit;

use super::attempts::Attempts;
use super::reports::OwnerReporter;
use crate::owner::{Notice, Outlet};
use crate::telemetry::Meter;

/// Attempts, their streams and metrics, as the owner's outlet.
pub struct RunOutlet {
    attempts: Attempts<OwnerReporter>,
    meter: Meter,
}

impl RunOutlet {
    /// An outlet to these.
    #[must_use]
    pub fn new(attempts: Attempts<OwnerReporter>, meter: Meter) -> Self {
        Self { attempts, meter }
    }
}

impl Outlet for RunOutlet {
    fn effect(&mut self, effect: Effect) {
        self.attempts.carry_out(effect);
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
