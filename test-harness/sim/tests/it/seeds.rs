//! Two thousand seeds, none of which breaks anything, and which together exercise all there is.

use std::num::NonZeroUsize;
use std::rc::Rc;

use test_harness_sim::report::{failure, run_series};
use test_harness_sim::{Plan, World};

#[test]
fn two_thousand_seeds_break_nothing_and_exercise_everything() {
    let jobs = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let series = run_series(0..2_000, None, jobs, |_, _| true);
    assert_eq!(series.seeds, 2_000);
    if let Some((seed, outcome)) = series.failures.into_iter().next() {
        panic!("{}", failure(seed, None, outcome));
    }
    let missing = series.coverage.missing();
    assert!(
        missing.is_empty(),
        "not exercised by any of these seeds: {missing:?}"
    );
    let needless = series.coverage.needlessly_excused();
    assert!(
        needless.is_empty(),
        "excused in coverage/expected.rs and exercised all the same: {needless:?}"
    );
}

#[test]
fn a_seed_tells_the_same_story_each_time() {
    let told = |seed| {
        let outcome = World::new(&Rc::new(Plan::of(seed)), None, false).run();
        (outcome.trace, outcome.steps, outcome.virtual_time)
    };
    for seed in [3, 14, 159, 265] {
        let once = told(seed);
        assert_eq!(once, told(seed), "seed {seed}");
        assert_ne!(once.0, told(seed + 1).0, "seeds differ");
    }
}
