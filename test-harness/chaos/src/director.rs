//! Carries a schedule of faults out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use test_harness_support::Signal;
use tokio::time::{sleep, timeout};

use crate::dice::Dice;
use crate::load::Crowd;
use crate::point::Point;
use crate::recorder::Recorder;
use crate::round::RoundError;
use crate::strike::{Break, Cable, Deed, Strike, Victim};
use crate::world::World;

/// How long a strike waits for its moment before it comes anyway.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Deeds {
    /// Kills of daemons and engines by victim and moment.
    pub kills: BTreeMap<(Victim, Point), u64>,
    /// Everything else, by what it was.
    pub others: BTreeMap<String, u64>,
}

impl Deeds {
    /// Kills of daemons and engines together.
    #[must_use]
    pub fn killed(&self) -> u64 {
        self.kills.values().sum()
    }

    /// Adds what was done in another round.
    pub(crate) fn add(&mut self, other: Self) {
        for (key, count) in other.kills {
            *self.kills.entry(key).or_default() += count;
        }
        for (key, count) in other.others {
            *self.others.entry(key).or_default() += count;
        }
    }
}

/// Carries strikes out, one after the other.
pub(crate) struct Director<'a> {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) world: &'a mut World,
    pub(crate) crowd: &'a mut Crowd,
    /// Who is hit, where several could be.
    pub(crate) dice: Dice,
    pub(crate) done: Deeds,
    /// What is broken for a while, and until when: other faults come meanwhile.
    pub(crate) broken: Vec<(Instant, Mend)>,
}

/// How something that is broken for a while works again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mend {
    /// A process goes on.
    Continue(Victim, usize, Option<u32>),
    /// A link lets everything pass.
    Restore(Cable, usize),
}

impl Director<'_> {
    /// Carries one strike out, and mends what it broke.
    pub(crate) async fn strike(&mut self, strike: &Strike) -> Result<(), RoundError> {
        sleep(Duration::from_millis(strike.after_ms)).await;
        self.mend(Instant::now());
        let children = self.world.children();
        let child = match children.is_empty() {
            true => None,
            false => Some(self.dice.pick(&children)),
        };
        let last = self.world.attached.len().saturating_sub(1) as u64;
        let engine = usize::try_from(self.dice.range(0, last)).unwrap_or(0);
        let point = self.moment(strike).await;
        self.mend(Instant::now());
        match strike.deed {
            Deed::Kill(victim) => self.kill(victim, point, engine, child, strike).await,
            Deed::KillClient => {
                self.count("client killed");
                Ok(self.crowd.kill_one(&mut self.dice)?)
            }
            Deed::Pause(victim, ms) => {
                self.count(&format!("{} stopped and continued", victim.name()));
                let until = Instant::now() + Duration::from_millis(ms);
                self.broken
                    .push((until, Mend::Continue(victim, engine, child)));
                self.pause(victim, engine, child, true);
                Ok(())
            }
            Deed::Rival => {
                self.count("another daemon on the same data");
                self.world.rival();
                Ok(())
            }
            Deed::Sever(cable, how, ms) => {
                self.sever(cable, how, engine, Duration::from_millis(ms));
                Ok(())
            }
            Deed::Terminate => {
                // One that stands still cannot end.
                self.mend_all();
                self.count("daemon asked to end");
                Ok(self.world.restart_in_order()?)
            }
        }
    }

    /// Everything that is broken for a while works again.
    pub(crate) fn mend_all(&mut self) {
        for (_, mend) in std::mem::take(&mut self.broken) {
            self.carry_out(mend);
        }
    }

    /// Whatever was to be broken until now works again.
    fn mend(&mut self, now: Instant) {
        let (due, still) = std::mem::take(&mut self.broken)
            .into_iter()
            .partition(|(until, _)| *until <= now);
        self.broken = still;
        let due: Vec<(Instant, Mend)> = due;
        for (_, mend) in due {
            self.carry_out(mend);
        }
    }

    fn carry_out(&mut self, mend: Mend) {
        match mend {
            Mend::Continue(victim, engine, child) => self.pause(victim, engine, child, false),
            Mend::Restore(Cable::Clients, _) => self.world.restore_front(),
            Mend::Restore(Cable::Engine, engine) => self.world.attached[engine].restore(),
        }
    }

    /// Waits for the strike's moment; which one it was.
    async fn moment(&self, strike: &Strike) -> Point {
        if strike.point == Point::Anytime {
            return Point::Anytime;
        }
        let aimed = self.recorder.aim(strike.point, strike.skip);
        match timeout(PATIENCE, aimed).await {
            Ok(Ok(())) => strike.point,
            _ => Point::Anytime,
        }
    }

    async fn kill(
        &mut self,
        victim: Victim,
        point: Point,
        engine: usize,
        child: Option<u32>,
        strike: &Strike,
    ) -> Result<(), RoundError> {
        let down = Duration::from_millis(strike.down_ms);
        match victim {
            Victim::ChildEngine => {
                if let Some(pid) = child {
                    self.world.strike_child(pid, Signal::Kill);
                    self.killed(victim, point);
                }
                Ok(())
            }
            Victim::AttachedEngine => {
                self.world.attached[engine].kill();
                self.killed(victim, point);
                sleep(down).await;
                Ok(self.world.attached[engine].revive()?)
            }
            Victim::Daemon => {
                self.world.kill_daemon();
                self.killed(victim, point);
                self.revive(strike).await
            }
            Victim::DaemonAndEngine => {
                self.world.attached[engine].kill();
                if let Some(pid) = child {
                    self.world.strike_child(pid, Signal::Kill);
                }
                self.world.kill_daemon();
                self.killed(victim, point);
                self.world.attached[engine].revive()?;
                self.revive(strike).await
            }
        }
    }

    /// Starts the daemon again, and kills it on the way as often as the strike says.
    async fn revive(&mut self, strike: &Strike) -> Result<(), RoundError> {
        for after in &strike.again_ms {
            let ready = self.world.revive_and_kill(Duration::from_millis(*after))?;
            let point = match ready {
                true => Point::Recovered,
                false => Point::Recovering,
            };
            self.killed(Victim::Daemon, point);
        }
        sleep(Duration::from_millis(strike.down_ms)).await;
        Ok(self.world.revive_daemon()?)
    }

    fn pause(&mut self, victim: Victim, engine: usize, child: Option<u32>, paused: bool) {
        match (victim, child) {
            (Victim::Daemon | Victim::DaemonAndEngine, _) => self.world.pause_daemon(paused),
            (Victim::AttachedEngine, _) => self.world.attached[engine].pause(paused),
            (Victim::ChildEngine, Some(pid)) => {
                let told = if paused {
                    Signal::Stop
                } else {
                    Signal::Continue
                };
                self.world.strike_child(pid, told);
            }
            (Victim::ChildEngine, None) => {}
        }
    }

    fn sever(&mut self, cable: Cable, how: Break, engine: usize, time: Duration) {
        let between = match cable {
            Cable::Clients => "clients and daemon",
            Cable::Engine => "daemon and engine",
        };
        let what = match how {
            Break::Cut => "reset",
            Break::Close => "closed",
            Break::HalfClose => "half-closed",
            Break::Stall => "stalled",
        };
        self.count(&format!("{between}: {what}"));
        match cable {
            Cable::Clients => self.world.sever_front(how),
            Cable::Engine => self.world.attached[engine].sever(how),
        }
        if how == Break::Stall {
            self.broken
                .push((Instant::now() + time, Mend::Restore(cable, engine)));
        }
    }

    fn killed(&mut self, victim: Victim, point: Point) {
        *self.done.kills.entry((victim, point)).or_default() += 1;
    }

    fn count(&mut self, what: &str) {
        *self.done.others.entry(what.to_owned()).or_default() += 1;
    }
}
