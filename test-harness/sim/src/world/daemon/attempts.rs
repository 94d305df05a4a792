//! Attempts under way: the product's own state for each, driven by events.

use std::collections::VecDeque;
use std::sync::Arc;

use orchestrator_core::effect::AttemptOrder;
use orchestrator_core::id::AttemptId;
use orchestratord::run::attempt::{
    AttemptInput, AttemptOutput, AttemptReport, AttemptState, Durable,
};
use orchestratord::stream::TaskStream;
use store::ReadError;
use worker_adapter::RunnerEvent;

use super::host::Host;
use super::reads::Pending;
use crate::agenda::Micros;
use crate::checkers::Sight;
use crate::story::Step;
use crate::world::World;
use crate::world::event::DaemonEvent;

/// One attempt that a process follows.
pub(crate) struct Followed {
    pub(crate) state: AttemptState,
    /// True once it was told to stop.
    pub(crate) stopped: bool,
    /// The generation whose events it takes.
    pub(crate) serial: u64,
    /// A report that waits for a place, and with it everything after it.
    blocked: Option<AttemptReport>,
    /// What the runner has told and the state has not taken.
    events: VecDeque<(u64, RunnerEvent)>,
    /// True once the runner tells no more.
    gone: bool,
    timer_at: Option<Micros>,
}

impl World {
    /// Follows an attempt that has begun to write a stream.
    pub(super) fn follow(&mut self, host: &mut Host, order: AttemptOrder, stream: Arc<TaskStream>) {
        let attempt = order.attempt;
        self.see(&Sight::Runs {
            daemon: host.daemon,
            attempt,
        });
        let followed = Followed {
            state: AttemptState::new(order, stream),
            stopped: false,
            serial: 0,
            blocked: None,
            events: VecDeque::new(),
            gone: false,
            timer_at: None,
        };
        host.attempts.insert(attempt, followed);
        self.drive_attempt(host, attempt);
    }

    /// Tells an attempt that it has been stopped, as soon as no report of it waits.
    pub(super) fn stop_attempt(&mut self, host: &mut Host, attempt: AttemptId) {
        let Some(followed) = host.attempts.get_mut(&attempt) else {
            return;
        };
        followed.stopped = true;
        if followed.blocked.is_none() {
            self.input(host, attempt, AttemptInput::Cancelled);
        }
    }

    /// Something happened to an attempt. What has to wait for a report's place waits with it.
    pub(super) fn input(&mut self, host: &mut Host, attempt: AttemptId, input: AttemptInput) {
        let now = host.now(self.now);
        let Some(followed) = host.attempts.get_mut(&attempt) else {
            return;
        };
        followed.state.step(now, input);
        self.drive_attempt(host, attempt);
    }

    /// The runner has something of an attempt.
    pub(crate) fn runner_event(
        &mut self,
        host: &mut Host,
        attempt: AttemptId,
        serial: u64,
        (offset, event): (u64, RunnerEvent),
    ) {
        let Some(followed) = host.attempts.get_mut(&attempt) else {
            return;
        };
        if followed.serial != serial {
            return;
        }
        followed.events.push_back((offset, event));
        self.take_events(host, attempt);
        self.pump(host);
    }

    /// The runner tells an attempt no more.
    pub(crate) fn runner_gone(&mut self, host: &mut Host, attempt: AttemptId, serial: u64) {
        let Some(followed) = host.attempts.get_mut(&attempt) else {
            return;
        };
        if followed.serial != serial {
            return;
        }
        followed.gone = true;
        self.take_events(host, attempt);
        self.pump(host);
    }

    /// Takes what the runner has told, in order, for as long as no report waits for its place.
    fn take_events(&mut self, host: &mut Host, attempt: AttemptId) {
        while let Some(followed) = host.attempts.get_mut(&attempt)
            && followed.blocked.is_none()
            && let Some((offset, event)) = followed.events.pop_front()
        {
            if matches!(event, RunnerEvent::Token(_)) {
                let step = Step::Token {
                    attempt: self.story.attempt(attempt),
                    index: offset,
                };
                self.story.tell(self.now, step);
            }
            self.input(host, attempt, AttemptInput::Event { offset, event });
        }
        let gone = host
            .attempts
            .get(&attempt)
            .is_some_and(|followed| followed.gone && followed.blocked.is_none());
        if gone {
            self.input(host, attempt, AttemptInput::RunnerGone);
        }
    }

    pub(crate) fn attempt_timer(&mut self, host: &mut Host, attempt: AttemptId) {
        let Some(followed) = host.attempts.get_mut(&attempt) else {
            return;
        };
        followed.timer_at = None;
        // While a report waits for its place nothing else goes on; the timer is set again after that.
        if followed.blocked.is_none() {
            self.input(host, attempt, AttemptInput::Tick);
        }
        self.pump(host);
    }

    /// There may be places for reports again.
    pub(super) fn unblock_attempts(&mut self, host: &mut Host) {
        let blocked: Vec<AttemptId> = host
            .attempts
            .iter()
            .filter(|(_, followed)| followed.blocked.is_some())
            .map(|(attempt, _)| *attempt)
            .collect();
        for attempt in blocked {
            self.drive_attempt(host, attempt);
            self.take_events(host, attempt);
        }
    }

    /// Carries out what an attempt wants done, as far as the lane of reports has places.
    fn drive_attempt(&mut self, host: &mut Host, attempt: AttemptId) {
        loop {
            let places = self.plan.setup.limits.report_lane;
            let full = host.lanes.reports() >= places;
            let Some(followed) = host.attempts.get_mut(&attempt) else {
                return;
            };
            if let Some(report) = followed.blocked.take() {
                if full {
                    followed.blocked = Some(report);
                    return;
                }
                self.tell_owner(host, attempt, report);
                continue;
            }
            let now = host.clock.now(self.now);
            if followed.stopped && !followed.state.is_over() {
                // The cancel came while a report waited; it counts before whatever else happens.
                followed.state.step(now, AttemptInput::Cancelled);
            }
            let Some(output) = followed.state.poll() else {
                break;
            };
            match output {
                AttemptOutput::Report(report) => {
                    let shows = matches!(report, AttemptReport::Running);
                    followed.blocked = Some(report);
                    if shows {
                        self.see(&Sight::Shown { attempt });
                    }
                }
                other => self.attempt_output(host, attempt, other),
            }
        }
        self.set_attempt_timer(host, attempt);
        let over = host
            .attempts
            .get(&attempt)
            .is_some_and(|followed| followed.state.is_over());
        if over {
            host.attempts.remove(&attempt);
            host.roster.over(attempt);
        }
    }

    fn attempt_output(&mut self, host: &mut Host, attempt: AttemptId, output: AttemptOutput) {
        match output {
            AttemptOutput::Ack(_) | AttemptOutput::Report(_) => {}
            AttemptOutput::Cancel => self.cancel_generation(host, attempt),
            AttemptOutput::Read { text } => {
                self.read(host, Pending::Attempt { attempt, text });
            }
            AttemptOutput::Start(generation) => {
                let order = host
                    .attempts
                    .get(&attempt)
                    .map(|one| one.state.order().clone());
                let Some(order) = order else {
                    return;
                };
                match self.start_generation(host, &order, *generation) {
                    Ok(serial) => {
                        if let Some(followed) = host.attempts.get_mut(&attempt) {
                            followed.serial = serial;
                        }
                        self.input(host, attempt, AttemptInput::Started(Ok(())));
                    }
                    Err(error) => {
                        self.input(host, attempt, AttemptInput::Started(Err(error)));
                    }
                }
            }
            AttemptOutput::Suspect(replica) => {
                let index = self
                    .engines
                    .iter()
                    .position(|one| one.setup.name == replica);
                if let Some(replica) = index {
                    self.send_host(host, 500, DaemonEvent::Health { replica });
                }
            }
        }
    }

    fn tell_owner(&mut self, host: &mut Host, attempt: AttemptId, report: AttemptReport) {
        if report.is_end() {
            self.see(&Sight::Reported {
                daemon: host.daemon,
                attempt,
                report: &report,
            });
        }
        let (report, text) = report.into_report(attempt);
        host.report(report, text);
    }

    fn set_attempt_timer(&mut self, host: &mut Host, attempt: AttemptId) {
        let clock = host.clock;
        let now = self.now;
        let Some(followed) = host.attempts.get_mut(&attempt) else {
            return;
        };
        let Some(wake) = followed.state.next_wake() else {
            return;
        };
        let at = clock.when(wake).max(now + 1);
        if followed.timer_at.is_none_or(|set| set > at) {
            followed.timer_at = Some(at);
            self.send_host_at(host, at, DaemonEvent::AttemptTimer(attempt));
        }
    }

    /// What the store gave an attempt.
    pub(super) fn attempt_read(
        &mut self,
        host: &mut Host,
        attempt: AttemptId,
        read: Result<Durable, ReadError>,
    ) {
        self.input(host, attempt, AttemptInput::Read(read));
        self.pump(host);
    }
}
