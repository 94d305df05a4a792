//! A failure, as a person reads it.

use std::fmt::Write as _;

use crate::agenda::MILLI;
use crate::checkers::Broken;
use crate::plan::Plan;
use crate::plant::Plant;
use crate::shrink::{Shrunk, shrink};
use crate::world::Outcome;

/// Runs that a failure is shortened with, at most.
const SHRINK_RUNS: u32 = 400;

/// Everything that helps to understand a failure: the property, the command that repeats it, the shortest
/// schedule found, and the last steps of its story.
#[must_use]
pub fn failure(seed: u64, plant: Option<Plant>, outcome: Outcome) -> String {
    let Some(broken) = outcome.broken.clone() else {
        return String::new();
    };
    let shrunk = shrink(Plan::of(seed), plant, SHRINK_RUNS).unwrap_or(Shrunk {
        plan: Plan::of(seed),
        outcome,
        tries: 0,
    });
    told(seed, plant, &broken, &shrunk)
}

fn told(seed: u64, plant: Option<Plant>, broken: &Broken, shrunk: &Shrunk) -> String {
    let mut text = String::new();
    let short = shrunk.outcome.broken.as_ref().unwrap_or(broken);
    let planted = plant
        .map(|plant| format!(" --plant {plant}"))
        .unwrap_or_default();
    let plan = &shrunk.plan;
    let steps = shrunk.outcome.story.join("\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "seed {seed} breaks a property: {}", broken.property);
    let _ = writeln!(text, "  {}", broken.detail);
    let _ = writeln!(text, "repeat it: cargo xtask sim --seed {seed}{planted}");
    let _ = writeln!(
        text,
        "\nthe shortest schedule found, in {} runs: {} faults, {} operations, {} ms of faults",
        shrunk.tries,
        plan.faults.len(),
        plan.operations.len(),
        plan.chaos / MILLI
    );
    for timed in &plan.faults {
        let _ = writeln!(text, "  at {:>6} ms  {}", timed.at / MILLI, timed.fault);
    }
    for operation in &plan.operations {
        let _ = writeln!(text, "  at {:>6} ms  {operation}", operation.at / MILLI);
    }
    let _ = writeln!(text, "\nwith it: {}", short.detail);
    let _ = writeln!(text, "\nthe last steps of its story:\n{steps}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::Coverage;
    use crate::plan::{CrashPoint, Fault, Timed};
    use crate::story::{Step, Story};

    fn shrunk(broken: &Broken) -> Shrunk {
        let mut plan = Plan::of(3);
        plan.chaos = 4_000_000;
        plan.operations.truncate(2);
        plan.faults = vec![Timed {
            at: 1_500_000,
            fault: Fault::DaemonCrash {
                daemon: 0,
                point: CrashPoint::CommitApplied,
                down: 250_000,
            },
        }];
        let mut story = Story::new(false);
        let applied = Step::Applied {
            daemon: 0,
            epoch: 1,
            commit: 7,
            mutations: 3,
        };
        story.tell(
            1_400_250,
            Step::Token {
                attempt: 2,
                index: 5,
            },
        );
        story.tell(1_500_100, applied);
        story.tell(1_500_100, Step::Said("daemon A: is killed".to_owned()));
        story.tell(
            1_500_100,
            Step::Said(format!("BROKEN: {}: {}", broken.property, broken.detail)),
        );
        let outcome = Outcome {
            steps: story.told(),
            virtual_time: 1_500_100,
            trace: story.hash(),
            broken: Some(broken.clone()),
            story: story.last(),
            whole: Vec::new(),
            coverage: Coverage::default(),
        };
        Shrunk {
            plan,
            outcome,
            tries: 37,
        }
    }

    #[test]
    fn a_failure_says_what_broke_how_to_repeat_it_and_how_it_came_about() {
        let broken = Broken {
            property: "slots never exceeded",
            detail: "pool-0-0 has 1 slots and 2 attempts".to_owned(),
        };
        let text = told(3, Some(Plant::TornCommit), &broken, &shrunk(&broken));
        insta::assert_snapshot!(text);
    }
}
