//! Ten kills under load, and nothing is lost, doubled, spliced, stuck or untrue.

use test_harness_chaos::{Plan, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_under_load_break_nothing() {
    let plan = Plan {
        kills: 10,
        seed: 4,
        kills_per_round: 10,
        limit: None,
        evidence: None,
        keep: false,
        sabotage: None,
    };
    let report = run(&plan, |line| println!("{line}")).await.unwrap();
    assert!(report.broken.is_empty(), "{report}");
    // A run that did little proves little.
    let figures = &report.figures;
    assert!(report.killed >= 10, "{report}");
    assert!(figures.acknowledged >= 20, "{report}");
    assert!(figures.further_attempts > 0, "{report}");
    assert!(figures.resumes > 0, "{report}");
    let ended: u64 = figures.ended.values().sum();
    assert_eq!(ended, figures.acknowledged, "{report}");
    assert!(figures.ended.contains_key("completed"), "{report}");
}
