//! The table of planted bugs.

use std::fmt::Write as _;
use std::rc::Rc;

use crate::plan::Plan;
use crate::plant::Plant;
use crate::shrink::shrink;
use crate::world::World;

/// Seeds within which each planted bug must be found.
const SEEDS_MAX: u64 = 2_000;
/// Runs that a find is shortened with, at most.
const SHRINK_RUNS: u32 = 200;

/// How a planted bug was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlantRow {
    /// Which.
    pub plant: Plant,
    /// The first seed that shows it.
    pub seed: u64,
    /// The property that it breaks.
    pub property: &'static str,
    /// Faults and operations of the shortest schedule found.
    pub shortest: (usize, usize),
}

/// Finds a planted bug. None if no seed shows it.
#[must_use]
pub fn find_plant(plant: Plant) -> Option<PlantRow> {
    (0..SEEDS_MAX).find_map(|seed| {
        let plan = Plan::of(seed);
        let outcome = World::new(&Rc::new(plan.clone()), Some(plant), false).run();
        let property = outcome.broken?.property;
        let shortest = shrink(plan, Some(plant), SHRINK_RUNS).map_or((0, 0), |found| {
            (found.plan.faults.len(), found.plan.operations.len())
        });
        Some(PlantRow {
            plant,
            seed,
            property,
            shortest,
        })
    })
}

/// The table, as it stands in `docs/simulation.md`.
#[must_use]
pub fn plant_table(rows: &[PlantRow]) -> String {
    let mut text = String::from(
        "| planted bug | what it does | found by | seeds | shortest schedule |\n|---|---|---|---|---|\n",
    );
    for row in rows {
        let (faults, operations) = row.shortest;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {faults} faults, {operations} operations |",
            row.plant,
            row.plant.breaks(),
            row.property,
            row.seed + 1,
        );
    }
    text
}
