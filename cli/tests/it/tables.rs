//! Every page for people, and the same things as JSON.

use api_client::types::{
    Capabilities, PoolHealth, ProblemCode, ProblemFault, Session, Task, TaskCreated, TaskPage,
};
use serde_json::Value;

use crate::{
    fixtures::{self, SESSION, TASK, problem},
    orch::{Orch, Ran},
    script::Script,
    server::Server,
};

async fn run(script: Script, args: &[&str]) -> Ran {
    let server = Server::start(script).await;
    Orch::at(&server.url).run(args).await
}

fn with_task(task: Task) -> Script {
    Script {
        task: Ok(task),
        ..Script::default()
    }
}

#[tokio::test]
async fn tasks() {
    let id = TASK.to_string();
    for (name, task) in [
        ("queued", fixtures::queued()),
        ("running", fixtures::running()),
        ("completed", fixtures::completed()),
        ("failed", fixtures::failed()),
        ("cancelled", fixtures::cancelled()),
        ("dropped", fixtures::dropped()),
    ] {
        for verb in ["get", "result", "why"] {
            let ran = run(with_task(task.clone()), &["task", verb, &id]).await;
            insta::assert_snapshot!(format!("task_{verb}_{name}"), ran.shown());
        }
    }
}

#[tokio::test]
async fn a_refused_task_is_explained_by_either_id() {
    let server = Server::start(Script::default()).await;
    let by_correlation = Orch::at(&server.url).run(&["task", "why", "mine/1"]).await;
    insta::assert_snapshot!(by_correlation.shown());
    let unknown = Script {
        task: Err(Box::new(problem(
            ProblemCode::NotFound,
            404,
            "There is nothing here",
            "there is no such task",
        ))),
        ..Script::default()
    };
    let other = Server::start(unknown).await;
    let id = TASK.to_string();
    let by_task = Orch::at(&other.url).run(&["task", "why", &id]).await;
    assert_eq!(by_task.shown(), by_correlation.shown());
    insta::assert_snapshot!([server.calls(), other.calls()].concat().join("\n"));
}

#[tokio::test]
async fn task_requeue() {
    let id = TASK.to_string();
    insta::assert_snapshot!(
        run(with_task(fixtures::queued()), &["task", "requeue", &id])
            .await
            .shown()
    );
    insta::assert_snapshot!(
        run(with_task(fixtures::running()), &["task", "requeue", &id])
            .await
            .shown()
    );
}

#[tokio::test]
async fn task_cancel() {
    let id = TASK.to_string();
    insta::assert_snapshot!(
        run(with_task(fixtures::cancelled()), &["task", "cancel", &id])
            .await
            .shown()
    );
    insta::assert_snapshot!(
        run(with_task(fixtures::completed()), &["task", "cancel", &id])
            .await
            .shown()
    );
}

#[tokio::test]
async fn task_list() {
    let tasks = vec![
        fixtures::queued(),
        fixtures::running(),
        fixtures::completed(),
        fixtures::failed(),
        fixtures::cancelled(),
        fixtures::dropped(),
    ];
    let page = TaskPage {
        tasks,
        next_cursor: Some("AAAB".to_owned()),
    };
    let ran = run(
        Script {
            tasks: page,
            ..Script::default()
        },
        &["task", "list"],
    )
    .await;
    insta::assert_snapshot!(ran.shown());
    insta::assert_snapshot!(run(Script::default(), &["task", "list"]).await.shown());
}

#[tokio::test]
async fn task_list_passes_its_filters_on() {
    let server = Server::start(Script::default()).await;
    let session = SESSION.to_string();
    let args = [
        "task",
        "list",
        "--state",
        "parked",
        "--priority",
        "batch",
        "--session",
        &session,
        "--limit",
        "7",
        "--cursor",
        "AAAB",
    ];
    assert_eq!(Orch::at(&server.url).run(&args).await.code, Some(0));
    insta::assert_snapshot!(server.calls().join("\n"));
}

#[tokio::test]
async fn task_create() {
    let ran = run(
        Script::default(),
        &["task", "create", "Hi.", "--task-id", &TASK.to_string()],
    )
    .await;
    insta::assert_snapshot!(ran.shown());
}

#[tokio::test]
async fn task_create_batch() {
    let line = |number: u32| {
        format!(
            r#"{{"task_id":"019a2f3c-7a51-7c40-9a53-{number:012}","input":{{"kind":"prompt","prompt":"Hi."}}}}"#
        )
    };
    let text = [line(1), String::new(), line(2), line(3)].join("\n");
    let refusal = problem(
        ProblemCode::AdmissionReject,
        429,
        "The queue is full",
        "class batch is full; try again later",
    );
    for (name, refusal, format) in [
        ("all", None, "table"),
        ("one_refused", Some(refusal.clone()), "table"),
        ("json", Some(refusal), "json"),
    ] {
        let script = Script {
            create_refusal: refusal,
            ..Script::default()
        };
        let server = Server::start(script).await;
        let ran = Orch::at(&server.url)
            .run_with(&["-o", format, "task", "create-batch"], text.as_bytes())
            .await;
        insta::assert_snapshot!(format!("task_create_batch_{name}"), ran.shown());
        assert_eq!(server.calls(), ["task_create_batch of 3"]);
    }
}

#[tokio::test]
async fn sessions() {
    let id = SESSION.to_string();
    insta::assert_snapshot!(
        run(Script::default(), &["session", "get", &id])
            .await
            .shown()
    );
    let server = Server::start(Script::default()).await;
    insta::assert_snapshot!(
        Orch::at(&server.url)
            .run(&["session", "delete", &id])
            .await
            .shown()
    );
    assert_eq!(server.calls(), [format!("session_delete {id}")]);
}

#[tokio::test]
async fn a_session_is_put_with_what_is_given_and_shown_as_it_is_then() {
    let id = SESSION.to_string();
    let server = Server::start(Script::default()).await;
    let orch = Orch::at(&server.url);
    let whole = [
        "--tokens", "10000", "--time", "15m", "--cost", "7", "--ttl", "2h",
    ];
    let whole = orch
        .run(&[&["session", "put", &id][..], &whole].concat())
        .await;
    insta::assert_snapshot!("session_put", whole.shown());
    let plain = orch.run(&["session", "put", &id, "-o", "json"]).await;
    let shown: Session = serde_json::from_str(&plain.stdout).unwrap();
    assert_eq!(shown.budget.tokens, Some(10_000));
    let asked = r#"{"budget":{"tokens":10000,"time_ms":900000,"cost_micros":7},"ttl_ms":7200000}"#;
    assert_eq!(
        server.calls(),
        [
            format!("session_put {id} {asked}"),
            format!("session_put {id} {{}}")
        ]
    );
}

#[tokio::test]
async fn pools() {
    insta::assert_snapshot!(run(Script::default(), &["pools"]).await.shown());
    insta::assert_snapshot!(run(Script::default(), &["pools", "big"]).await.shown());
}

#[tokio::test]
async fn version() {
    insta::assert_snapshot!(run(Script::default(), &["version"]).await.shown());
}

#[tokio::test]
async fn status_of_a_ready_deployment() {
    insta::assert_snapshot!(run(Script::default(), &["status"]).await.shown());
}

#[tokio::test]
async fn status_names_everything_that_is_missing() {
    insta::assert_snapshot!(run(not_ready(), &["status"]).await.shown());
}

#[tokio::test]
async fn status_shows_what_it_can_when_a_part_is_refused() {
    let refused = problem(
        ProblemCode::StoreUnavailable,
        503,
        "The store does not answer",
        "the disk is full",
    );
    let script = Script {
        capabilities: Err(Box::new(refused)),
        metrics: String::new(),
        ..not_ready()
    };
    insta::assert_snapshot!(run(script, &["status"]).await.shown());
}

fn not_ready() -> Script {
    let fault = |pointer: &str, detail: &str, hint: &str| ProblemFault {
        pointer: pointer.to_owned(),
        detail: detail.to_owned(),
        hint: Some(hint.to_owned()),
    };
    let mut missing = problem(
        ProblemCode::NotReady,
        503,
        "Not ready",
        "3 prerequisites are missing",
    );
    missing.errors = Some(vec![
        fault("pool.default", "the engine is starting", "wait"),
        fault("store", "the disk is full", "make room on /var"),
        fault(
            "pool.worn",
            fixtures::GAVE_UP,
            "mend the engine's command or its model file, and start the daemon again; `orch pools` shows its last fault",
        ),
    ]);
    Script {
        readiness: Err(Box::new(missing)),
        replica_sets: Vec::new(),
        ..Script::default()
    }
}

/// What a program reads is what the API said, whole.
#[tokio::test]
async fn json_is_the_answer_of_the_api() {
    let id = TASK.to_string();
    for (verb, task) in [
        ("get", fixtures::queued()),
        ("why", fixtures::failed()),
        ("cancel", fixtures::cancelled()),
    ] {
        let ran = run(with_task(task.clone()), &["task", verb, &id, "-o", "json"]).await;
        assert_eq!(read::<Task>(&ran), task);
    }
    let page = TaskPage {
        tasks: vec![fixtures::running()],
        next_cursor: Some("AAAB".to_owned()),
    };
    let ran = run(
        Script {
            tasks: page.clone(),
            ..Script::default()
        },
        &["-o", "json", "task", "list"],
    )
    .await;
    assert_eq!(read::<TaskPage>(&ran), page);
    let create = ["task", "create", "Hi.", "--task-id", &id, "-o", "json"];
    assert_eq!(
        read::<TaskCreated>(&run(Script::default(), &create).await),
        fixtures::created(TASK)
    );
    let detach = ["run", "--detach", "Hi.", "--task-id", &id, "-o", "json"];
    assert_eq!(
        read::<TaskCreated>(&run(Script::default(), &detach).await),
        fixtures::created(TASK)
    );
    let session = SESSION.to_string();
    let shown = fixtures::session();
    let script = Script {
        session: Ok(shown.clone()),
        ..Script::default()
    };
    let ran = run(script, &["session", "get", &session, "-o", "json"]).await;
    assert_eq!(read::<Session>(&ran), shown);
    let ran = run(
        Script::default(),
        &["session", "delete", &session, "-o", "json"],
    )
    .await;
    assert_eq!(
        (ran.code, ran.stdout, ran.stderr),
        (Some(0), String::new(), String::new())
    );
    let ran = run(Script::default(), &["pools", "-o", "json"]).await;
    let pools: Vec<PoolHealth> = fixtures::pools().into_values().collect();
    assert_eq!(read::<Vec<PoolHealth>>(&ran), pools);
    assert_eq!(
        read::<PoolHealth>(&run(Script::default(), &["pools", "big", "-o", "json"]).await),
        pools[0]
    );
}

#[tokio::test]
async fn status_as_json_joins_the_answers() {
    let ran = run(Script::default(), &["status", "-o", "json"]).await;
    let mut survey: Value = read(&ran);
    assert_eq!(survey["readiness"]["status"], "ready");
    assert_eq!(survey["queue"][0]["priority"], "interactive");
    assert_eq!(survey["queue"][1]["depth"], 12);
    assert_eq!(survey["replica_sets"][0]["load"], 0.5);
    let capabilities: Capabilities = serde_json::from_value(survey["capabilities"].take()).unwrap();
    assert_eq!(capabilities, fixtures::capabilities());
    let server = Server::start(not_ready()).await;
    let ran = Orch::at(&server.url).run(&["status", "-o", "json"]).await;
    assert_eq!(ran.code, Some(7));
    let survey: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(survey["readiness"]["errors"][1]["pointer"], "store");
}

fn read<T: serde::de::DeserializeOwned>(ran: &Ran) -> T {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    serde_json::from_str(&ran.stdout).unwrap()
}
