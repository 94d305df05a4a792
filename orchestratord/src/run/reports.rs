//! Carries reports of attempts and replicas to the owner.

use std::time::{SystemTime, UNIX_EPOCH};

use orchestrator_core::id::AttemptId;
use orchestrator_core::input::Report;
use tokio::sync::watch;

use super::attempt::{AttemptReport, Reporter};
use super::fleet::FleetReporter;
use crate::owner::OwnerHandle;

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
        let (report, text) = report.into_report(attempt);
        owner.report(report, text).await;
    }

    fn wall_ms(&self) -> u64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
