//! Live reads.

use crate::eta::{Predictions, StartBand};
use crate::id::{PoolName, ReplicaName, SessionKey, TaskId};
use crate::key::Keys;
use crate::machine::config::MachineConfig;
use crate::machine::driver::{Counters, LiveTask, Machine};
use crate::machine::moves::ctx_need;
use crate::placement::{PoolView, ReplicaSetView};
use crate::queue::{ClassName, Classes, LaneKey, Shares};
use crate::session::SessionView;
use crate::task::{TaskRecord, TaskState, WaitingFor};
use crate::time::Now;

impl Machine {
    /// What it was configured with.
    #[must_use]
    pub fn config(&self) -> &MachineConfig {
        &self.config
    }

    /// What it saw and did not act on.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// True if the task has not ended.
    #[must_use]
    pub fn is_live(&self, task: TaskId) -> bool {
        self.tasks.contains_key(&task)
    }

    /// The row of a task that has not ended.
    #[must_use]
    pub fn record(&self, task: TaskId) -> Option<&TaskRecord> {
        self.tasks.get(&task).map(|live| &*live.record)
    }

    /// The rows of all tasks that have not ended, by id.
    pub fn records(&self) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.values().map(|live| &*live.record)
    }

    /// Number of tasks that have not ended.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.tasks.len()
    }

    /// Number of tasks that have not ended and whose class is configured no more.
    #[must_use]
    pub fn retired_count(&self) -> usize {
        let retired = |row: &&TaskRecord| !self.classes.is_configured(row.spec.priority);
        self.records().filter(retired).count()
    }

    /// Number of tasks queued in a class, those that come back after an attempt included. `None` of a class that the
    /// machine does not know.
    #[must_use]
    pub fn queue_depth(&self, class: ClassName) -> Option<u64> {
        let rank = self.classes.rank_known(class)?;
        Some(self.lanes.depth(rank))
    }

    /// The classes that it knows: those of its configuration, and those of tasks that came before it.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// Number of tasks that will be considered before this one: those before it in the order, among tasks
    /// that compete with it for slots of some pool, or of some that share processes. `None` unless it is queued.
    #[must_use]
    pub fn queue_position(&self, now: Now, task: TaskId) -> Option<u64> {
        let live = self.tasks.get(&task)?;
        (live.record.state == TaskState::Queued).then(|| self.ahead(now, live))
    }

    /// Estimated milliseconds until the task is dispatched. `None` unless it waits or is queued.
    #[must_use]
    pub fn predicted_start_ms(&self, now: Now, task: TaskId) -> Option<u64> {
        let live = self.tasks.get(&task)?;
        let waits = live.record.state.is_before_dispatch();
        waits.then(|| self.begins_in_ms(now, live, self.ahead(now, live)))
    }

    /// Between when and when the task is dispatched, four times of five. `None` unless it waits or is queued, and
    /// while too little is measured, no replica that could serve it is ready, or its time has not come.
    #[must_use]
    pub fn start_band(&self, now: Now, task: TaskId) -> Option<StartBand> {
        let live = self.tasks.get(&task)?;
        let pause = self.pause_ms(now, live)?;
        let band = self.start_band_of(live, self.ahead(now, live))?;
        Some(band.after(pause))
    }

    /// What became of the bands that were promised to tasks of a class at their acceptance. `None` of a class that the
    /// machine does not know.
    #[must_use]
    pub fn predictions(&self, class: ClassName) -> Option<Predictions> {
        let rank = self.classes.rank_known(class)?;
        Some(self.calibration.seen(rank))
    }

    /// Milliseconds until a task becomes eligible; `None` if it is neither queued nor pauses.
    fn pause_ms(&self, now: Now, live: &LiveTask) -> Option<u64> {
        match live.record.state {
            TaskState::Queued => Some(0),
            TaskState::Waiting(WaitingFor::Backoff) => self.wakes_in_ms(now, live.record.id),
            _ => None,
        }
    }

    /// Milliseconds until a waiting task goes on: its pause is over, or its time has come.
    #[must_use]
    pub fn wakes_in_ms(&self, now: Now, task: TaskId) -> Option<u64> {
        self.wait_ms(now, self.tasks.get(&task)?)
    }

    /// A session, unless it has run out.
    #[must_use]
    pub fn session(&self, now: Now, session: SessionKey) -> Option<SessionView> {
        self.sessions
            .view(session, now.mono, self.config.session_turns_max)
    }

    /// Every key there ever was.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Every pool with its replicas, in the order of the configuration.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolView> {
        self.fleet.pool_views()
    }

    /// Every replica set with a ready replica, by key.
    #[must_use]
    pub fn replica_sets(&self) -> Vec<ReplicaSetView> {
        self.fleet.replica_sets()
    }

    /// Slots of a replica that attempts hold, by the machine's own count.
    #[must_use]
    pub fn slots_taken(&self, replica: &ReplicaName) -> u32 {
        self.fleet
            .replica(replica)
            .map_or(0, crate::placement::Replica::slots_taken)
    }

    /// Tasks before this one, as if it were queued.
    pub(super) fn ahead(&self, now: Now, live: &LiveTask) -> u64 {
        let own = live.lane();
        let weight = |flow| self.weight(flow);
        let shares = Shares {
            fairness: &self.fairness,
            group: self.fleet.first_serving(&own),
            weight: &weight,
            classes: &self.classes,
        };
        self.lanes
            .ahead(now.mono, self.place(live), shares, |lane| {
                self.fleet.compete(&own, lane)
            })
    }

    /// Estimated milliseconds to the start of an eligible task: none if it is next and fits a free slot.
    pub(super) fn start_in_ms(&self, live: &LiveTask, ahead: u64) -> u64 {
        let lane = live.lane();
        if self.starts_at_once(live, &lane, ahead) {
            return 0;
        }
        self.eta_ms(&lane, ahead)
    }

    /// Between when and when an eligible task with so many before it starts.
    pub(super) fn start_band_of(&self, live: &LiveTask, ahead: u64) -> Option<StartBand> {
        let lane = live.lane();
        if self.starts_at_once(live, &lane, ahead) {
            return Some(StartBand::AT_ONCE);
        }
        let ready = self
            .fleet
            .offers(&lane)
            .filter(|offer| offer.pool.ready > 0);
        let pools = ready.map(|offer| (&offer.pool.name, offer.slots));
        let reach = self.calibration.reach(self.place(live).flow.class);
        let band = self.service.band(ahead, pools, reach)?;
        // The estimate hopes for replicas that are not ready yet, too.
        Some(band.with(self.eta_ms(&lane, ahead)))
    }

    /// Estimated milliseconds to the start of an eligible task, if what is under way had begun just now: what has to
    /// be in time is not to count on luck.
    pub(super) fn latest_start_in_ms(&self, live: &LiveTask, ahead: u64) -> u64 {
        let lane = live.lane();
        if self.starts_at_once(live, &lane, ahead) {
            return 0;
        }
        self.service.latest_ms(ahead, self.hoped(&lane))
    }

    /// The pools that could serve a lane, with the slots that they have or hope for.
    fn hoped<'a>(&'a self, lane: &'a LaneKey) -> impl Iterator<Item = (&'a PoolName, u32)> {
        let offers = self.fleet.offers(lane);
        offers.map(|offer| (&offer.pool.name, offer.hoped))
    }

    fn starts_at_once(&self, live: &LiveTask, lane: &LaneKey, ahead: u64) -> bool {
        ahead == 0 && self.fleet.room(lane) >= Some(ctx_need(&live.record.spec))
    }

    /// Estimated milliseconds to the start for a task of this lane with so many before it.
    pub(super) fn eta_ms(&self, lane: &LaneKey, ahead: u64) -> u64 {
        self.service.eta_ms(ahead, self.hoped(lane))
    }
}
