//! The haiku protocol, and that nobody has prepared its answer.

use std::path::{Path, PathBuf};
use std::process::Command;

use api_client::types::TaskCreateRequest;
use serde_json::json;
use test_harness_e2e_haiku::haiku::Theme;
use test_harness_e2e_haiku::watch::{Story, watch};

use crate::world::{World, eventually};

/// One poem about the minute that it is. If the minute changes meanwhile there is one more try.
async fn poem(world: &World) -> (Theme, Story) {
    let first = ask(world).await;
    if first.0.is_current() {
        return first;
    }
    ask(world).await
}

async fn ask(world: &World) -> (Theme, Story) {
    let theme = Theme::of_this_minute();
    let body = json!({ "input": { "kind": "prompt", "prompt": theme.prompt() } });
    let request: TaskCreateRequest = serde_json::from_value(body).unwrap();
    let created = world.client.task_create(None, &request).await.unwrap();
    let story = watch(&world.client, &created.task_id, |_| {})
        .await
        .unwrap();
    assert_eq!(story.started.seed, created.seed);
    (theme, story)
}

#[tokio::test]
async fn a_real_model_writes_what_nobody_could_have_prepared() {
    let world = World::ready().await;
    let before = world.metrics().await.sum("tokens_out_total");
    let (theme, story) = poem(&world).await;
    let verdict = theme.examine(&story.text);
    assert!(
        verdict.accepted(),
        "{verdict:?} of {theme:?}:\n{}",
        story.text
    );
    assert!(story.tokens > 0 && story.end.tokens_out == story.tokens);

    // The counter has grown by these tokens and no others.
    let grown = eventually("the tokens are counted", async || {
        let now = world.metrics().await.sum("tokens_out_total");
        Some(now - before).filter(|grown| *grown > 0.0)
    })
    .await;
    assert!(grown >= story.tokens as f64, "{grown}");

    no_prepared_answer(&theme, &story.text);
    a_real_engine_says_who_it_is(&world, &story).await;
}

/// Engine version and model digest are visible in the stream, in the replica sets and in the metrics, and the
/// digest is that of the model in this repository.
async fn a_real_engine_says_who_it_is(world: &World, story: &Story) {
    let started = &story.started;
    assert_eq!(started.engine.as_str(), "embedded");
    let sums = root().join("models/haiku-tiny/SHA256SUMS");
    let sums = std::fs::read_to_string(sums).unwrap();
    let sum = sums.split_whitespace().next().unwrap();
    assert_eq!(started.model_digest, format!("sha256:{sum}"));
    let sets = world.client.replicaset_list().await.unwrap().into_body();
    let [set] = sets.replica_sets.as_slice() else {
        panic!("one set is expected: {sets:?}");
    };
    assert_eq!(
        (&set.engine_version, &set.model_digest),
        (&started.engine_version, &started.model_digest)
    );
    let metrics = world.metrics().await;
    let sample = metrics.of("tokens_out_total").next().unwrap();
    assert_eq!(sample.labels["engine_version"], started.engine_version);
    assert_eq!(sample.labels["replica_id"], started.replica);
}

/// No file of the repository knows the answer, or a part of it.
fn no_prepared_answer(theme: &Theme, text: &str) {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let lines = || lines.iter().filter(|line| !line.is_empty());
    for path in tracked_files() {
        let name = path.to_string_lossy().to_lowercase();
        assert!(
            !name.contains("fixtures/haiku"),
            "{name} is a prepared answer"
        );
        let Ok(content) = std::fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for known in content.lines() {
            let both = known.contains(&theme.minute_words) && known.contains(&theme.nonce);
            let poem = lines().any(|line| known.contains(line));
            assert!(!both && !poem, "{name} knows the answer: {known}");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of the repository, as git lists them.
fn tracked_files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(listed.status.success(), "git cannot list the files");
    let text = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<PathBuf> = text
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect();
    assert!(files.len() > 100, "{files:?}");
    files
}
