//! What is wrong with the world itself is seen, so a run that sees nothing says something.

use test_harness_chaos::{Plan, Report, Sabotage, judge_kept, run};

async fn sabotaged(how: Sabotage) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        kills: 8,
        seed: 1,
        kills_per_round: 8,
        limit: None,
        evidence: Some(folder.path().to_owned()),
        keep: false,
        sabotage: Some(how),
    };
    let report = run(&plan, |line| println!("{line}")).await.unwrap();
    let evidence = report.evidence.as_ref().expect("something is broken");
    for name in ["broken.txt", "daemon.log", "history.jsonl", "schedule.txt"] {
        assert!(evidence.join(name).is_file(), "{name}: {report}");
    }
    let names = std::fs::read_dir(evidence).unwrap();
    let story = names.filter_map(Result::ok).find(|entry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("story-")
    });
    let story = std::fs::read_to_string(story.expect("a task is broken").path()).unwrap();
    assert!(story.contains("daemon 0 is KILLED"), "{story}");
    // The history that was kept says the same as the one that was made.
    let again = judge_kept(&evidence.join("history.jsonl")).unwrap();
    let told: Vec<String> = again.iter().map(ToString::to_string).collect();
    assert!(report.broken.starts_with(&told), "{told:#?} {report}");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_forgets_loses_what_was_acknowledged() {
    let report = sabotaged(Sabotage::ForgetfulDisk).await;
    assert!(report.figures.harms["lost"] > 0, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_lies_splices() {
    let report = sabotaged(Sabotage::LyingWire).await;
    assert!(report.figures.harms["spliced"] > 0, "{report}");
}
