//! From the command line to the request.

use serde_json::{Value, json};

use crate::{
    fixtures::{SESSION, TASK},
    orch::{Orch, Ran},
    script::Script,
    server::Server,
};

async fn requested(args: &[&str], input: Option<&[u8]>) -> (Ran, Vec<Value>) {
    let server = Server::start(Script::default()).await;
    let orch = Orch::at(&server.url);
    let ran = match input {
        Some(input) => orch.run_with(args, input).await,
        None => orch.run(args).await,
    };
    let bodies = server
        .calls()
        .iter()
        .filter_map(|call| call.strip_prefix("task_create "))
        .map(|body| serde_json::from_str(body).unwrap())
        .collect();
    (ran, bodies)
}

async fn prompt(args: &[&str], input: Option<&[u8]>) -> Value {
    let (ran, mut bodies) = requested(args, input).await;
    assert_eq!((ran.code, bodies.len()), (Some(0), 1), "{ran:?}");
    bodies.remove(0)["input"].take()
}

/// The model that a run asks for, of a server that is named on the command line if `named` is true.
async fn model_of(model: &str, named: bool) -> Value {
    let server = Server::start(Script::default()).await;
    let orch = Orch::at(&server.url);
    let mut args = vec!["run", "Hi.", "--detach", "--model", model];
    if named {
        args.extend(["--server", server.url.as_str()]);
    }
    let ran = orch.run(&args).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let calls = server.calls();
    let body = calls[0].strip_prefix("task_create ").unwrap();
    serde_json::from_str::<Value>(body).unwrap()["model_ref"].take()
}

#[tokio::test]
async fn a_model_of_a_server_is_a_name_and_never_a_file() {
    assert_eq!(model_of("haiku-tiny", false).await, "haiku-tiny");
    assert_eq!(model_of("org/model", false).await, "org/model");
    assert_eq!(model_of("a.gguf", true).await, "a.gguf");
    assert_eq!(model_of("src/lib.rs", true).await, "src/lib.rs");
}

#[tokio::test]
async fn a_file_that_is_not_there_and_a_task_for_nobody_are_refused_before_anything_is_started() {
    let (ran, bodies) = requested(&["run", "Hi.", "--model", "./none.gguf"], None).await;
    assert_eq!(bodies.len(), 0);
    insta::assert_snapshot!(ran.shown());
    let (ran, bodies) = requested(&["run", "Hi.", "--model", "a.gguf", "--detach"], None).await;
    assert_eq!(bodies.len(), 0);
    insta::assert_snapshot!(ran.shown());
}

#[tokio::test]
async fn every_field_of_the_request_has_a_flag() {
    let (task, session) = (TASK.to_string(), SESSION.to_string());
    let line = format!(
        "task create Hi. --kind completion --task-id {task} --model haiku-tiny --engine embedded --ctx 512 \
         --max-tokens 64 --ignore-eos --temperature 0.5 --top-k 40 --top-p 0.25 --min-p 0 --repeat-penalty 1 \
         --seed 42 --determinism strict --priority batch --session {session} --on-disconnect cancel \
         --metadata team=docs --metadata note=a=b"
    );
    let (ran, bodies) = requested(&line.split_whitespace().collect::<Vec<_>>(), None).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let expected = json!({
        "input": { "kind": "completion", "prompt": "Hi." },
        "task_id": task,
        "model_ref": "haiku-tiny",
        "engine": "embedded",
        "ctx": 512,
        "max_tokens": 64,
        "ignore_eos": true,
        "temperature": 0.5,
        "top_k": 40,
        "top_p": 0.25,
        "min_p": 0.0,
        "repeat_penalty": 1.0,
        "seed": 42,
        "determinism": "strict",
        "priority": "batch",
        "session_id": session,
        "on_disconnect": "cancel",
        "metadata": { "team": "docs", "note": "a=b" },
    });
    assert_eq!(bodies, [expected]);
}

#[tokio::test]
async fn nothing_but_the_input_and_a_fresh_id_is_sent_unasked() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let (_, bodies) = requested(&["run", "--detach", "Hi."], None).await;
        let [Value::Object(body)] = bodies.as_slice() else {
            panic!("{bodies:?}")
        };
        assert_eq!(body.keys().collect::<Vec<_>>(), ["input", "task_id"]);
        ids.push(body["task_id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_prompt_comes_from_the_argument_or_from_standard_input() {
    let natural = |text: &str| json!({ "kind": "prompt", "prompt": text });
    let raw = |text: &str| json!({ "kind": "completion", "prompt": text });
    let create = ["task", "create"];
    let with = |more: &[&'static str]| [&create[..], more].concat();
    assert_eq!(
        prompt(&with(&["Hi."]), Some(b"unread")).await,
        natural("Hi.")
    );
    assert_eq!(
        prompt(&with(&["-"]), Some(b"from a pipe\n")).await,
        natural("from a pipe")
    );
    assert_eq!(
        prompt(&with(&[]), Some(b"two\nlines\n\n")).await,
        natural("two\nlines\n")
    );
    assert_eq!(
        prompt(&with(&["--kind", "completion"]), Some(b"as it is\n")).await,
        raw("as it is\n")
    );
    assert_eq!(
        prompt(&with(&["--", "--not-a-flag"]), None).await,
        natural("--not-a-flag")
    );
}

#[tokio::test]
async fn what_cannot_be_a_prompt_is_refused_before_anything_is_sent() {
    let (ran, bodies) = requested(&["run"], Some(b"caf\xe9")).await;
    assert!(bodies.is_empty());
    insta::assert_snapshot!(ran.shown());
    let (ran, bodies) = requested(
        &["run", "x", "--metadata", "a=1", "--metadata", "a=2"],
        None,
    )
    .await;
    assert!(bodies.is_empty());
    insta::assert_snapshot!(ran.shown());
    let (ran, bodies) = requested(&["run", "x", "--metadata", "=1"], None).await;
    assert_eq!((ran.code, bodies.len()), (Some(2), 0));
}

#[tokio::test]
async fn an_empty_prompt_is_refused_before_anything_is_sent() {
    let (ran, bodies) = requested(&["run", ""], None).await;
    assert!(bodies.is_empty());
    insta::assert_snapshot!(ran.shown());
    let (ran, bodies) = requested(&["run"], Some(b"\n")).await;
    assert!(bodies.is_empty());
    insta::assert_snapshot!(ran.shown());
    let (ran, bodies) = requested(&["task", "create", "-", "--kind", "completion"], None).await;
    assert_eq!((ran.code, bodies.len()), (Some(2), 0), "{ran:?}");
}

#[tokio::test]
async fn detached_only_the_id_goes_to_standard_output() {
    let (ran, bodies) = requested(&["run", "--detach", "Hi."], None).await;
    let id = bodies[0]["task_id"].as_str().unwrap();
    assert_eq!(ran.stdout, format!("{id}\n"));
    insta::assert_snapshot!(ran.shown_without(id));
}
