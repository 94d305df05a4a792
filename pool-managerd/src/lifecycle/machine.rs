//! The machine: steps and outputs.

use std::collections::VecDeque;
use std::time::Duration;

use super::table::{DownReason, Input, Notice, Output, Phase};
use crate::spec::{Backoff, Policy};

/// The life of one supervised process.
///
/// 1. Give [`Input::Start`] to [`step`](Self::step).
/// 2. Take every [`Output`] from [`poll`](Self::poll) and do it, in order.
/// 3. Wait for what happens to the process, or until [`next_wake`](Self::next_wake), and give it to `step`
///    (the latter as [`Input::Wake`]; a wake that comes early does nothing); go on at 2.
/// 4. When [`is_over`](Self::is_over), no process is left and nothing more will be asked.
///
/// `now` is the time since any fixed moment and never goes back. An input that has no meaning in a phase is
/// passed over: the table in `table.rs` and its snapshot say which.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    policy: Policy,
    phase: Phase,
    wake: Option<Duration>,
    misses: u32,
    /// Failures since it was last stable; sets the pause.
    failures: u32,
    ready_since: Option<Duration>,
    /// When it was started again, inside the window; never more than the budget.
    restarts: VecDeque<Duration>,
    outputs: VecDeque<Output>,
}

impl Lifecycle {
    /// A process that was not started yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            phase: Phase::New,
            wake: None,
            misses: 0,
            failures: 0,
            ready_since: None,
            restarts: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// True once nothing more will be asked.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::GaveUp | Phase::Stopped)
    }

    /// When to come back with [`Input::Wake`] although nothing happened.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        self.wake
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Takes what happened. `entropy` is any random number.
    pub fn step(&mut self, now: Duration, entropy: u64, input: Input) {
        if input == Input::Wake && self.wake.is_none_or(|wake| now < wake) {
            return;
        }
        match (self.phase, input) {
            (Phase::New, Input::Start) => self.start(now),
            (Phase::Pausing, Input::Wake) => {
                self.restarts.push_back(now);
                self.start(now);
            }
            (Phase::Starting, Input::Spawned) => self.tell(Notice::Starting),
            (Phase::Starting, Input::Proved) => self.become_ready(now),
            (Phase::Starting, Input::SpawnFailed) => {
                self.tell(Notice::Down(DownReason::CannotStart));
                self.fall(now, entropy);
            }
            (Phase::Starting, Input::Unproved) => self.kill(DownReason::Unproved),
            (Phase::Starting, Input::Wake) => self.kill(DownReason::NotReadyInTime),
            (Phase::Ready, Input::Wake) => {
                self.wake = None;
                self.outputs.push_back(Output::CheckHealth);
            }
            (Phase::Ready, Input::HealthGood) => {
                self.misses = 0;
                self.wake = Some(now + self.policy.watch.interval);
            }
            (Phase::Ready, Input::HealthMissed) => self.miss(now),
            (Phase::Starting | Phase::Ready, Input::Exited) => {
                self.forgive_if_stable(now);
                self.tell(Notice::Down(DownReason::Exited));
                self.fall(now, entropy);
            }
            (Phase::Killing, Input::Exited) => self.fall(now, entropy),
            (Phase::Starting | Phase::Ready, Input::Stop) => {
                self.enter(Phase::Stopping, Some(now + self.policy.stop_grace));
                self.outputs.push_back(Output::CloseStdin);
            }
            // The kill is under way already.
            (Phase::Killing, Input::Stop) => self.enter(Phase::Stopping, None),
            (Phase::Stopping, Input::Wake) => {
                self.wake = None;
                self.outputs.push_back(Output::Kill);
            }
            (Phase::Stopping, Input::SpawnFailed | Input::Exited)
            | (Phase::New | Phase::Pausing, Input::Stop) => self.enter(Phase::Stopped, None),
            _ => {}
        }
    }

    fn enter(&mut self, phase: Phase, wake: Option<Duration>) {
        self.phase = phase;
        self.wake = wake;
    }

    fn tell(&mut self, notice: Notice) {
        self.outputs.push_back(Output::Tell(notice));
    }

    fn start(&mut self, now: Duration) {
        self.enter(Phase::Starting, Some(now + self.policy.ready_timeout));
        self.outputs.push_back(Output::Spawn);
    }

    fn become_ready(&mut self, now: Duration) {
        self.enter(Phase::Ready, Some(now + self.policy.watch.interval));
        self.misses = 0;
        self.ready_since = Some(now);
        self.tell(Notice::Ready);
    }

    fn miss(&mut self, now: Duration) {
        self.misses += 1;
        if self.misses < self.policy.watch.misses {
            self.wake = Some(now + self.policy.watch.interval);
        } else {
            self.forgive_if_stable(now);
            self.kill(DownReason::Unhealthy);
        }
    }

    fn kill(&mut self, reason: DownReason) {
        self.enter(Phase::Killing, None);
        self.tell(Notice::Down(reason));
        self.outputs.push_back(Output::Kill);
    }

    fn forgive_if_stable(&mut self, now: Duration) {
        let stable_after = self.policy.budget.stable_after;
        if let Some(since) = self.ready_since.take()
            && now.saturating_sub(since) >= stable_after
        {
            self.failures = 0;
            self.restarts.clear();
        }
    }

    /// No process is left: pause for a restart, or give up.
    fn fall(&mut self, now: Duration, entropy: u64) {
        let budget = self.policy.budget;
        while let Some(&first) = self.restarts.front()
            && now.saturating_sub(first) >= budget.window
        {
            self.restarts.pop_front();
        }
        if self.restarts.len() >= budget.restarts as usize {
            self.enter(Phase::GaveUp, None);
            self.tell(Notice::GaveUp);
            return;
        }
        let pause = pause(self.policy.backoff, self.failures, entropy);
        self.failures = self.failures.saturating_add(1);
        self.enter(Phase::Pausing, Some(now + pause));
    }
}

/// Half of the doubled time is certain, the other half is chance.
fn pause(backoff: Backoff, failures: u32, entropy: u64) -> Duration {
    let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
    let whole = backoff.first.saturating_mul(factor).min(backoff.most);
    let chance = entropy as f64 / u64::MAX as f64;
    whole.mul_f64(0.5 + chance / 2.0)
}

#[cfg(test)]
mod tests;
