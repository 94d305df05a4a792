//! What there is of a daemon: the machine it runs on, and the process.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use orchestrator_core::id::{AttemptId, ReplyToken, TaskId};
use orchestrator_core::input::Report;
use orchestrator_core::time::Now;
use orchestratord::owner::OwnerState;
use orchestratord::run::roster::Roster;
use orchestratord::stream::StreamHub;
use store::ColdStore;

use super::attempts::Followed;
use super::entropy::Drawn;
use super::lanes::{Batches, Lanes, Waiter};
use super::readers::Reading;
use super::reads::Pending;
use crate::agenda::Micros;
use crate::plan::{CrashPoint, DaemonSetup};
use crate::world::clock::Clock;

/// Where a daemon stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is no process.
    Gone,
    /// The process waits for the store; it listens to nobody yet.
    Opening,
    /// It serves.
    Up,
}

/// What is true of a daemon whether or not its process lives.
pub(crate) struct Daemon {
    pub(crate) setup: DaemonSetup,
    pub(crate) standing: Standing,
    /// Counts its processes; what belongs to an earlier one is lost.
    pub(crate) life: u64,
    pub(crate) paused: bool,
    /// What reached the process while it was paused.
    pub(crate) stalled: Vec<crate::world::event::DaemonEvent>,
    /// Links that are cut; true: connections break.
    pub(crate) clients_cut: Option<bool>,
    pub(crate) store_cut: Option<bool>,
    pub(crate) engines_cut: BTreeSet<usize>,
    /// Where it will be killed, and for how long it is then gone.
    pub(crate) doomed: Option<(CrashPoint, Micros)>,
    pub(crate) wall_off_ms: i64,
    pub(crate) host: Option<Box<Host>>,
}

impl Daemon {
    pub(crate) fn new(setup: DaemonSetup) -> Self {
        Self {
            setup,
            standing: Standing::Gone,
            life: 0,
            paused: false,
            stalled: Vec::new(),
            clients_cut: None,
            store_cut: None,
            engines_cut: BTreeSet::new(),
            doomed: None,
            wall_off_ms: setup.wall_off_ms,
            host: None,
        }
    }

    /// True if this process of it is there.
    pub(crate) fn lives(&self, life: u64) -> bool {
        self.life == life && self.standing != Standing::Gone
    }
}

/// The process.
pub(crate) struct Host {
    pub(crate) daemon: usize,
    pub(crate) life: u64,
    pub(crate) clock: Clock,
    pub(crate) entropy: Drawn,
    pub(crate) state: OwnerState,
    pub(crate) cold: Box<dyn ColdStore>,
    pub(crate) hub: Arc<StreamHub>,
    pub(crate) roster: Roster,
    pub(crate) lanes: Lanes,
    pub(crate) waiters: BTreeMap<ReplyToken, Waiter>,
    pub(crate) batches: Batches,
    pub(crate) attempts: BTreeMap<AttemptId, Followed>,
    pub(crate) readers: BTreeMap<u64, Reading>,
    pub(crate) reads: BTreeMap<u64, Pending>,
    /// What its supervisors have told the owner of each replica.
    pub(crate) told: BTreeMap<usize, Told>,
    /// When it will be woken, if it has asked for that.
    pub(crate) wake_at: Option<Micros>,
    /// Newest commit that was sealed, in this epoch or an earlier one.
    pub(crate) sealed: u64,
    /// Things let out since the newest commit was.
    pub(crate) let_out: u32,
    /// True while what comes out is what a recovery orders again, for the plant that drops it.
    pub(crate) recovering: bool,
    /// Readers that came or went, told by the streams themselves.
    pub(crate) readers_told: Rc<RefCell<Vec<(TaskId, u32)>>>,
    /// True if a store call of its owner has no answer yet.
    pub(crate) calling: bool,
}

/// What was told of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Down,
    /// Ready, as this version.
    Ready(u32),
}

impl Host {
    pub(crate) fn now(&self, at: Micros) -> Now {
        self.clock.now(at)
    }

    /// Puts a report into the lane of reports, whether or not it is full.
    pub(crate) fn report(&mut self, report: Report, text: Option<store::TaskText>) {
        self.lanes.tell(report, text);
    }
}
