//! What the store's answers do to the owner: letting out, trying again, stepping down, recovering.

use std::collections::BTreeSet;
use std::sync::Arc;

use orchestrator_core::entropy::Entropy;
use orchestrator_core::key::KeyStanding;
use orchestrator_core::machine::Machine;
use orchestrator_core::queue::ClassName;
use orchestrator_core::time::{Now, WallMs};
use store::{Loaded, ReadError};

use super::flight::{Fall, StoreAnswer, Verdict};
use super::outlet::Notice;
use super::release::Release;
use super::state::{OwnerState, Phase};
use super::term::Term;
use super::view::LiveView;

impl OwnerState {
    /// Takes in what the store answered to the last call.
    pub fn store_answer(&mut self, now: Now, entropy: &mut dyn Entropy, answer: StoreAnswer) {
        if let StoreAnswer::Loaded(loaded) = answer {
            self.loaded(now, entropy, loaded);
            return;
        }
        let Phase::Serving(term) = &mut self.phase else {
            return;
        };
        let Some(flight) = &mut term.flight else {
            return;
        };
        let verdict = match answer {
            StoreAnswer::Committed(outcome) => flight.committed(now, &self.limits, outcome),
            StoreAnswer::Probed(outcome) => flight.probed(now, &self.limits, outcome),
            StoreAnswer::Loaded(_) => return,
        };
        let commit_seq = flight.commit.commit_seq;
        match verdict {
            Verdict::Durable => self.landed(),
            Verdict::DurableAs(epoch) => {
                term.epoch = epoch;
                term.machine.set_epoch(epoch);
                self.notice(Notice::CommitResolved {
                    commit_seq,
                    applied: true,
                    epoch,
                });
                self.landed();
            }
            Verdict::AgainAs(epoch) => {
                term.epoch = epoch;
                term.machine.set_epoch(epoch);
                self.notice(Notice::CommitResolved {
                    commit_seq,
                    applied: false,
                    epoch,
                });
            }
            Verdict::Again(notice) => {
                if let Notice::CommitDelayed { detail, .. } | Notice::CommitUnknown { detail, .. } =
                    &notice
                {
                    self.trouble(detail.clone(), true);
                }
                self.notice(notice);
            }
            Verdict::Down(fall) => self.step_down(now, &fall),
        }
    }

    /// The end: whoever still waits is told so, and nothing is taken in any more. To be called when
    /// everything is settled, or when the store no longer answers.
    pub fn stop(&mut self) {
        let fall = Fall {
            detail: "the daemon is stopping".to_owned(),
            alarm: false,
            may_be_durable: true,
        };
        self.end_term(&fall);
        self.phase = Phase::Stopped;
        self.show(Arc::new(LiveView {
            serving: false,
            ..LiveView::clone(&self.view)
        }));
    }

    pub(super) fn begin_term(&mut self, now: Now, loaded: Loaded) {
        let term = Term::begin(self.config.clone(), now, loaded);
        self.notice(Notice::Recovered {
            epoch: term.epoch,
            live_tasks: term.machine.live_count(),
        });
        let retired = [
            retired(&term.machine),
            retired_of_keys(&term.machine, now.wall),
        ];
        for notice in retired.into_iter().flatten() {
            self.notice(notice);
        }
        self.doubts
            .recovered(now, |task| term.machine.is_live(task));
        // Callers are let in by what is durable from the first moment on, not from the first batch on.
        self.view = Arc::new(LiveView {
            keys: term.machine.keys().clone(),
            ..LiveView::clone(&self.view)
        });
        self.phase = Phase::Serving(Box::new(term));
    }

    fn landed(&mut self) {
        let Phase::Serving(term) = &mut self.phase else {
            return;
        };
        let Some(flight) = term.land() else {
            return;
        };
        self.recoveries_vain = 0;
        self.releases.push_back(Release::Committed(flight.commit));
        self.let_out(flight.held);
    }

    fn loaded(
        &mut self,
        now: Now,
        entropy: &mut dyn Entropy,
        loaded: Result<Box<Loaded>, ReadError>,
    ) {
        match loaded {
            Ok(loaded) => {
                self.begin_term(now, *loaded);
                self.facts.forget_told();
                while self.tell_fact(now, entropy) {}
            }
            Err(ReadError(detail)) => {
                self.trouble(detail.clone(), false);
                self.notice(Notice::RecoveryFailed { detail });
                self.rest(now);
            }
        }
    }

    fn step_down(&mut self, now: Now, fall: &Fall) {
        self.end_term(fall);
        self.trouble(fall.detail.clone(), false);
        self.notice(Notice::SteppedDown {
            detail: fall.detail.clone(),
            alarm: fall.alarm,
        });
        self.rest(now);
    }

    /// Drops the machine and everything that is not durable, but for what may be.
    fn end_term(&mut self, fall: &Fall) {
        if let Phase::Serving(term) = std::mem::replace(&mut self.phase, Phase::Loading) {
            let farewells = term.farewells(fall);
            // Another owner may have a term before this one has its next, and end what this one holds, or was about to
            // end itself.
            self.doubts.add(term.machine.records().map(|row| row.id));
            self.doubts.add(term.open.ended.into_keys());
            if let Some(flight) = term.flight {
                self.doubts.add(flight.ended.into_keys());
            }
            self.releases.extend(
                farewells
                    .into_iter()
                    .map(|(token, why)| Release::Reply(token, Err(why))),
            );
        }
    }

    fn rest(&mut self, now: Now) {
        let pause = self.limits.recovery_pause(self.recoveries_vain);
        self.recoveries_vain += 1;
        self.phase = Phase::Resting(now.mono + pause);
    }

    /// Shows what is wrong with the store, over what was shown last.
    fn trouble(&mut self, detail: String, serving: bool) {
        self.show(Arc::new(LiveView {
            serving,
            store_trouble: Some(detail),
            ..LiveView::clone(&self.view)
        }));
    }
}

/// What there is to say of tasks whose classes are configured no more.
fn retired(machine: &Machine) -> Option<Notice> {
    let tasks = machine.retired_count();
    let retired = machine.classes().iter().filter(|class| !class.configured);
    (tasks > 0).then(|| Notice::ClassesRetired {
        classes: retired.map(|class| class.config.name).collect(),
        tasks,
    })
}

/// What there is to say of keys in force whose highest class is configured no more.
fn retired_of_keys(machine: &Machine, now: WallMs) -> Option<Notice> {
    let keys = machine.keys().iter();
    let retired: Vec<ClassName> = keys
        .filter(|key| key.standing(now) == KeyStanding::Active)
        .map(|key| key.class_max)
        .filter(|class| !machine.classes().is_configured(*class))
        .collect();
    let classes: BTreeSet<ClassName> = retired.iter().copied().collect();
    (!retired.is_empty()).then(|| Notice::ClassesRetiredOfKeys {
        classes: classes.into_iter().collect(),
        keys: retired.len(),
    })
}
