//! Carries reports of attempts and replicas to the owner.

use std::time::{SystemTime, UNIX_EPOCH};

use orchestrator_core::id::{AttemptId, PayloadRef};
use orchestrator_core::input::{AttemptEnd, Report};
use tokio::sync::watch;

use super::attempt::{AttemptReport, Reporter};
use super::fleet::FleetReporter;
use crate::owner::OwnerHandle;

/// The owner knows the text's handle only once it has taken the report.
const OWNER_FILLS_IN: PayloadRef = PayloadRef(0);

/// Carries reports to the owner, once there is one: what the owner orders at its very start may
/// report before its handle is known.
pub struct OwnerReporter {
    owner: watch::Sender<Option<OwnerHandle>>,
}

impl Default for OwnerReporter {
    fn default() -> Self {
        Self {
            owner: watch::Sender::new(None),
        }
    }
}

impl OwnerReporter {
    /// The owner is there.
    pub fn set(&self, owner: OwnerHandle) {
        self.owner.send_replace(Some(owner));
    }

    async fn owner(&self) -> Option<OwnerHandle> {
        let mut there = self.owner.subscribe();
        there
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|owner| owner.clone())
    }
}

impl FleetReporter for OwnerReporter {
    async fn report(&self, report: Report) {
        if let Some(owner) = self.owner().await {
            owner.report(report, None).await;
        }
    }
}

impl Reporter for OwnerReporter {
    async fn report(&self, attempt: AttemptId, report: AttemptReport) {
        let Some(owner) = self.owner().await else {
            return;
        };
        let (report, text) = match report {
            AttemptReport::Chunk { from, text } => {
                let to = from + text.tokens();
                (
                    Report::AttemptChunk {
                        attempt,
                        from,
                        to,
                        chunk: OWNER_FILLS_IN,
                    },
                    Some(text),
                )
            }
            AttemptReport::Failed { fault, detail } => {
                let end = AttemptEnd::Failed { fault, detail };
                (Report::AttemptEnded { attempt, end }, None)
            }
            AttemptReport::Finished(finished) => {
                let end = finished.end(OWNER_FILLS_IN);
                (Report::AttemptEnded { attempt, end }, Some(finished.text))
            }
            AttemptReport::Renewed => (Report::AttemptRenewed { attempt }, None),
            AttemptReport::Running => (Report::AttemptRunning { attempt }, None),
        };
        owner.report(report, text).await;
    }

    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
