//! The owner without threads, clocks or channels.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use orchestrator_core::effect::Effect;
use orchestrator_core::entropy::Entropy;
use orchestrator_core::id::{PayloadRef, ReplyToken, TaskId};
use orchestrator_core::input::{Ask, Command, Input, Report};
use orchestrator_core::machine::{Machine, MachineConfig};
use orchestrator_core::task::TaskRecord;
use orchestrator_core::time::{MonoMs, Now};
use store::{Loaded, Payload, TaskBody, TaskText};

use super::batch::{Answer, Held};
use super::doubts::Doubts;
use super::error::OwnerUnavailable;
use super::facts::FleetFacts;
use super::flight::StoreCall;
use super::incoming::{answered_by, bound_task, furnish_ask, furnish_report, named_task};
use super::limits::OwnerLimits;
use super::outlet::Notice;
use super::release::{Question, Release};
use super::term::{Sealed, Term};
use super::view::LiveView;

/// The owner without threads, clocks or channels.
///
/// # How to drive it
///
/// 1. Begin with [`OwnerState::new`] over a load.
/// 2. For what waits, up to [`OwnerState::room`]: ask [`OwnerState::lookup`] of each command, look those
///    tasks up in the store at once, then pass everything in by [`OwnerState::command`],
///    [`OwnerState::report`] and [`OwnerState::ask_live`], as long as there is room: an input may fill the batch
///    by what it brings. Call [`OwnerState::tick`] until it is false.
/// 3. Call [`OwnerState::advance`], and give what [`OwnerState::poll_store`] asks to the store, away from
///    this thread. Its answer goes to [`OwnerState::store_answer`]; steps 2 and 3 go on meanwhile. Look up
///    what [`OwnerState::doubts`] names, if anything.
/// 4. Drain [`OwnerState::poll_release`], in order.
/// 5. Come back no later than [`OwnerState::next_wake`].
pub struct OwnerState {
    pub(super) config: MachineConfig,
    pub(super) limits: OwnerLimits,
    pub(super) phase: Phase,
    /// Recoveries in a row after which no commit succeeded.
    pub(super) recoveries_vain: u32,
    pub(super) facts: FleetFacts,
    pub(super) doubts: Doubts,
    pub(super) view: Arc<LiveView>,
    pub(super) releases: VecDeque<Release>,
    minted: u64,
}

pub(super) enum Phase {
    /// A load is under way.
    Loading,
    /// Stepped down; a load is due then.
    Resting(MonoMs),
    /// A machine takes inputs.
    Serving(Box<Term>),
    /// For good.
    Stopped,
}

impl OwnerState {
    /// An owner that serves what a load found.
    #[must_use]
    pub fn new(config: MachineConfig, limits: OwnerLimits, now: Now, loaded: Loaded) -> Self {
        let mut state = Self {
            config,
            limits,
            phase: Phase::Loading,
            recoveries_vain: 0,
            facts: FleetFacts::default(),
            doubts: Doubts::default(),
            view: Arc::default(),
            releases: VecDeque::new(),
            minted: 0,
        };
        state.begin_term(now, loaded);
        state
    }

    /// Inputs that the open batch still takes: none before the machine of a new term knows the fleet. Without
    /// a machine there is always room: whoever asks is turned away.
    #[must_use]
    pub fn room(&self) -> usize {
        match &self.phase {
            Phase::Serving(_) if self.facts.is_untold() => 0,
            Phase::Serving(term) => term.open.room(&self.limits),
            Phase::Loading | Phase::Resting(_) | Phase::Stopped => self.limits.batch_inputs,
        }
    }

    /// The tasks that must be looked up in the store before this is passed in: the one that it names, and the one
    /// that its idempotency key stands for, which may be forgotten before its turn comes.
    #[must_use]
    pub fn lookup(&self, ask: &Ask) -> Vec<TaskId> {
        let Phase::Serving(term) = &self.phase else {
            return Vec::new();
        };
        let bound = bound_task(ask, &term.machine);
        let tasks = named_task(ask).into_iter().chain(bound);
        tasks.filter(|task| !term.knows(*task)).collect()
    }

    /// Takes a command in, with what the look-up found. Its answer comes with the token.
    pub fn command(
        &mut self,
        now: Now,
        entropy: &mut dyn Entropy,
        mut ask: Ask,
        body: Option<TaskBody>,
        found: &HashMap<TaskId, TaskRecord>,
    ) -> ReplyToken {
        let reply = ReplyToken(self.mint());
        // A new task without a body has an empty one.
        let takes_body = matches!(ask, Ask::TaskCreate { .. });
        let payload = takes_body.then(|| {
            (
                PayloadRef(self.mint()),
                Payload::Body(body.unwrap_or_default()),
            )
        });
        let Phase::Serving(term) = &mut self.phase else {
            self.turn_away(reply, "there is no owner at the moment");
            return reply;
        };
        let cold = answered_by(&ask, &term.machine)
            .filter(|task| !term.machine.is_live(*task))
            .and_then(|task| term.ended(task).or_else(|| found.get(&task)).cloned());
        furnish_ask(&mut ask, cold, handle(payload.as_ref()));
        term.step(
            now,
            entropy,
            Input::Command(Command { reply, ask }),
            payload,
        );
        reply
    }

    /// Turns a command away because what it needs could not be looked up.
    pub fn command_blind(&mut self, detail: &str) -> ReplyToken {
        let reply = ReplyToken(self.mint());
        self.turn_away(reply, detail);
        reply
    }

    /// Takes a report in.
    pub fn report(
        &mut self,
        now: Now,
        entropy: &mut dyn Entropy,
        mut report: Report,
        text: Option<TaskText>,
    ) {
        self.facts.remember(&report);
        let payload = text.map(|text| (PayloadRef(self.mint()), Payload::Text(text)));
        if let Phase::Serving(term) = &mut self.phase {
            furnish_report(&mut report, handle(payload.as_ref()));
            term.step(now, entropy, Input::Report(report), payload);
        }
    }

    /// Answers a live read, once what it may show is durable. It may be about one task that whoever asks took for a
    /// live one: if this owner knows nothing of it, another has ended it, and it is looked up.
    pub fn ask_live(&mut self, now: Now, about: Option<TaskId>, question: Question) {
        if let Phase::Serving(term) = &mut self.phase {
            let deliver = question(&term.machine, now);
            term.open.held.answers.push(Answer::Live(deliver));
            let unknown = about.filter(|task| !term.knows(*task));
            self.doubts.add(unknown);
        }
    }

    /// Ticks the machine, or tells it of the fleet what it lacks, if that is due and there is room. False if it
    /// was not.
    pub fn tick(&mut self, now: Now, entropy: &mut dyn Entropy) -> bool {
        if self.tell_fact(now, entropy) {
            return true;
        }
        let Phase::Serving(term) = &mut self.phase else {
            return false;
        };
        let due = term.machine.next_wake().is_some_and(|at| at <= now.mono);
        let ticks = due && term.open.room(&self.limits) > 0;
        if ticks {
            term.step(now, entropy, Input::Tick, None);
        }
        ticks
    }

    /// Tells a machine that was recovered in this process something of the fleet that it lacks, if there is
    /// room. False if there was nothing or no room.
    pub(super) fn tell_fact(&mut self, now: Now, entropy: &mut dyn Entropy) -> bool {
        let Phase::Serving(term) = &mut self.phase else {
            return false;
        };
        if term.open.room(&self.limits) == 0 {
            return false;
        }
        let Some(report) = self.facts.tell() else {
            return false;
        };
        term.step(now, entropy, Input::Report(report), None);
        true
    }

    /// Moves batches on as far as they go without the store.
    pub fn advance(&mut self, now: Now) {
        if let Phase::Serving(term) = &mut self.phase
            && let Sealed::Free(held) = term.seal(now)
        {
            self.let_out(held);
        }
    }

    /// What to ask of the store now. Nothing else is asked until it has answered.
    pub fn poll_store(&mut self, now: Now) -> Option<StoreCall> {
        match &mut self.phase {
            Phase::Serving(term) => term.flight.as_mut()?.poll(now),
            Phase::Resting(at) if *at <= now.mono => {
                self.phase = Phase::Loading;
                Some(StoreCall::Load)
            }
            Phase::Loading | Phase::Resting(_) | Phase::Stopped => None,
        }
    }

    /// The next thing that may leave.
    pub fn poll_release(&mut self) -> Option<Release> {
        self.releases.pop_front()
    }

    /// When to come back although nothing happens; `None`: never.
    #[must_use]
    pub fn next_wake(&self) -> Option<MonoMs> {
        match &self.phase {
            Phase::Serving(term) => {
                let untold = self.facts.is_untold().then_some(MonoMs(0));
                let machine = untold
                    .or_else(|| term.machine.next_wake())
                    .filter(|_| term.open.room(&self.limits) > 0);
                let flight = term.flight.as_ref().and_then(super::flight::Flight::due);
                let doubts = self.doubts.due();
                machine.into_iter().chain(flight).chain(doubts).min()
            }
            Phase::Resting(at) => Some(*at),
            Phase::Loading | Phase::Stopped => None,
        }
    }

    /// How things stand, as last let out.
    #[must_use]
    pub fn view(&self) -> &Arc<LiveView> {
        &self.view
    }

    /// The machine, if there is one; it is ahead of the store until its batches are durable.
    #[must_use]
    pub fn machine(&self) -> Option<&Machine> {
        match &self.phase {
            Phase::Serving(term) => Some(&term.machine),
            Phase::Loading | Phase::Resting(_) | Phase::Stopped => None,
        }
    }

    /// True if everything stepped is durable and let out.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match &self.phase {
            Phase::Serving(term) => term.flight.is_none() && term.open.is_untouched(),
            Phase::Loading => false,
            Phase::Resting(_) | Phase::Stopped => true,
        }
    }

    /// True while a batch is on its way to the store: nothing that is taken in has its answer before that.
    #[must_use]
    pub fn is_flying(&self) -> bool {
        matches!(&self.phase, Phase::Serving(term) if term.flight.is_some())
    }

    /// Lets out what a batch held, effects before answers.
    pub(super) fn let_out(&mut self, held: Held) {
        for effect in &held.effects {
            if let Effect::TaskEnded { task, .. } = effect {
                self.doubts.told(*task);
            }
        }
        self.releases
            .extend(held.effects.into_iter().map(Release::Effect));
        if let Some(view) = held.view {
            self.show(view);
        }
        for answer in held.answers {
            self.releases.push_back(match answer {
                Answer::Live(deliver) => Release::Live(deliver),
                Answer::Reply(token, reply) => {
                    if let Phase::Serving(term) = &mut self.phase {
                        term.answered(token);
                    }
                    Release::Reply(token, Ok(reply))
                }
            });
        }
    }

    pub(super) fn show(&mut self, view: Arc<LiveView>) {
        self.view = Arc::clone(&view);
        self.releases.push_back(Release::View(view));
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        self.releases.push_back(Release::Notice(notice));
    }

    fn turn_away(&mut self, reply: ReplyToken, detail: &str) {
        let refusal = OwnerUnavailable::NotApplied(detail.to_owned());
        self.releases.push_back(Release::Reply(reply, Err(refusal)));
    }

    fn mint(&mut self) -> u64 {
        self.minted += 1;
        self.minted
    }
}

/// The handle of a payload; one that stands for nothing if there is none.
fn handle(payload: Option<&(PayloadRef, Payload)>) -> PayloadRef {
    payload.map_or(PayloadRef(0), |(payload_ref, _)| *payload_ref)
}
