//! The whole of what is decided before a run.

use super::fault::Fault;
use super::operation::Operation;
use super::setup::Setup;
use super::{act, batches, bulks, classes, draw_faults, draw_operations, processes, sessions};
use crate::agenda::Micros;
use crate::chance::{Chance, Lane};

/// One fault with its moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// When.
    pub at: Micros,
    /// What.
    pub fault: Fault,
}

/// Everything that is decided before a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed, which also feeds what is drawn while the world runs.
    pub seed: u64,
    /// The deployment.
    pub setup: Setup,
    /// What clients want, by time.
    pub operations: Vec<Operation>,
    /// What goes wrong, by time.
    pub faults: Vec<Timed>,
    /// When everything is mended.
    pub chaos: Micros,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed, Lane::Setup);
        let chaos = chance.within((8, 60)) * crate::agenda::SECOND;
        let mut terms = Chance::new(seed, Lane::Terms);
        let mut setup = Setup::draw(&mut chance);
        setup.draw_terms(&mut terms);
        let mut operations =
            draw_operations::draw(&mut Chance::new(seed, Lane::Operations), &setup, chaos);
        draw_operations::draw_terms(&mut terms, &setup, chaos, &mut operations);
        let mut later = Chance::new(seed, Lane::Later);
        setup.draw_later(&mut later);
        draw_operations::draw_later(&mut later, &setup, chaos, &mut operations);
        let mut acts = Chance::new(seed, Lane::Acts);
        act::draw(&mut acts, &mut setup, chaos, &mut operations);
        let mut many = Chance::new(seed, Lane::Bulks);
        bulks::draw(&mut many, &setup, chaos, &mut operations);
        let mut classes = Chance::new(seed, Lane::Classes);
        classes::draw(&mut classes, &mut setup, &mut operations);
        batches::draw(
            &mut Chance::new(seed, Lane::Batches),
            &mut setup,
            &mut operations,
        );
        processes::draw(&mut Chance::new(seed, Lane::Processes), &mut setup);
        sessions::draw(
            &mut Chance::new(seed, Lane::Sessions),
            &setup,
            chaos,
            &mut operations,
        );
        let faults = draw_faults::draw(&mut Chance::new(seed, Lane::Faults), &setup, chaos);
        Self {
            seed,
            setup,
            operations,
            faults,
            chaos,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_in_order_of_time_and_ends_with_the_chaos() {
        for seed in 0..50 {
            let plan = Plan::of(seed);
            assert!(plan.faults.is_sorted_by_key(|timed| timed.at));
            assert!(plan.operations.is_sorted_by_key(|operation| operation.at));
            assert!(plan.faults.iter().all(|timed| timed.at < plan.chaos));
        }
    }
}
