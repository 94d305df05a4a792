//! The world, and its loop.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use orchestrator_core::id::{AttemptId, TaskId};
use test_harness_history::{Event as Seen, Judge, Observation, Phase as SeenPhase};
use worker_adapter::RunnerEvent;

use super::client::{Errand, Task};
use super::daemon::{Daemon, Host};
use super::database::SimStore;
use super::engine::{Engine, Source};
use super::event::{DaemonEvent, Event};
use crate::agenda::{Agenda, MILLI, Micros};
use crate::chance::{Chance, Lane};
use crate::checkers::{Broken, Court, Sight};
use crate::coverage::Coverage;
use crate::plan::Plan;
use crate::plant::Plant;
use crate::story::{Step, Story};

/// Streams of chance that are drawn from while the world runs.
pub(crate) struct Chances {
    pub(crate) net: Chance,
    pub(crate) store: Chance,
    pub(crate) engines: Chance,
    pub(crate) clients: Chance,
}

/// What is wrong with the store at the moment.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    pub(crate) busy: u32,
    pub(crate) loads: u32,
    pub(crate) prefetches: u32,
    pub(crate) probes: u32,
    pub(crate) reads: bool,
    pub(crate) slow: Micros,
    pub(crate) unknown: Option<crate::plan::LateCommit>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Faults come.
    Chaos,
    /// Everything is mended, and must come to its end.
    Healed,
    /// Everything has; it is looked at once more.
    Audit,
    /// The run is over.
    Over,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Steps of its story.
    pub steps: u64,
    /// How long it took in the world.
    pub virtual_time: Micros,
    /// Hash of its story: the same for a seed on every machine.
    pub trace: u64,
    /// What was broken, if anything was.
    pub broken: Option<Broken>,
    /// The last steps, in words.
    pub story: Vec<String>,
    /// Every step in words, if somebody asked.
    pub whole: Vec<String>,
    /// What was exercised.
    pub coverage: Coverage,
}

/// The world.
pub struct World {
    pub(crate) plan: Rc<Plan>,
    pub(crate) plant: Option<Plant>,
    pub(crate) now: Micros,
    pub(crate) agenda: Agenda<Event>,
    pub(crate) chance: Chances,
    pub(crate) phase: Phase,

    pub(crate) store: SimStore,
    pub(crate) troubles: Troubles,
    /// Whose the store is.
    pub(crate) holder: Option<(usize, u64)>,
    /// The daemon that is to have it next, after a takeover.
    pub(crate) reserved: Option<usize>,

    pub(crate) daemons: Vec<Daemon>,
    pub(crate) engines: Vec<Engine>,
    /// What a runner that outlives its owner keeps of generations whose end nobody has confirmed.
    pub(crate) ended_unheard: BTreeMap<AttemptId, (u64, Vec<RunnerEvent>)>,
    /// What decides the text of each task, as it was begun last.
    pub(crate) sources: BTreeMap<TaskId, Source>,
    /// Pools whose supervisor gave up.
    pub(crate) pools_gone: BTreeSet<usize>,
    pub(crate) tasks: BTreeMap<usize, Task>,
    pub(crate) errands: Vec<Errand>,
    pub(crate) acknowledged: BTreeSet<TaskId>,

    /// Messages that wait for the link between a daemon and the clients, in their order.
    pub(crate) parked: Vec<(usize, Event)>,
    /// Operations that have begun.
    pub(crate) wanted: usize,
    pub(crate) tickets: u64,
    pub(crate) serials: u64,
    pub(crate) requests: u64,
    pub(crate) readers: u64,

    pub(crate) story: Story,
    pub(crate) court: Court,
    judge: Judge,
    broken: Option<Broken>,
    pub(crate) coverage: Coverage,
}

impl World {
    /// A world in which nothing has happened. `whole`: keep its story in words.
    #[must_use]
    pub fn new(plan: &Rc<Plan>, plant: Option<Plant>, whole: bool) -> Self {
        let seed = plan.seed;
        let setup = &plan.setup;
        Self {
            plan: Rc::clone(plan),
            plant,
            now: 0,
            agenda: Agenda::new(seed),
            chance: Chances {
                net: Chance::new(seed, Lane::Net),
                store: Chance::new(seed, Lane::Store),
                engines: Chance::new(seed, Lane::Engines),
                clients: Chance::new(seed, Lane::Clients),
            },
            phase: Phase::Chaos,
            store: SimStore::new(plant),
            troubles: Troubles::default(),
            holder: None,
            reserved: None,
            daemons: setup.daemons.iter().copied().map(Daemon::new).collect(),
            engines: setup.replicas.iter().cloned().map(Engine::new).collect(),
            ended_unheard: BTreeMap::new(),
            sources: BTreeMap::new(),
            pools_gone: BTreeSet::new(),
            tasks: BTreeMap::new(),
            errands: Vec::new(),
            acknowledged: BTreeSet::new(),
            parked: Vec::new(),
            wanted: 0,
            tickets: 0,
            serials: 0,
            requests: 0,
            readers: 0,
            story: Story::new(whole),
            court: Court::new(setup),
            judge: Judge::default(),
            broken: None,
            coverage: Coverage::default(),
        }
    }

    /// Runs it to its end, or to the first thing that is broken.
    #[must_use]
    pub fn run(mut self) -> Outcome {
        self.begin();
        while self.broken.is_none() && self.phase != Phase::Over {
            let Some((at, event)) = self.agenda.pop() else {
                self.settle_up();
                continue;
            };
            self.now = at;
            self.happen(event);
            self.look_around();
        }
        if self.broken.is_none() {
            self.final_judgement();
        }
        self.coverage.transitions(self.court.transitions());
        Outcome {
            steps: self.story.told(),
            virtual_time: self.now,
            trace: self.story.hash(),
            broken: self.broken,
            story: self.story.last(),
            whole: self.story.into_whole(),
            coverage: self.coverage,
        }
    }

    fn begin(&mut self) {
        self.saw(Seen::Phase(SeenPhase::Chaos));
        for daemon in 0..self.daemons.len() {
            if self.daemons[daemon].setup.from_start {
                self.start_daemon(daemon);
            }
        }
        let plan = Rc::clone(&self.plan);
        for (number, timed) in plan.faults.iter().enumerate() {
            self.agenda.add(timed.at, Event::FaultBegins(number));
        }
        for (number, operation) in plan.operations.iter().enumerate() {
            // A moment for the first daemon to come up.
            self.agenda
                .add(operation.at + MILLI, Event::Operation(number));
        }
        self.agenda.add(plan.chaos, Event::Heal);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Audit => self.settle_up(),
            Event::Client {
                errand,
                turn,
                from,
                message,
            } => self.deliver(errand, turn, from, message),
            Event::Daemon { daemon, life, what } => self.reach(daemon, life, what),
            Event::Engine {
                replica,
                attempt,
                serial,
            } => self.engine_turn(replica, attempt, serial),
            Event::FaultBegins(number) => self.fault_begins(number),
            Event::FaultEnds(number) => self.fault_ends(number),
            Event::Heal => self.heal(),
            Event::LateCommit { daemon, commit } => self.late_commit(daemon, &commit),
            Event::Open { daemon, life } => self.open(daemon, life),
            Event::Operation(number) => self.want(number),
            Event::Store { daemon, life, call } => self.store_reached(daemon, life, call),
        }
    }

    /// Something reaches a daemon's process.
    fn reach(&mut self, daemon: usize, life: u64, what: DaemonEvent) {
        let one = &mut self.daemons[daemon];
        if one.life != life {
            return;
        }
        if one.paused {
            one.stalled.push(what);
            return;
        }
        if let DaemonEvent::Request { errand, turn, .. } = &what {
            let (errand, turn) = (*errand, *turn);
            match one.clients_cut {
                None => {}
                Some(false) => {
                    self.parked
                        .push((daemon, Event::Daemon { daemon, life, what }));
                    return;
                }
                Some(true) => {
                    self.send_errand(errand, turn, MILLI, super::client::Message::Lost);
                    return;
                }
            }
        }
        self.with_host(daemon, life, |world, host| world.take(host, what));
    }

    fn take(&mut self, host: &mut Host, what: DaemonEvent) {
        match what {
            DaemonEvent::AttemptTimer(attempt) => self.attempt_timer(host, attempt),
            DaemonEvent::Credit { reader } => self.credit(host, reader),
            DaemonEvent::Health { replica } => self.health(host, replica),
            DaemonEvent::Lapse => self.lapse(host),
            DaemonEvent::PoolGaveUp { pool } => self.pool_gave_up(host, pool),
            DaemonEvent::Read(read) => self.read_done(host, &read),
            DaemonEvent::ReaderGone { errand, turn } => self.reader_gone(host, errand, turn),
            DaemonEvent::ReaderTimer { reader } => self.reader_timer(host, reader),
            DaemonEvent::Request {
                errand,
                turn,
                question,
            } => self.request(host, errand, turn, question),
            DaemonEvent::Runner {
                attempt,
                serial,
                offset,
                event,
            } => self.runner_event(host, attempt, serial, (offset, event)),
            DaemonEvent::RunnerGone { attempt, serial } => self.runner_gone(host, attempt, serial),
            DaemonEvent::StoreAnswer(answer) => self.hear_store(host, answer),
            DaemonEvent::Wake => {
                host.wake_at = None;
                self.story.tell(self.now, Step::Woken(host.daemon));
                self.pump(host);
            }
        }
    }

    /// Does something with a process, if it is there, and keeps it unless it ended meanwhile.
    pub(crate) fn with_host(
        &mut self,
        daemon: usize,
        life: u64,
        deed: impl FnOnce(&mut Self, &mut Host),
    ) {
        if self.daemons[daemon].life != life {
            return;
        }
        let Some(mut host) = self.daemons[daemon].host.take() else {
            return;
        };
        deed(self, &mut host);
        if self.is_host(&host) {
            self.daemons[daemon].host = Some(host);
        }
    }

    /// True if this process still lives.
    pub(crate) fn is_host(&self, host: &Host) -> bool {
        self.daemons[host.daemon].life == host.life
    }

    /// True if something is broken already.
    pub(crate) fn is_judged(&self) -> bool {
        self.broken.is_some()
    }

    /// A step of the story, in words.
    pub(crate) fn say(&mut self, words: String) {
        self.story.tell(self.now, Step::Said(words));
    }

    /// Something that can be seen from outside.
    pub(crate) fn saw(&mut self, event: Seen) {
        let seen = Observation {
            at_ms: self.now / MILLI,
            event,
        };
        if let Err(violation) = self.judge.observe(&seen) {
            self.breaks(Broken::from(violation));
        }
    }

    /// Something that can only be seen from inside.
    pub(crate) fn see(&mut self, sight: &Sight<'_>) {
        if self.broken.is_none()
            && let Err(broken) = self.court.see(sight)
        {
            self.breaks(broken);
        }
    }

    pub(crate) fn breaks(&mut self, broken: Broken) {
        if self.broken.is_none() {
            self.say(format!("BROKEN: {}: {}", broken.property, broken.detail));
            self.broken = Some(broken);
        }
    }

    /// Everything is over: what was never broken in passing is judged as a whole.
    fn final_judgement(&mut self) {
        let judge = std::mem::take(&mut self.judge);
        if let Some(violation) = judge.finish().into_iter().next() {
            self.breaks(Broken::from(violation));
        }
    }

    pub(crate) fn chance_net(&mut self) -> Micros {
        self.chance.net.within(self.plan.setup.pace.net)
    }

    pub(crate) fn chance_store(&mut self) -> Micros {
        self.chance.store.within(self.plan.setup.pace.store)
    }
}
