//! How inputs reach the owner: reports, renewals, cancels and what operators do first, what makes tasks and sessions
//! second, live reads beside.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use orchestrator_core::id::TaskId;
use orchestrator_core::input::{Ask, Report};
use orchestrator_core::key::Keys;
use store::{TaskBody, TaskText};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::limits::OwnerLimits;
use super::mailbox::{Mailbox, Relief};
use super::release::Question;
use super::view::LiveView;
use super::waiters::{BatchWaiter, Waiter};

/// Whether a command goes into the lane of the cancels, before the tasks. What makes things for users does not: they may
/// send as much of it as they like, and would take the places of the cancels, which everybody shares.
pub(super) fn goes_first(ask: &Ask) -> bool {
    match ask {
        Ask::SessionPut(_) | Ask::TaskCreate { .. } => false,
        // They make room.
        Ask::SessionDelete { .. } | Ask::TaskCancel { .. } => true,
        // It cancels, or lets run on what has its row and its place already; a tenant has few under way at a time, and
        // the walk itself takes no place.
        Ask::BulkBegin(_) => true,
        // It makes nothing, and only a task that is parked changes by it.
        Ask::TaskRequeue { .. } => true,
        // Operators alone do this, and above all when so many tasks come that no lane has room: they stop the tasks, bound
        // a tenant, shut a key out or let the next one in.
        Ask::KeyCreate(_)
        | Ask::KeyRevoke { .. }
        | Ask::KeyRotate(_)
        | Ask::QueuePause(_)
        | Ask::QueueResume(_)
        | Ask::QuotaPut(_) => true,
    }
}

/// A command, or a batch of them, with who waits for it.
pub(super) struct Asked {
    pub(super) what: Wanted,
    /// Its place in its lane, given back when the owner takes it.
    pub(super) place: OwnedSemaphorePermit,
}

/// What is asked.
pub(super) enum Wanted {
    /// One thing.
    One(One),
    /// Several, which are stepped one after another into one commit.
    Batch(Vec<(Ask, Option<TaskBody>)>, BatchWaiter),
}

/// One command.
pub(super) struct One {
    pub(super) ask: Ask,
    pub(super) body: Option<TaskBody>,
    pub(super) waiter: Waiter,
}

impl Asked {
    /// What is asked, in order.
    pub(super) fn asks(&self) -> impl Iterator<Item = &Ask> {
        let (one, batch) = match &self.what {
            Wanted::One(one) => (Some(&one.ask), [].as_slice()),
            Wanted::Batch(items, _) => (None, items.as_slice()),
        };
        one.into_iter().chain(batch.iter().map(|(ask, _)| ask))
    }

    /// Inputs that it is.
    pub(super) fn inputs(&self) -> usize {
        match &self.what {
            Wanted::One(_) => 1,
            Wanted::Batch(items, _) => items.len(),
        }
    }
}

/// A live read.
pub(super) struct Look {
    /// The task that it is about, if it is about one.
    pub(super) about: Option<TaskId>,
    pub(super) question: Question,
    pub(super) place: OwnedSemaphorePermit,
}

/// A report with what came along.
pub(super) struct Told {
    pub(super) report: Report,
    pub(super) text: Option<TaskText>,
    /// Its place in the lane, if it needed one.
    pub(super) place: Option<OwnedSemaphorePermit>,
}

/// One thing in the first lane.
pub(super) enum Urgent {
    Asked(Box<Asked>),
    Told(Box<Told>),
}

/// What was taken out of the lanes and is not stepped yet: an input may fill a batch by what it brings along.
#[derive(Default)]
pub(super) struct Hand {
    pub(super) told: VecDeque<Box<Told>>,
    pub(super) asked: VecDeque<Asked>,
}

impl Hand {
    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty() && self.asked.is_empty()
    }

    /// Takes up what was taken out, in its order.
    pub(super) fn take_up(&mut self, urgent: Vec<Urgent>, commands: Vec<Asked>) {
        for urgent in urgent {
            match urgent {
                Urgent::Asked(command) => self.asked.push_back(*command),
                Urgent::Told(report) => self.told.push_back(report),
            }
        }
        self.asked.extend(commands);
    }
}

/// The ends that everyone else holds.
///
/// What bounds a lane is its places, which can be waited for. The mailbox itself has no bound.
pub(super) struct LaneEnds {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) report_places: Arc<Semaphore>,
    pub(super) cancel_places: Arc<Semaphore>,
    pub(super) command_places: Arc<Semaphore>,
    pub(super) batch_places: Arc<Semaphore>,
    pub(super) live_places: Arc<Semaphore>,
    pub(super) retry_after_ms: u64,
    /// Closed when the owner's thread ends.
    pub(super) alive: watch::Receiver<()>,
    view: RwLock<Arc<LiveView>>,
    /// The keys of the view, for who waits until they change: few commits change them.
    keys: watch::Sender<Keys>,
}

/// The owner's end. Dropped, it turns away whoever still waits.
pub(super) struct Inbox(pub(super) Arc<Mailbox>);

impl Drop for Inbox {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The wish that the owner goes on. Dropped, the owner stops.
pub(super) struct Leash(Arc<Mailbox>);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Lives as long as the owner's thread.
pub(super) type Alive = watch::Sender<()>;

pub(super) fn lanes(limits: &OwnerLimits, relief: Relief) -> (Arc<LaneEnds>, Inbox, Leash, Alive) {
    let (alive, alive_out) = watch::channel(());
    let watch = Duration::from_millis(limits.stand_in_watch_ms);
    let mailbox = Arc::new(Mailbox::new(watch, relief));
    let ends = LaneEnds {
        mailbox: Arc::clone(&mailbox),
        report_places: Arc::new(Semaphore::new(limits.report_lane)),
        cancel_places: Arc::new(Semaphore::new(limits.cancel_lane)),
        command_places: Arc::new(Semaphore::new(limits.command_lane)),
        batch_places: Arc::new(Semaphore::new(limits.batch_lane)),
        live_places: Arc::new(Semaphore::new(limits.live_lane)),
        retry_after_ms: limits.retry_after_ms,
        alive: alive_out,
        view: RwLock::default(),
        keys: watch::Sender::default(),
    };
    let leash = Leash(Arc::clone(&mailbox));
    (Arc::new(ends), Inbox(mailbox), leash, alive)
}

impl LaneEnds {
    pub(super) fn view(&self) -> Arc<LiveView> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whoever watches keys learns of them before callers are let in by them: else a stream that is opened in between
    /// would end at once, as of a key that nobody knows.
    pub(super) fn show(&self, view: Arc<LiveView>) {
        self.keys.send_if_modified(|shown| {
            let changed = *shown != view.keys;
            // Also where they are the same: what is shared is compared at once.
            shown.clone_from(&view.keys);
            changed
        });
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = view;
    }

    pub(super) fn keys(&self) -> watch::Receiver<Keys> {
        self.keys.subscribe()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::thread;
    use std::time::Duration;

    use orchestrator_core::queue::ClassName;
    use orchestrator_core::time::WallMs;
    use tokio::runtime;
    use tokio::time::timeout;

    use super::*;
    use crate::owner::tests::things::key;

    #[test]
    fn who_watches_keys_learns_of_them_before_callers_are_let_in_by_them() {
        let (ends, _inbox, _leash, _alive) = lanes(&OwnerLimits::default(), Box::new(|| ()));
        let mut keys = Keys::default();
        keys.create(WallMs(0), key(1, ClassName::BATCH)).unwrap();
        let view = Arc::new(LiveView {
            keys: keys.clone(),
            ..LiveView::default()
        });
        let mut watched = ends.keys();
        // While somebody reads what is shown, nothing else can be.
        let shown = ends.view.read().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| ends.show(view));
            let clock = runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap();
            let told = async { timeout(Duration::from_secs(20), watched.changed()).await };
            clock.block_on(told).unwrap().unwrap();
            assert!(shown.keys.is_empty());
            drop(shown);
        });
        assert_eq!(*watched.borrow(), keys);
        assert_eq!(ends.view().keys, keys);
    }
}
