//! What commits bring, counted by counters that are looked for once: each commit comes by here, and to look for a counter
//! takes longer than to count.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use metrics::{Counter, counter};
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::Engine;

use super::meter::ANY_ENGINE;
use crate::names;

/// The counters of commits.
pub(super) struct Commits {
    commits: Counter,
    mutations: Counter,
    /// One for each engine that is asked for, and each class. Both are few.
    enqueued: Mutex<HashMap<(Option<Engine>, ClassName), Counter>>,
}

impl Commits {
    /// Counters of the recorder that is installed.
    pub(super) fn new() -> Self {
        Self {
            commits: counter!("store_commits_total"),
            mutations: counter!("store_mutations_total"),
            enqueued: Mutex::default(),
        }
    }

    /// One more commit, of so many mutations, with these tasks, by the engine and the class that they ask for.
    pub(super) fn add(
        &self,
        mutations: usize,
        tasks: impl Iterator<Item = (Option<Engine>, ClassName)>,
    ) {
        self.commits.increment(1);
        self.mutations.increment(mutations as u64);
        let mut enqueued = self.enqueued.lock().unwrap_or_else(PoisonError::into_inner);
        for (engine, priority) in tasks {
            let counter = enqueued.entry((engine, priority)).or_insert_with(|| {
                let engine = engine.map_or(ANY_ENGINE, names::engine);
                counter!("tasks_enqueued_total", "engine" => engine, "priority" => priority.to_string())
            });
            counter.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics::with_local_recorder;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn commits_are_counted_and_tasks_by_what_they_ask_for() {
        let recorder = PrometheusBuilder::new().build_recorder();
        with_local_recorder(&recorder, || {
            let commits = Commits::new();
            let (any, batch) = (None, ClassName::BATCH);
            let asked = (Some(Engine::Llamacpp), batch);
            commits.add(7, [(any, batch), asked, (any, batch)].into_iter());
            commits.add(2, [(any, ClassName::INTERACTIVE)].into_iter());
            commits.add(1, [].into_iter());
        });
        let rendered = recorder.handle().render();
        let mut counts: Vec<&str> = rendered
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .collect();
        counts.sort_unstable();
        insta::assert_snapshot!(counts.join("\n"), @r#"
        store_commits_total 3
        store_mutations_total 10
        tasks_enqueued_total{engine="any",priority="batch"} 2
        tasks_enqueued_total{engine="any",priority="interactive"} 1
        tasks_enqueued_total{engine="llamacpp",priority="batch"} 1
        "#);
    }
}
