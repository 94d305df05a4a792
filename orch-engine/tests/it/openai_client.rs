//! The unmodified `openai` client for Python, from the package index.

use std::path::Path;

use tokio::process::Command;

use crate::engine::{Engine, SOON};

#[tokio::test]
async fn with_the_openai_package_the_unmodified_client_is_served() {
    let Some(python) = test_harness_support::real_parts::python_clients() else {
        return;
    };
    let engine = Engine::start(&[]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/openai_client.py");
    let client = Command::new(python)
        .arg(script)
        .arg(engine.url())
        // Proxies of the surroundings have no business between the two.
        .env("NO_PROXY", "127.0.0.1")
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(SOON * 4, client)
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    insta::assert_snapshot!(said.trim_end(), @r"
    chat: as it should be
    completions: as it should be
    likelihoods: as it should be
    errors: as it should be
    leaving: as it should be
    around: as it should be
    ");
}
