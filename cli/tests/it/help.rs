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
        "task create-batch",
        "task cancel",
        "task requeue",
        "task stream",
        "task result",
        "refusal",
        "refusal get",
        "refusal list",
        "bulk",
        "bulk get",
        "session",
        "session get",
        "session put",
        "session delete",
        "key",
        "key create",
        "key list",
        "key revoke",
        "key rotate",
        "quota",
        "quota get",
        "quota list",
        "quota put",
        "queue",
        "queue get",
        "queue pause",
        "queue resume",
        "whoami",
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

/// What bash offers for the last of these words.
async fn completed(words: &[&str]) -> String {
    let script = Orch::new().run(&["completions", "bash"]).await.stdout;
    let asked = "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
        _orch orch \"${@: -1}\" \"${@: -2:1}\"; echo \"${COMPREPLY[@]}\"";
    let bash = tokio::process::Command::new("bash")
        .args(["--norc", "-c", &format!("{script}\n{asked}"), "bash"])
        .args(words)
        .output()
        .await
        .unwrap();
    assert!(bash.status.success(), "{bash:?}");
    String::from_utf8(bash.stdout).unwrap()
}

#[tokio::test]
async fn bash_completes_verbs_and_values() {
    assert_eq!(completed(&["orch", "ta"]).await, "task\n");
    assert_eq!(
        completed(&["orch", "run", "--determinism", ""]).await,
        "best_effort strict\n"
    );
}

#[tokio::test]
async fn what_is_no_id_is_told_what_an_id_looks_like() {
    let ran = Orch::new().run(&["task", "get", "abc"]).await;
    insta::assert_snapshot!(ran.shown());
    for args in [
        ["task", "stream", "abc"],
        ["session", "get", "abc"],
        ["run", "--task-id", "abc"],
        ["run", "--session", "abc"],
    ] {
        let ran = Orch::new().run(&args).await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("is a UUID such as"), "{ran:?}");
    }
}

#[tokio::test]
async fn what_is_mistyped_is_a_usage_fault_that_lists_the_choices() {
    let ran = Orch::new()
        .run(&["run", "x", "--determinism", "some"])
        .await;
    assert_eq!(ran.code, Some(2));
    insta::assert_snapshot!(ran.shown());
}

#[tokio::test]
async fn what_is_no_name_of_a_class_is_told_where_those_are_that_there_are() {
    for args in [
        &["run", "x", "--priority", "Urgent"][..],
        &["task", "list", "--priority", "Urgent"],
        &["task", "cancel", "--all", "--priority", "Urgent"],
        &["key", "create", "x", "--class-max", "Urgent"],
    ] {
        let ran = Orch::new().run(args).await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("`orch status` lists"), "{ran:?}");
    }
}
