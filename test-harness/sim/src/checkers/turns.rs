//! Models that share a process take turns within the bound.

use std::collections::BTreeMap;

use orchestrator_core::id::{ProcessName, ReplicaName};
use orchestrator_core::machine::Machine;
use orchestrator_core::placement::{ReplicaFacts, ReplicaViewState};
use orchestrator_core::time::MonoMs;

use super::book::Book;
use super::court::Checker;
use super::order::surely_before;
use super::processes::process_of;
use super::queue_view::{Looked, QueueView, Waiter};
use super::sight::Sight;
use crate::plan::{Bands, Setup};
use crate::story::Name;

/// Watches who goes before whom for the sake of a model that is loaded. The rule is written down here a second time, for
/// those who could have run in no other process that is shared: whom one is kept for there, others may pass.
#[derive(Debug)]
pub(super) struct Turns {
    ageing_ms: u64,
    most: u64,
    /// Of each daemon.
    bands: Vec<Bands>,
    /// Of the replicas that share one.
    process_of: BTreeMap<ReplicaName, ProcessName>,
    view: QueueView,
    terms: BTreeMap<usize, Term>,
}

/// What is known of one daemon's term.
#[derive(Debug, Default)]
struct Term {
    /// The replicas that took work at the last look.
    ready: BTreeMap<ReplicaName, ReplicaFacts>,
    runs: BTreeMap<ProcessName, Run>,
}

/// What a process did last.
#[derive(Debug, Default)]
struct Run {
    held: Option<ReplicaName>,
    /// Tokens that surely went before somebody.
    passed: u64,
}

impl Turns {
    pub(super) fn new(setup: &Setup) -> Self {
        let all = process_of(setup);
        let shares =
            |process: &ProcessName| all.values().filter(|other| *other == process).count() > 1;
        let mut shared = all.clone();
        shared.retain(|_, process| shares(process));
        Self {
            ageing_ms: setup.machine.ageing_ms,
            most: setup.machine.policy.model_run_tokens_max.into(),
            bands: setup.bands(),
            process_of: shared,
            view: QueueView::default(),
            terms: BTreeMap::new(),
        }
    }

    /// Looks at what the processes took since the last look.
    fn judge(
        &self,
        term: &mut Term,
        bands: &Bands,
        now: MonoMs,
        looked: &Looked,
        ready: &BTreeMap<ReplicaName, ReplicaFacts>,
    ) -> Result<(), String> {
        let mut took: BTreeMap<&ProcessName, Vec<(&Waiter, &ReplicaFacts)>> = BTreeMap::new();
        for (runs, facts) in &looked.dispatched {
            if let Some(process) = self.process_of.get(&facts.name) {
                took.entry(process).or_default().push((runs, facts));
            }
        }
        for (process, took) in took {
            let run = term.runs.entry(process.clone()).or_default();
            let replica = &took[0].1.name;
            if took.iter().any(|(_, facts)| facts.name != *replica) {
                // Between two looks the model changed; who went before whom is not to be told.
                *run = Run::default();
                continue;
            }
            let mut passing = 0;
            let mut in_order = false;
            for (runs, facts) in &took {
                let passes = looked.waiting.iter().find(|waits| {
                    surely_before(bands, self.ageing_ms, now, waits, runs)
                        && self.could_only_here(waits, facts, process, &term.ready, ready)
                });
                let Some(waits) = passes else {
                    in_order = true;
                    continue;
                };
                self.may_pass(bands, now, waits, runs).map_err(|why| {
                    format!(
                        "{} goes before {} on {}: {why}",
                        Name(runs.task),
                        Name(waits.task),
                        facts.name
                    )
                })?;
                passing += u64::from(runs.cost);
            }
            let changed = run.held.as_ref().is_some_and(|held| held != replica);
            run.held = Some(replica.clone());
            if in_order {
                run.passed = 0;
                continue;
            }
            run.passed += passing;
            if changed {
                return Err(format!(
                    "{process} changed to the model of {replica} for one who was not the first"
                ));
            }
            if run.passed > self.most {
                return Err(format!(
                    "{process} served {} tokens out of order for the sake of {replica}",
                    run.passed
                ));
            }
        }
        Ok(())
    }

    /// Could a task have had the process, with another replica of it that was there all the time, and no other process?
    fn could_only_here(
        &self,
        waits: &Waiter,
        facts: &ReplicaFacts,
        process: &ProcessName,
        before: &BTreeMap<ReplicaName, ReplicaFacts>,
        ready: &BTreeMap<ReplicaName, ReplicaFacts>,
    ) -> bool {
        let lives = |name: &ReplicaName| self.process_of.get(name);
        let here = ready.iter().any(|(name, other)| {
            lives(name) == Some(process) && waits.fits(other) && before.get(name) == Some(other)
        });
        let mut known = ready.iter().chain(before);
        let elsewhere = known.any(|(name, other)| {
            lives(name).is_some_and(|other| other != process) && waits.fits(other)
        });
        here && !elsewhere && !waits.fits(facts)
    }

    fn may_pass(
        &self,
        bands: &Bands,
        now: MonoMs,
        waits: &Waiter,
        runs: &Waiter,
    ) -> Result<(), String> {
        let is_due = |waiter: &Waiter| waiter.is_due(self.ageing_ms, now);
        if is_due(waits) {
            return Err("that one is due".to_owned());
        }
        let band = |waiter: &Waiter| bands.of(waiter.priority, is_due(waiter));
        if band(waits) != band(runs) {
            return Err("that one is in a band before".to_owned());
        }
        Ok(())
    }
}

/// The replicas that take work, and are not held.
fn ready_of(machine: &Machine) -> BTreeMap<ReplicaName, ReplicaFacts> {
    let pools = machine.pools().into_iter();
    let replicas = pools
        .filter(|pool| !pool.paused)
        .flat_map(|pool| pool.replicas);
    let ready = replicas.filter(|replica| replica.state == ReplicaViewState::Ready);
    ready
        .filter_map(|replica| Some((replica.name, replica.facts?)))
        .collect()
}

impl Checker for Turns {
    fn property(&self) -> &'static str {
        "models take turns"
    }

    fn promise(&self) -> &'static str {
        "a process changes its model for the first in the order only, and the model that it holds goes before others \
         in their band for the bound at most, and before none that is due"
    }

    fn see(&mut self, sight: &Sight<'_>, _book: &Book) -> Result<(), String> {
        if let Sight::Term { daemon, .. } = sight {
            self.terms.insert(*daemon, Term::default());
        }
        let Some(looked) = self.view.look(sight) else {
            return Ok(());
        };
        let Sight::Machine {
            daemon,
            now,
            machine,
            ..
        } = sight
        else {
            return Ok(());
        };
        if self.process_of.is_empty() {
            return Ok(());
        }
        let ready = ready_of(machine);
        let mut term = self.terms.remove(daemon).unwrap_or_default();
        let judged = self.judge(&mut term, &self.bands[*daemon], now.mono, &looked, &ready);
        term.ready = ready;
        self.terms.insert(*daemon, term);
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::testing::{Bench, one_process};

    #[test]
    fn a_model_that_goes_on_beyond_the_bound_is_seen() {
        let mut setup = one_process();
        setup.machine.policy.model_run_tokens_max = 0;
        let mut told = setup.clone();
        let seen = Bench::models_take_turns(&told, &mut Turns::new(&setup));
        assert_eq!(seen, Ok(()));
        told.machine.policy.model_run_tokens_max = u32::MAX;
        let seen = Bench::models_take_turns(&told, &mut Turns::new(&setup));
        assert!(seen.unwrap_err().contains("out of order"));
    }
}
