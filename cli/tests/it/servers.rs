//! Which server is asked, and who says so.

use serde_json::Value;

use crate::{orch::Orch, server::nowhere};

async fn chosen(orch: &Orch, args: &[&str]) -> String {
    let args = [args, &["version", "-o", "json"]].concat();
    let ran = orch.run(&args).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let versions: Value = serde_json::from_str(&ran.stdout).unwrap();
    versions["server"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_flag_wins_over_the_environment_that_over_the_file_and_that_over_the_default() {
    assert_eq!(chosen(&Orch::new(), &[]).await, "http://127.0.0.1:8484");
    let orch = Orch::new().config("server = \"http://127.0.0.1:1\"\n");
    assert_eq!(chosen(&orch, &[]).await, "http://127.0.0.1:1");
    let orch = orch.env("ORCH_SERVER", "http://127.0.0.1:2");
    // The harness writes the variable's value as http://SERVER.
    assert_eq!(chosen(&orch, &[]).await, "http://SERVER");
    assert_eq!(
        chosen(&orch, &["--server", "http://127.0.0.1:3"]).await,
        "http://127.0.0.1:3"
    );
}

#[tokio::test]
async fn an_empty_variable_names_no_server() {
    let orch = Orch::new()
        .config("server = \"http://127.0.0.1:1\"\n")
        .env("OTHER", "")
        .env("ORCH_SERVER", "");
    let ran = orch
        .command(&["version", "-o", "json"])
        .output()
        .await
        .unwrap();
    let versions: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(versions["server"], "http://127.0.0.1:1");
}

#[tokio::test]
async fn the_file_is_looked_for_where_xdg_says() {
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().join("orchestrator");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(
        folder.join("orch.toml"),
        "server = \"http://127.0.0.1:5\"\n",
    )
    .unwrap();
    let orch = Orch::new().config("server = \"http://127.0.0.1:1\"\n");
    assert_eq!(chosen(&orch, &[]).await, "http://127.0.0.1:1");
    let orch = orch.env("XDG_CONFIG_HOME", elsewhere.path().to_str().unwrap());
    assert_eq!(chosen(&orch, &[]).await, "http://127.0.0.1:5");
}

#[tokio::test]
async fn a_faulty_file_is_told_with_its_place() {
    let orch = Orch::new().config("sever = \"http://127.0.0.1:1\"\n");
    assert!(orch.config_path().exists());
    insta::assert_snapshot!(orch.run(&["task", "list"]).await.shown());
    // Neither the server nor a key is looked for in it.
    let orch = orch.env(
        "ORCH_API_KEY",
        "orch_5f0c9a3be1d27448_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    );
    let ran = orch.run(&["task", "list", "--server", &nowhere()]).await;
    assert_eq!(
        ran.code,
        Some(7),
        "a file that is not needed does no harm: {ran:?}"
    );
}

#[tokio::test]
async fn the_version_of_the_client_needs_no_server() {
    insta::assert_snapshot!(Orch::at(&nowhere()).run(&["version"]).await.shown());
}
