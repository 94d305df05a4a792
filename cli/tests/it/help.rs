//! What the program says about itself.

use crate::orch::Orch;

#[tokio::test]
async fn every_verb_has_help() {
    for verb in [
        "",
        "run",
        "task",
        "task create",
        "task list",
        "task get",
        "task why",
        "task cancel",
        "task stream",
        "task result",
        "session",
        "session get",
        "session delete",
        "status",
        "pools",
        "version",
        "completions",
    ] {
        let args: Vec<&str> = verb.split_whitespace().chain(["--help"]).collect();
        let ran = Orch::new().run(&args).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.stderr, "");
        let name = format!("help {verb}").trim_end().replace(' ', "_");
        insta::assert_snapshot!(name, ran.stdout);
    }
}

#[tokio::test]
async fn no_verb_shows_the_help_and_is_a_usage_fault() {
    let ran = Orch::new().run(&[]).await;
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("Usage: orch"), "{ran:?}");
}

#[tokio::test]
async fn every_shell_gets_completions_without_a_server_or_a_sound_configuration() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = Orch::new()
            .config("no toml")
            .run(&["completions", shell])
            .await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.stdout.contains("on-disconnect"), "{shell}");
    }
}

#[tokio::test]
async fn what_is_mistyped_is_a_usage_fault_that_lists_the_choices() {
    let ran = Orch::new().run(&["run", "x", "--priority", "urgent"]).await;
    assert_eq!(ran.code, Some(2));
    insta::assert_snapshot!(ran.shown());
}
