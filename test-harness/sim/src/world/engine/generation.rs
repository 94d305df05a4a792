//! Engine processes, the generations in them, and who listens to each.

use std::collections::BTreeMap;
use std::time::Duration;

use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::id::AttemptId;
use orchestratord::run::attempt::StartError;
use test_harness_history::{Event as Seen, GenerationEvent, TaskId as SeenTask};
use worker_adapter::{AdapterError, Finish, Generation as Asked, Prompt, RunnerEvent};

use super::text::{Source, length};
use crate::agenda::{MILLI, Micros};
use crate::plan::ReplicaSetup;
use crate::plant::Plant;
use crate::world::World;
use crate::world::daemon::Host;
use crate::world::event::{DaemonEvent, Event};

/// How long an event is on its way from the runner to who follows the attempt.
const RUNNER_DELAY: Micros = 100;

/// One engine process.
pub(crate) struct Engine {
    pub(crate) setup: ReplicaSetup,
    pub(crate) version: u32,
    pub(crate) up: bool,
    pub(crate) hangs: bool,
    /// How many times slower than it should be.
    pub(crate) slow: u64,
    /// Number of the wrong text that it writes; 0: the right one.
    pub(crate) wrong: u64,
    pub(crate) short: bool,
    /// It refuses; true: because of the context.
    pub(crate) refuses: Option<bool>,
    pub(crate) generations: BTreeMap<AttemptId, Generation>,
}

/// One generation.
pub(crate) struct Generation {
    pub(crate) serial: u64,
    /// The process that listens.
    pub(crate) listener: (usize, u64),
    source: Source,
    length: u64,
    limit: bool,
    tokens_in: u64,
    /// Everything so far, for whoever attaches later.
    events: Vec<RunnerEvent>,
    /// Tokens so far.
    produced: u64,
    /// When it last said something.
    last: Micros,
}

impl Engine {
    pub(crate) fn new(setup: ReplicaSetup) -> Self {
        Self {
            version: setup.version,
            setup,
            up: true,
            hangs: false,
            slow: 1,
            wrong: 0,
            short: false,
            refuses: None,
            generations: BTreeMap::new(),
        }
    }
}

impl World {
    /// Starts a generation, or attaches to it if the runner outlived its owner. Gives back its serial number.
    pub(crate) fn start_generation(
        &mut self,
        host: &Host,
        order: &AttemptOrder,
        asked: Asked,
    ) -> Result<u64, StartError> {
        let found = self
            .engines
            .iter()
            .position(|engine| engine.setup.name == order.replica);
        let Some(replica) = found else {
            return Err(StartError::ReplicaGone);
        };
        let attempt = order.attempt;
        if let Some(running) = self.engines[replica].generations.get_mut(&attempt)
            && self.plant != Some(Plant::StartsTwice)
        {
            let before = std::mem::replace(&mut running.listener, (host.daemon, host.life));
            let (serial, events) = (running.serial, running.events.clone());
            if before != (host.daemon, host.life) {
                // One listens at a time: who did before is told that there is no more for it.
                let what = DaemonEvent::RunnerGone { attempt, serial };
                self.send_daemon(before.0, before.1, self.now + RUNNER_DELAY, what);
            }
            for (offset, event) in (0..).zip(events) {
                self.runner_says(host, (attempt, serial), offset, event);
            }
            return Ok(serial);
        }
        if let Some((serial, events)) = self.ended_unheard.get(&attempt).cloned() {
            for (offset, event) in (0..).zip(events) {
                self.runner_says(host, (attempt, serial), offset, event);
            }
            return Ok(serial);
        }
        self.serials += 1;
        let serial = self.serials;
        if let Some(error) = self.refusal(host, replica) {
            self.runner_says(host, (attempt, serial), 0, RunnerEvent::Failed(error));
            return Ok(serial);
        }
        self.begin_generation(host, replica, serial, order, asked);
        Ok(serial)
    }

    fn refusal(&self, host: &Host, replica: usize) -> Option<AdapterError> {
        let engine = &self.engines[replica];
        if !engine.up || self.daemons[host.daemon].engines_cut.contains(&replica) {
            return Some(AdapterError::Unreachable {
                url: "http://engine".to_owned(),
                detail: "nobody listens".to_owned(),
            });
        }
        match engine.refuses {
            Some(true) => {
                return Some(AdapterError::ContextExceeded {
                    tokens: 9_999,
                    ctx: u64::from(engine.setup.ctx),
                });
            }
            Some(false) => return Some(AdapterError::Refused("it will not".to_owned())),
            None => {}
        }
        let mut others = self.same_process(replica).into_iter();
        if others.any(|other| other != replica && !self.engines[other].generations.is_empty()) {
            let detail = "the process generates with another model".to_owned();
            return Some(AdapterError::Busy(detail));
        }
        let slots = usize::try_from(engine.setup.slots).unwrap_or(usize::MAX);
        (engine.generations.len() >= slots)
            .then(|| AdapterError::Busy("every slot is taken".to_owned()))
    }

    fn begin_generation(
        &mut self,
        host: &Host,
        replica: usize,
        serial: u64,
        order: &AttemptOrder,
        asked: Asked,
    ) {
        let prompt = match asked.prompt {
            Prompt::Chat(text) | Prompt::Raw(text) => text,
        };
        let engine = &self.engines[replica];
        let facts = super::super::daemon::facts(&engine.setup, engine.version);
        let source = Source::new(facts.set_key(), &prompt, asked.seed, engine.wrong);
        let (mut length, mut limit) = length(source, asked.max_tokens, asked.ignore_eos);
        if engine.short {
            length /= 2;
            limit = false;
        }
        let (wrong, short) = (engine.wrong != 0, engine.short);
        let before = self.sources.insert(order.task, source);
        if wrong || before.is_some_and(|before| before != source || short) {
            // Another replica set, or one that writes what it should not or ends where it did not before: readers may
            // be shown two texts.
            self.saw(Seen::TextChanged {
                task: SeenTask(order.task.0),
            });
        }
        let generation = Generation {
            serial,
            listener: (host.daemon, host.life),
            source,
            length,
            limit,
            tokens_in: prompt.len() as u64 / 4 + 1,
            events: Vec::new(),
            produced: 0,
            last: self.now,
        };
        let name = self.engines[replica].setup.name.to_string();
        let replaced = self.engines[replica]
            .generations
            .insert(order.attempt, generation);
        debug_assert!(replaced.is_none() || self.plant.is_some());
        self.saw(Seen::Generation {
            generation: serial,
            event: GenerationEvent::Begun {
                engine: name,
                task: Some(SeenTask(order.task.0)),
                attempt: Some(order.attempt.0),
                seed: u64::from(asked.seed),
                prompt: order.spec.prompt.digest.to_string(),
            },
        });
        self.next_piece(replica, order.attempt, serial, 1);
    }

    fn next_piece(&mut self, replica: usize, attempt: AttemptId, serial: u64, times: u64) {
        let pace = self.plan.setup.pace.token;
        let after = self.chance.engines.within(pace) * times * self.engines[replica].slow;
        let event = Event::Engine {
            replica,
            attempt,
            serial,
        };
        self.agenda.add(self.now + after, event);
    }

    /// An engine goes on with a generation.
    pub(crate) fn engine_turn(&mut self, replica: usize, attempt: AttemptId, serial: u64) {
        let idle = self.plan.setup.pace.idle;
        let now = self.now;
        let engine = &mut self.engines[replica];
        let hangs = engine.hangs;
        let Some(running) = engine.generations.get_mut(&attempt) else {
            return;
        };
        if running.serial != serial {
            return;
        }
        let event = if hangs {
            if now < running.last + idle {
                let again = Event::Engine {
                    replica,
                    attempt,
                    serial,
                };
                self.agenda.add(now + 100 * MILLI, again);
                return;
            }
            RunnerEvent::Failed(AdapterError::TimedOut {
                phase: "to the next token",
                after: Duration::from_micros(idle),
            })
        } else if running.events.is_empty() {
            RunnerEvent::Prompt {
                tokens: running.tokens_in,
            }
        } else if running.produced < running.length {
            running.produced += 1;
            RunnerEvent::Token(running.source.token(running.produced - 1))
        } else {
            RunnerEvent::Ended {
                finish: if running.limit {
                    Finish::Length
                } else {
                    Finish::Stop
                },
                tokens_in: running.tokens_in,
                tokens_out: running.produced,
            }
        };
        running.last = now;
        let offset = running.events.len() as u64;
        running.events.push(event.clone());
        let over = matches!(event, RunnerEvent::Ended { .. } | RunnerEvent::Failed(_));
        let listener = running.listener;
        self.say_to(listener, (attempt, serial), offset, event);
        if over {
            self.end_generation(replica, attempt);
        } else {
            self.next_piece(replica, attempt, serial, 1);
        }
    }

    /// A generation is over, whoever ended it.
    pub(crate) fn end_generation(&mut self, replica: usize, attempt: AttemptId) {
        if let Some(ended) = self.engines[replica].generations.remove(&attempt) {
            if self.plan.setup.machine.attachable {
                // The runner outlives its owner, and keeps what nobody has confirmed.
                self.ended_unheard
                    .insert(attempt, (ended.serial, ended.events));
            }
            self.saw(Seen::Generation {
                generation: ended.serial,
                event: GenerationEvent::Stopped,
            });
        }
    }

    /// Every generation of a replica breaks off.
    pub(crate) fn reset_engine(&mut self, replica: usize, detail: &str) {
        let all: Vec<AttemptId> = self.engines[replica].generations.keys().copied().collect();
        for attempt in all {
            self.break_off(replica, attempt, detail);
        }
    }

    /// One generation breaks off.
    pub(crate) fn break_off(&mut self, replica: usize, attempt: AttemptId, detail: &str) {
        let Some(running) = self.engines[replica].generations.get_mut(&attempt) else {
            return;
        };
        let (listener, serial, offset) = (
            running.listener,
            running.serial,
            running.events.len() as u64,
        );
        let failed = RunnerEvent::Failed(AdapterError::Reset(detail.to_owned()));
        running.events.push(failed.clone());
        self.say_to(listener, (attempt, serial), offset, failed);
        self.end_generation(replica, attempt);
    }

    /// Who follows an attempt wants no more of it. Only who listens can stop it.
    pub(crate) fn cancel_generation(&mut self, host: &Host, attempt: AttemptId) {
        let listener = (host.daemon, host.life);
        let found = self.engines.iter().position(|engine| {
            engine
                .generations
                .get(&attempt)
                .is_some_and(|running| running.listener == listener)
        });
        if let Some(replica) = found {
            if let Some(running) = self.engines[replica].generations.get_mut(&attempt) {
                let stopped = AdapterError::Reset("it was stopped".to_owned());
                running.events.push(RunnerEvent::Failed(stopped));
            }
            self.end_generation(replica, attempt);
        }
    }

    /// A process is gone. Its generations go on if the runner outlives it; else their connections close.
    pub(crate) fn drop_generations_of(&mut self, daemon: usize, life: u64) {
        if self.plan.setup.machine.attachable {
            return;
        }
        for replica in 0..self.engines.len() {
            let its: Vec<AttemptId> = self.engines[replica]
                .generations
                .iter()
                .filter(|(_, running)| running.listener == (daemon, life))
                .map(|(attempt, _)| *attempt)
                .collect();
            for attempt in its {
                self.end_generation(replica, attempt);
            }
        }
    }

    fn runner_says(
        &mut self,
        host: &Host,
        attempt: (AttemptId, u64),
        offset: u64,
        event: RunnerEvent,
    ) {
        self.say_to((host.daemon, host.life), attempt, offset, event);
    }

    fn say_to(
        &mut self,
        (daemon, life): (usize, u64),
        (attempt, serial): (AttemptId, u64),
        offset: u64,
        event: RunnerEvent,
    ) {
        // Those that come at one moment keep their order.
        let at = self.now + RUNNER_DELAY + offset;
        let what = DaemonEvent::Runner {
            attempt,
            serial,
            offset,
            event,
        };
        self.send_daemon(daemon, life, at, what);
    }
}
