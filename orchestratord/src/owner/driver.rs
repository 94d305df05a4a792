//! The owner on its thread.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use orchestrator_core::entropy::Entropy;
use orchestrator_core::machine::MachineConfig;
use store::{ColdStore, OwnerStore, ReadError};

use super::clock::Clock;
use super::desk::StoreDesk;
use super::flight::StoreAnswer;
use super::handle::OwnerHandle;
use super::intake::by_id;
use super::lanes::{Alive, Hand, Inbox, LaneEnds, Leash, Look, Told, lanes};
use super::limits::OwnerLimits;
use super::mailbox::{Helping, Mailbox, Taken};
use super::outlet::Outlet;
use super::release::Release;
use super::rest::Sleep;
use super::state::OwnerState;
use super::turns::{Seat, StandIn, Turn};
use super::view::LiveView;
use super::waiters::Waiters;

/// Ticks between two looks at the lanes, and live reads.
const TICKS_PER_ROUND: usize = 16;
const LIVE_PER_ROUND: usize = 64;
/// Inputs that are worth waking up for before a commit is tried again: none of them gets its answer before that is
/// through, and to wake for each would cost more than its step.
const INPUTS_PER_WAKE: usize = 16;

/// A running owner. Dropped, it stops by itself; [`Owner::stop`] waits for it.
pub struct Owner<S> {
    handle: OwnerHandle,
    leash: Leash,
    thread: JoinHandle<S>,
}

/// Loads, and starts the owner.
///
/// # Errors
/// [`ReadError`] if the store cannot be loaded or the threads cannot be started.
pub fn spawn<S: OwnerStore + 'static>(
    mut store: S,
    config: MachineConfig,
    limits: OwnerLimits,
    clock: impl Clock + 'static,
    entropy: impl Entropy + Send + 'static,
    outlet: impl Outlet + 'static,
) -> Result<Owner<S>, ReadError> {
    let loaded = store.load()?;
    let cold = store.cold()?;
    let no_thread =
        |error: io::Error| ReadError(format!("the owner's thread cannot be started: {error}"));
    let (ends, inbox, leash, alive) = lanes(&limits, outlet.relief());
    let mailbox = Arc::clone(&ends.mailbox);
    let desk = StoreDesk::new(store, limits.commit_beside_mutations, mailbox).map_err(no_thread)?;
    let state = OwnerState::new(config, limits, clock.now(), loaded);
    ends.show(Arc::clone(state.view()));
    let driver = Driver {
        state,
        limits,
        clock,
        entropy,
        outlet,
        cold,
        inbox,
        hand: Hand::default(),
        ends: Arc::clone(&ends),
        waiters: Waiters::default(),
        desk,
        alone: true,
    };
    let seat = Arc::new(Seat::new(driver));
    let stand_in: Arc<dyn StandIn> = Arc::clone(&seat) as _;
    let closing = Closing {
        ends: Arc::clone(&ends),
        _alive: alive,
    };
    let thread = thread::Builder::new()
        .name("owner".to_owned())
        .spawn(move || {
            let store = run(&seat, &closing.ends.mailbox);
            drop(closing);
            store
        })
        .map_err(no_thread)?;
    Ok(Owner {
        handle: OwnerHandle::new(ends, stand_in),
        leash,
        thread,
    })
}

impl<S> Owner<S> {
    /// Talks to it.
    #[must_use]
    pub fn handle(&self) -> OwnerHandle {
        self.handle.clone()
    }

    /// Commits and lets out what has been taken in, turns away the rest, and gives the store back.
    /// Blocking.
    ///
    /// # Panics
    /// If a thread of the owner has panicked, with its panic.
    #[must_use]
    pub fn stop(self) -> S {
        drop(self.leash);
        self.thread
            .join()
            .unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Shows that there is no owner any more, however its thread ends, and only then tells it.
struct Closing {
    ends: Arc<LaneEnds>,
    _alive: Alive,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.ends.show(Arc::new(LiveView {
            serving: false,
            store_trouble: Some("the owner has stopped".to_owned()),
            ..LiveView::clone(&self.ends.view())
        }));
    }
}

/// Takes turns until the owner is to stop.
fn run<S, C, E, O>(seat: &Seat<Driver<S, C, E, O>>, mailbox: &Mailbox) -> S
where
    S: OwnerStore + 'static,
    C: Clock,
    E: Entropy + Send,
    O: Outlet,
{
    while !mailbox.is_stopping() {
        let mut driver = seat.take();
        let sleep = driver.turn();
        seat.put(driver);
        mailbox.sleep(sleep);
    }
    let mut driver = seat.take();
    driver.wind_down();
    driver.desk.close()
}

pub(super) struct Driver<S, C, E, O> {
    pub(super) state: OwnerState,
    limits: OwnerLimits,
    pub(super) clock: C,
    pub(super) entropy: E,
    pub(super) outlet: O,
    pub(super) cold: Box<dyn ColdStore>,
    inbox: Inbox,
    pub(super) hand: Hand,
    ends: Arc<LaneEnds>,
    pub(super) waiters: Waiters,
    desk: StoreDesk<S>,
    /// What came last came alone.
    alone: bool,
}

impl<S, C, E, O> Turn for Driver<S, C, E, O>
where
    S: OwnerStore + 'static,
    C: Clock,
    E: Entropy + Send,
    O: Outlet,
{
    fn turn(&mut self) -> Sleep {
        self.resolve_doubts();
        self.take_in();
        self.tick();
        self.move_on();
        self.sleep_after()
    }
}

impl<S: OwnerStore + 'static, C: Clock, E: Entropy, O: Outlet> Driver<S, C, E, O> {
    /// Looks up how tasks ended whose last commit was in doubt when the owner stepped down.
    fn resolve_doubts(&mut self) {
        let doubts = self.state.doubts(self.clock.now());
        if doubts.is_empty() {
            return;
        }
        match self.cold.prefetch(&doubts) {
            Ok(found) => self.state.doubts_resolved(&by_id(found)),
            Err(error) => self
                .state
                .doubts_remain(self.clock.now(), error.to_string()),
        }
    }

    /// Takes in what waits, as far as there is room. What fits no more is the first to be taken in once there is
    /// room again.
    fn take_in(&mut self) {
        let inputs = if self.hand.is_empty() {
            self.state.room()
        } else {
            0
        };
        let Taken {
            urgent,
            commands,
            live,
        } = self.inbox.0.take(Helping {
            inputs,
            commands_least: self.limits.batch_commands_least,
            live: LIVE_PER_ROUND,
        });
        match urgent.len() + commands.len() + live.len() {
            0 => {}
            taken => self.alone = taken == 1,
        }
        self.hand.take_up(urgent, commands);
        while self.state.room() > 0
            && let Some(report) = self.hand.told.pop_front()
        {
            let Told {
                report,
                text,
                place,
            } = *report;
            drop(place);
            self.state
                .report(self.clock.now(), &mut self.entropy, report, text);
        }
        self.take_commands();
        for look in live {
            let Look {
                about,
                question,
                place,
            } = look;
            drop(place);
            self.state.ask_live(self.clock.now(), about, question);
        }
    }

    fn tick(&mut self) {
        for _ in 0..TICKS_PER_ROUND {
            if !self.state.tick(self.clock.now(), &mut self.entropy) {
                return;
            }
        }
    }

    /// Seals, calls the store, lets out. The call is made here, but for a large commit: what comes meanwhile waits in the
    /// lanes, and is the next batch. Beside a large one the next batch is stepped already.
    fn move_on(&mut self) {
        if let Some(answer) = self.desk.fetch() {
            self.answered(answer);
        }
        let now = self.clock.now();
        self.state.advance(now);
        if let Some(call) = self.state.poll_store(now)
            && let Some(answer) = self.desk.carry_out(call)
        {
            self.answered(answer);
        }
        while let Some(release) = self.state.poll_release() {
            self.let_out(release);
        }
    }

    fn answered(&mut self, answer: StoreAnswer) {
        self.state
            .store_answer(self.clock.now(), &mut self.entropy, answer);
    }

    fn let_out(&mut self, release: Release) {
        match release {
            Release::Committed(commit) => self.outlet.committed(&commit),
            Release::Effect(effect) => self.outlet.effect(effect),
            Release::Live(deliver) => deliver(),
            Release::Notice(notice) => self.outlet.notice(notice),
            Release::Reply(token, reply) => self.waiters.answer(token, reply),
            Release::View(view) => self.ends.show(view),
        }
    }

    /// How the thread is to sleep after this turn, until there is something to do. It does not sleep here.
    fn sleep_after(&self) -> Sleep {
        let inputs = match (self.state.room(), self.state.is_flying()) {
            (0, _) => usize::MAX,
            _ if !self.hand.is_empty() => 0,
            (_, true) if !self.desk.is_beside() => INPUTS_PER_WAKE,
            _ => 1,
        };
        Sleep {
            inputs,
            until: self.pause().map(|pause| Instant::now() + pause),
            stand_in: self.is_light(),
        }
    }

    /// Whether the next command, if it comes soon and alone, is light enough work for who brings it: there is nothing else
    /// to do, commits are quick, and no attempt can begin, which would have to wait for who brings the command to be done
    /// with it. What does not come alone is better off with the thread, where it gathers.
    fn is_light(&self) -> bool {
        let quick = Duration::from_micros(self.limits.stand_in_commit_us);
        let pools = &self.state.view().pools;
        self.alone
            && self.desk.took().is_some_and(|took| took < quick)
            && self.state.is_settled()
            && self.state.machine().is_some()
            && pools.iter().all(|pool| pool.slots_free == 0)
    }

    /// Time until there is something to do although nothing happens; `None`: for ever.
    fn pause(&self) -> Option<Duration> {
        let now = self.clock.now().mono;
        let wake = self.state.next_wake()?;
        Some(Duration::from_millis(wake - now))
    }

    /// Brings what was taken in to its end, and turns away the rest.
    fn wind_down(&mut self) {
        self.move_on();
        while !self.state.is_settled() {
            if self.desk.is_beside() {
                self.desk.wait();
            } else {
                self.inbox.0.rest(self.pause().unwrap_or_default());
            }
            self.move_on();
        }
        self.state.stop();
        // What comes even later, and live reads, are turned away as the lanes are dropped.
        while !self.hand.is_empty() || !self.inbox.0.is_empty() {
            self.take_in();
        }
        self.move_on();
    }
}
