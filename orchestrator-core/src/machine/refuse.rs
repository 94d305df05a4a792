//! What is told of a task that was turned away, besides the refusal itself.

use crate::machine::driver::{LiveTask, Machine};
use crate::machine::moves::ctx_need;
use crate::placement::{plan, report_of_some};
use crate::refusal::{Refusal, RefusedTask};
use crate::task::TaskRecord;
use crate::time::Now;

/// Replicas that a report lists at most; of the others it tells the number.
const CANDIDATES_MAX: usize = 16;

impl Machine {
    /// The report on a newcomer that was refused just now. Nothing of it is remembered here.
    pub(super) fn refused(&self, now: Now, newcomer: &LiveTask, refusal: Refusal) -> RefusedTask {
        let TaskRecord {
            id,
            tenant,
            project,
            created_by,
            spec,
            ..
        } = &*newcomer.record;
        let request = self.request(now.mono, &newcomer.record);
        let counts = plan(self.fleet.replicas(), &request, self.config.policy).counts;
        let ahead = self.ahead(now, newcomer);
        RefusedTask {
            at: now.wall,
            task: *id,
            tenant: *tenant,
            project: *project,
            created_by: *created_by,
            priority: spec.priority,
            model_ref: spec.model_ref.clone(),
            engine: spec.engine,
            session: spec.session,
            ctx_need: ctx_need(spec),
            tokens: spec.cost(),
            deadline_ms: spec.deadline_ms,
            // In a class that there is not, nobody waits.
            queue_depth: self.queue_depth(spec.priority).unwrap_or_default(),
            queue_position: ahead,
            predicted_start_ms: self.start_in_ms(newcomer, ahead),
            start_band: self.start_band_of(newcomer, ahead),
            counts,
            candidates: report_of_some(
                self.fleet.replicas(),
                &request,
                self.config.policy,
                CANDIDATES_MAX,
            ),
            refusal,
        }
    }
}
