//! Faults begin and end.

use super::World;
use super::event::{DaemonEvent, Event};
use crate::agenda::{MILLI, Micros};
use crate::plan::{CrashPoint, Fault, letter};

impl World {
    pub(super) fn fault_begins(&mut self, number: usize) {
        let fault = self.plan.faults[number].fault;
        self.say(format!("FAULT {number}: {fault}"));
        self.coverage.fault(&fault);
        if let Some(span) = fault.span() {
            self.agenda.add(self.now + span, Event::FaultEnds(number));
        }
        match fault {
            Fault::DaemonCrash {
                daemon,
                point,
                down,
            } => self.crash(daemon, point, down),
            Fault::DaemonPause { daemon, .. } => self.pause(daemon),
            Fault::Takeover { daemon, belief } => self.take_over(daemon, belief),
            Fault::WallJump { daemon, ms } => self.jump(daemon, ms),
            Fault::CutClients { daemon, breaks, .. } => {
                self.daemons[daemon].clients_cut = Some(breaks);
                if breaks {
                    let life = self.daemons[daemon].life;
                    self.hang_up(daemon, life);
                    let gone: Vec<(usize, u32)> = self.connected(daemon, life);
                    for (errand, turn) in gone {
                        let what = DaemonEvent::ReaderGone { errand, turn };
                        self.send_daemon(daemon, life, self.now + MILLI, what);
                    }
                }
            }
            Fault::CutStore { daemon, breaks, .. } => {
                self.daemons[daemon].store_cut = Some(breaks);
            }
            Fault::CutEngine {
                daemon, replica, ..
            } => self.cut_engine(daemon, replica),
            Fault::StoreBusy { times } => self.troubles.busy = times,
            Fault::StoreSlow { by, .. } => self.troubles.slow = by,
            Fault::StoreUnknown { fate } => self.troubles.unknown = Some(fate),
            Fault::StoreProbesFail { times } => self.troubles.probes = times,
            Fault::StoreLoadsFail { times } => self.troubles.loads = times,
            Fault::StorePrefetchesFail { times } => self.troubles.prefetches = times,
            Fault::StoreReadsFail { .. } => self.troubles.reads = true,
            other => self.engine_fault_begins(number, other),
        }
    }

    fn engine_fault_begins(&mut self, number: usize, fault: Fault) {
        match fault {
            Fault::EngineKill { replica, .. } => self.process_down(replica),
            Fault::EngineHang { replica, .. } => self.engines[replica].hangs = true,
            Fault::EngineSlow {
                replica, factor, ..
            } => self.engines[replica].slow = factor,
            Fault::EngineReset { replica } => self.reset_engine(replica, "the engine broke off"),
            Fault::EngineWrong { replica, .. } => {
                self.engines[replica].wrong = number as u64 + 1;
            }
            Fault::EngineShort { replica, .. } => self.engines[replica].short = true,
            Fault::EngineRefuses {
                replica, context, ..
            } => self.engines[replica].refuses = Some(context),
            Fault::EngineUpgrade { replica } => {
                self.reset_engine(replica, "the engine is replaced");
                self.engines[replica].version += 1;
                self.notice_replica(replica);
            }
            Fault::PoolGivesUp { pool, .. } => {
                self.pools_gone.insert(pool);
                for replica in self.replicas_of(pool) {
                    self.process_down(replica);
                }
                for daemon in 0..self.daemons.len() {
                    let life = self.daemons[daemon].life;
                    let after = self.chance.net.within((300, 1_000)) * MILLI;
                    let what = DaemonEvent::PoolGaveUp { pool };
                    self.send_daemon(daemon, life, self.now + after, what);
                }
            }
            _ => {}
        }
    }

    pub(super) fn fault_ends(&mut self, number: usize) {
        let fault = self.plan.faults[number].fault;
        self.say(format!("fault {number} is over"));
        self.mend(fault);
    }

    pub(super) fn mend(&mut self, fault: Fault) {
        match fault {
            Fault::DaemonPause { daemon, .. } => self.resume(daemon),
            Fault::CutClients { daemon, .. } => self.reconnect(daemon),
            Fault::CutStore { daemon, .. } => self.daemons[daemon].store_cut = None,
            Fault::CutEngine {
                daemon, replica, ..
            } => {
                self.daemons[daemon].engines_cut.remove(&replica);
                self.notice_replica(replica);
            }
            Fault::StoreSlow { .. } => self.troubles.slow = 0,
            Fault::StoreReadsFail { .. } => self.troubles.reads = false,
            Fault::EngineKill { replica, .. } => self.process_up(replica),
            Fault::EngineHang { replica, .. } => self.engines[replica].hangs = false,
            Fault::EngineSlow { replica, .. } => self.engines[replica].slow = 1,
            Fault::EngineWrong { replica, .. } => self.engines[replica].wrong = 0,
            Fault::EngineShort { replica, .. } => self.engines[replica].short = false,
            Fault::EngineRefuses { replica, .. } => self.engines[replica].refuses = None,
            Fault::PoolGivesUp { pool, .. } => {
                self.pools_gone.remove(&pool);
                for replica in self.replicas_of(pool) {
                    self.process_up(replica);
                }
            }
            _ => {}
        }
    }

    /// The link between a daemon and the clients is there again: what waited arrives, in its order, and nothing
    /// that is sent from now on overtakes it.
    fn reconnect(&mut self, daemon: usize) {
        self.daemons[daemon].clients_cut = None;
        let (now, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.parked)
            .into_iter()
            .partition(|(other, _)| *other == daemon);
        self.parked = rest;
        for (after, (_, event)) in (1..).zip(now) {
            let at = self.now + after;
            if let Event::Client { errand, .. } = &event {
                let heard_at = &mut self.errands[*errand].heard_at;
                *heard_at = at.max(*heard_at);
            }
            self.agenda.add(at, event);
        }
    }

    fn crash(&mut self, daemon: usize, point: CrashPoint, down: Micros) {
        if point == CrashPoint::Now {
            self.kill(daemon, down, "is killed");
        } else {
            self.daemons[daemon].doomed = Some((point, down));
        }
    }

    fn take_over(&mut self, daemon: usize, belief: Micros) {
        if self.holder.is_some_and(|(holder, _)| holder == daemon) {
            return;
        }
        if let Some((other, life)) = self.holder {
            self.send_daemon(other, life, self.now + belief, DaemonEvent::Lapse);
        }
        self.say(format!(
            "daemon {} is given the store that {} holds",
            letter(daemon),
            self.holder_name()
        ));
        self.holder = None;
        self.reserved = Some(daemon);
        self.start_daemon(daemon);
    }

    fn jump(&mut self, daemon: usize, ms: i64) {
        let one = &mut self.daemons[daemon];
        one.wall_off_ms += ms;
        if let Some(host) = &mut one.host {
            host.clock.jump(ms);
        }
    }

    fn cut_engine(&mut self, daemon: usize, replica: usize) {
        self.daemons[daemon].engines_cut.insert(replica);
        let life = self.daemons[daemon].life;
        let cut: Vec<_> = self.engines[replica]
            .generations
            .iter()
            .filter(|(_, running)| running.listener == (daemon, life))
            .map(|(attempt, _)| *attempt)
            .collect();
        for attempt in cut {
            self.break_off(replica, attempt, "the connection to the engine broke");
        }
        self.notice_replica(replica);
    }

    /// The process of a replica ends, and with it whatever else lives in it.
    fn process_down(&mut self, replica: usize) {
        for replica in self.same_process(replica) {
            self.engine_down(replica);
        }
    }

    fn process_up(&mut self, replica: usize) {
        for replica in self.same_process(replica) {
            self.engine_up(replica);
        }
    }

    fn engine_down(&mut self, replica: usize) {
        self.engines[replica].up = false;
        self.reset_engine(replica, "the engine was killed");
        self.notice_replica(replica);
    }

    fn engine_up(&mut self, replica: usize) {
        let pool = self.engines[replica].setup.pool.clone();
        let gone = self
            .pools_gone
            .iter()
            .any(|number| self.plan.setup.pools()[*number].name == pool);
        if !gone {
            self.engines[replica].up = true;
            self.notice_replica(replica);
        }
    }

    /// The replicas that live in the process of this one, itself among them.
    pub(crate) fn same_process(&self, replica: usize) -> Vec<usize> {
        let process = &self.engines[replica].setup.process;
        let engines = self.engines.iter().enumerate();
        let same = engines.filter(|(_, engine)| engine.setup.process == *process);
        same.map(|(replica, _)| replica).collect()
    }

    fn replicas_of(&self, pool: usize) -> Vec<usize> {
        let name = &self.plan.setup.pools()[pool].name;
        (0..self.engines.len())
            .filter(|replica| self.engines[*replica].setup.pool == *name)
            .collect()
    }

    /// True if a pool's supervisor gave up.
    pub(crate) fn gave_up(&self, pool: usize) -> bool {
        self.pools_gone.contains(&pool)
    }

    fn connected(&self, daemon: usize, life: u64) -> Vec<(usize, u32)> {
        (0..)
            .zip(&self.errands)
            .filter(|(_, errand)| errand.peer == Some((daemon, life)))
            .map(|(number, errand)| (number, errand.turn))
            .collect()
    }

    /// Everything is mended.
    pub(super) fn heal(&mut self) {
        self.say("everything is mended".to_owned());
        let plan = std::rc::Rc::clone(&self.plan);
        self.phase = super::world::Phase::Healed;
        for timed in &plan.faults {
            self.mend(timed.fault);
        }
        self.pools_gone.clear();
        self.troubles = super::world::Troubles::default();
        for replica in 0..self.engines.len() {
            self.engine_up(replica);
        }
        for daemon in 0..self.daemons.len() {
            // Whoever waits for a time would else wait for as long as a clock was set back.
            let one = &self.daemons[daemon];
            self.jump(daemon, one.setup.wall_off_ms - one.wall_off_ms);
            if let Some(host) = &mut self.daemons[daemon].host {
                host.clock.go_on();
            }
            self.daemons[daemon].doomed = None;
            self.daemons[daemon].store_cut = None;
            self.reconnect(daemon);
            self.daemons[daemon].engines_cut.clear();
        }
        if self
            .daemons
            .iter()
            .all(|one| one.standing == super::daemon::Standing::Gone)
        {
            self.start_daemon(0);
        }
        self.saw(test_harness_history::Event::Phase(
            test_harness_history::Phase::Healed,
        ));
        self.agenda.add(self.now + 500 * MILLI, Event::Audit);
    }
}
