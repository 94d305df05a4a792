//! Processes come and go.

use std::sync::Arc;

use orchestrator_core::machine::MachineConfig;
use orchestrator_core::placement::ReplicaConfig;
use orchestratord::owner::OwnerState;
use orchestratord::run::roster::Roster;
use orchestratord::stream::StreamHub;
use store::{Loaded, OwnerStore};
use test_harness_history::{Event as Seen, Process, ProcessEvent};

use super::entropy::Drawn;
use super::host::{Host, Standing};
use super::lanes::Lanes;
use crate::agenda::{MILLI, Micros};
use crate::checkers::Sight;
use crate::plan::{CrashPoint, letter};
use crate::plant::Plant;
use crate::world::World;
use crate::world::clock::Clock;
use crate::world::event::{DaemonEvent, Event};
use crate::world::world::Phase;

/// Pause between two tries to get the store.
const OPEN_PAUSE: Micros = 200 * MILLI;

impl World {
    /// Starts a process of a daemon; it serves once it has the store.
    pub(crate) fn start_daemon(&mut self, daemon: usize) {
        if self.daemons[daemon].standing != Standing::Gone {
            return;
        }
        self.daemons[daemon].life += 1;
        self.daemons[daemon].standing = Standing::Opening;
        let life = self.daemons[daemon].life;
        self.agenda.add(self.now, Event::Open { daemon, life });
    }

    /// A process tries to get the store.
    pub(crate) fn open(&mut self, daemon: usize, life: u64) {
        let one = &self.daemons[daemon];
        if !one.lives(life) || one.standing != Standing::Opening {
            return;
        }
        let again = Event::Open { daemon, life };
        if one.paused || one.store_cut.is_some() || !self.may_hold(daemon, life) {
            self.agenda.add(self.now + OPEN_PAUSE, again);
            return;
        }
        if self.troubles.loads > 0 {
            self.troubles.loads -= 1;
            self.agenda.add(self.now + OPEN_PAUSE, again);
            return;
        }
        match self
            .store
            .load()
            .and_then(|loaded| Ok((loaded, self.store.cold()?)))
        {
            Ok((loaded, cold)) => {
                self.holder = Some((daemon, life));
                self.reserved = None;
                self.serve(daemon, life, loaded, cold);
            }
            Err(_) => self.agenda.add(self.now + OPEN_PAUSE, again),
        }
    }

    /// True if nobody else has the store, as far as its lock says.
    pub(crate) fn may_hold(&self, daemon: usize, life: u64) -> bool {
        if self.reserved.is_some_and(|reserved| reserved != daemon) {
            return false;
        }
        match self.holder {
            None => true,
            Some((other, its)) => (other, its) == (daemon, life) || !self.daemons[other].lives(its),
        }
    }

    fn serve(&mut self, daemon: usize, life: u64, loaded: Loaded, cold: Box<dyn store::ColdStore>) {
        let one = &self.daemons[daemon];
        let clock = Clock::new(self.now, one.setup.drift_ppm, one.wall_off_ms);
        let clock = match self.plant {
            Some(Plant::AttemptIdsRepeat) if self.phase == Phase::Chaos => clock.stopped(),
            Some(Plant::ClockAhead) => clock.ahead(),
            _ => clock,
        };
        let now = clock.now(self.now);
        self.say(format!(
            "daemon {}: serves, epoch {}, {} live tasks",
            letter(daemon),
            loaded.epoch.0,
            loaded.tasks.len()
        ));
        self.saw(Seen::Process {
            process: Process::Daemon(u32::try_from(daemon).unwrap_or(0)),
            event: ProcessEvent::Started {
                epoch: Some(loaded.epoch.0),
            },
        });
        self.see(&Sight::TermAllowed {
            epoch: loaded.epoch,
        });
        self.see(&Sight::Term {
            daemon,
            life,
            now,
            loaded: &loaded,
        });
        let sealed = loaded.commit_seq;
        let setup = &self.plan.setup;
        let machine = told(setup.machine_of(daemon), self.plant);
        let hub = Arc::new(StreamHub::default());
        let process = (daemon as u64) << 32 | life;
        let host = Host {
            daemon,
            life,
            clock,
            entropy: Drawn::new(self.plan.seed, process, self.plant),
            state: OwnerState::new(machine, setup.limits, now, loaded),
            cold,
            roster: Roster::new(Arc::clone(&hub)),
            hub,
            lanes: Lanes::default(),
            waiters: std::collections::BTreeMap::new(),
            batches: super::lanes::Batches::default(),
            attempts: std::collections::BTreeMap::new(),
            readers: std::collections::BTreeMap::new(),
            reads: std::collections::BTreeMap::new(),
            told: std::collections::BTreeMap::new(),
            wake_at: None,
            sealed,
            let_out: 0,
            recovering: true,
            readers_told: std::rc::Rc::default(),
            calling: false,
        };
        self.daemons[daemon].standing = Standing::Up;
        self.daemons[daemon].host = Some(Box::new(host));
        self.with_host(daemon, life, |world, host| {
            if !world.crash_at(host, CrashPoint::Loaded) {
                world.supervise(host);
                world.pump(host);
            }
        });
    }

    /// Kills a process here, if that is where it was to die. True if it was.
    pub(crate) fn crash_at(&mut self, host: &mut Host, point: CrashPoint) -> bool {
        match self.daemons[host.daemon].doomed {
            Some((doom, down)) if doom == point => {
                self.daemons[host.daemon].doomed = None;
                self.kill(host.daemon, down, "is killed");
                true
            }
            _ => false,
        }
    }

    /// Ends a process, and starts another after a while.
    pub(crate) fn kill(&mut self, daemon: usize, down: Micros, how: &str) {
        let one = &mut self.daemons[daemon];
        if one.standing == Standing::Gone {
            return;
        }
        let life = one.life;
        one.standing = Standing::Gone;
        one.paused = false;
        one.stalled.clear();
        one.host = None;
        self.say(format!("daemon {}: {how}", letter(daemon)));
        self.saw(Seen::Process {
            process: Process::Daemon(u32::try_from(daemon).unwrap_or(0)),
            event: ProcessEvent::Killed,
        });
        self.see(&Sight::Gone { daemon, life });
        self.hang_up(daemon, life);
        self.drop_generations_of(daemon, life);
        self.agenda.add(
            self.now + down.max(MILLI),
            Event::Open {
                daemon,
                life: life + 1,
            },
        );
        let next = &mut self.daemons[daemon];
        next.life = life + 1;
        next.standing = Standing::Opening;
    }

    /// Stops a process in mid-air, for a while.
    pub(crate) fn pause(&mut self, daemon: usize) {
        if self.daemons[daemon].standing == Standing::Up {
            self.daemons[daemon].paused = true;
        }
    }

    /// It goes on; what has reached it meanwhile reaches it now.
    pub(crate) fn resume(&mut self, daemon: usize) {
        let one = &mut self.daemons[daemon];
        one.paused = false;
        let life = one.life;
        let stalled = std::mem::take(&mut one.stalled);
        for (after, what) in (1..).zip(stalled) {
            self.send_daemon(daemon, life, self.now + after, what);
        }
    }

    /// The end of a belief: the store belongs to another.
    pub(crate) fn lapse(&mut self, host: &mut Host) {
        if self.plant == Some(Plant::BelievesItOwns) {
            return;
        }
        if self.holder != Some((host.daemon, host.life)) {
            self.kill(
                host.daemon,
                300 * MILLI,
                "learns that the store is another's, and ends",
            );
        }
    }

    /// An event for a process, so much later.
    pub(crate) fn send_host(&mut self, host: &Host, after: Micros, what: DaemonEvent) {
        self.send_daemon(host.daemon, host.life, self.now + after, what);
    }

    /// An event for a process, at a moment.
    pub(crate) fn send_host_at(&mut self, host: &Host, at: Micros, what: DaemonEvent) {
        self.send_daemon(host.daemon, host.life, at, what);
    }

    pub(crate) fn send_daemon(&mut self, daemon: usize, life: u64, at: Micros, what: DaemonEvent) {
        self.agenda.add(at, Event::Daemon { daemon, life, what });
    }
}

/// What the machine is told of its configuration, with a bug that is planted there.
fn told(mut machine: MachineConfig, plant: Option<Plant>) -> MachineConfig {
    match plant {
        Some(Plant::AgeingOff) => machine.ageing_ms = u64::MAX / 4,
        Some(Plant::ModelRunEndless) => machine.policy.model_run_tokens_max = u32::MAX,
        Some(Plant::ModelsAtOnce) => {
            for pool in &mut machine.pools {
                for replica in &mut pool.replicas {
                    *replica = ReplicaConfig::alone(replica.name.clone());
                }
            }
        }
        _ => {}
    }
    machine
}
