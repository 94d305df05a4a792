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
