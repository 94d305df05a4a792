//! Queues are held and let go on, on demand. Attempts that run go on.

use crate::id::ReplyToken;
use crate::machine::driver::Machine;
use crate::machine::step::Answer;
use crate::queue::{Pauses, QueueSwitch};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::time::Now;

impl Machine {
    /// Someone holds a queue or lets it go on. A pool that is held by its own switch stays so when all are let go on.
    pub(super) fn queue_switch(
        &mut self,
        now: Now,
        reply: ReplyToken,
        switch: QueueSwitch,
        paused: bool,
    ) {
        let known = |pool| self.fleet.pool_names().any(|name| name == pool);
        let answer = match &switch.pool {
            Some(pool) if !known(pool) => Reply::Refused(Refusal::PoolUnknown {
                pool: pool.clone(),
                known: self.fleet.pool_names().cloned().collect(),
            }),
            _ => {
                let (row, changed) = self.pauses.switch(now.wall, switch, paused);
                if changed {
                    self.step.pauses.push(row.clone());
                    self.fleet.hold(&self.pauses);
                    self.pending.dispatch = true;
                }
                Reply::QueueSwitched(Box::new(row))
            }
        };
        self.step.replies.push((reply, Answer::Ready(answer)));
    }

    /// Every queue that was ever held, and how it stands.
    #[must_use]
    pub fn pauses(&self) -> &Pauses {
        &self.pauses
    }
}
