//! Keys: the verbs, and where the key to call with comes from.

use std::fs;

use api_client::types::{Key, KeyCreated, KeyPage, KeyScope, KeyState, ProblemCode, Whoami};
use axum::{Router, http::HeaderMap, response::IntoResponse};
use tokio::net::TcpListener;

use crate::{
    fixtures::problem,
    orch::{Orch, Ran},
    script::Script,
    server::Server,
};

const KEY: &str =
    "orch_5f0c9a3be1d27448_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ID: &str = "5f0c9a3be1d27448";
const OTHER: &str = "1d20c4ef7a90b6e3";

/// A key that was made long ago, so that its age does not change while a test runs.
fn key() -> Key {
    Key {
        key_id: ID.to_owned(),
        tenant: "acme".to_owned(),
        project_id: None,
        name: "build\u{1b}[31m server".to_owned(),
        scopes: vec![KeyScope::Operator, KeyScope::User],
        class_max: "batch".to_owned(),
        state: KeyState::Active,
        created_at_ms: crate::fixtures::days_ago(40),
        created_by: Some(OTHER.to_owned()),
        expires_at_ms: None,
        revoked_at_ms: None,
        replaced_by: None,
    }
}

pub(crate) fn key_created() -> KeyCreated {
    KeyCreated {
        api_key: KEY.to_owned(),
        key: key(),
    }
}

pub(crate) fn revoked_key() -> Key {
    Key {
        state: KeyState::Revoked,
        revoked_at_ms: Some(crate::fixtures::days_ago(2)),
        replaced_by: Some(OTHER.to_owned()),
        ..key()
    }
}

pub(crate) fn key_page() -> KeyPage {
    let expired = Key {
        key_id: OTHER.to_owned(),
        name: "laptop".to_owned(),
        scopes: vec![KeyScope::User],
        state: KeyState::Expired,
        expires_at_ms: Some(crate::fixtures::days_ago(3)),
        ..key()
    };
    KeyPage {
        keys: vec![key(), expired],
        next_cursor: Some(OTHER.to_owned()),
    }
}

pub(crate) fn whoami() -> Whoami {
    Whoami {
        tenant: "acme".to_owned(),
        project_id: None,
        key_id: Some(ID.to_owned()),
        key_name: Some("build server".to_owned()),
        scopes: vec![KeyScope::User],
        class_max: "batch".to_owned(),
        expires_at_ms: None,
    }
}

async fn run(args: &[&str]) -> (Ran, Vec<String>) {
    let server = Server::start(Script::default()).await;
    let ran = Orch::at(&server.url).run(args).await;
    (ran, server.calls())
}

#[tokio::test]
async fn a_key_that_is_made_goes_alone_to_standard_output() {
    let (ran, calls) = run(&["key", "create", "build server"]).await;
    assert_eq!(ran.stdout, format!("{KEY}\n"));
    insta::assert_snapshot!("key_create", ran.shown());
    assert_eq!(
        calls,
        [r#"key_create {"name":"build server","scopes":["user"]}"#]
    );
    let (ran, _) = run(&["-o", "json", "key", "create", "x"]).await;
    let created: KeyCreated = serde_json::from_str(&ran.stdout).unwrap();
    let mut expected = key_created();
    expected.key.created_at_ms = created.key.created_at_ms;
    assert_eq!(created, expected);
    assert_eq!(ran.stderr, "");
}

#[tokio::test]
async fn every_flag_of_a_key_is_passed_on() {
    let project = "019a2f3c-7a51-7c40-9a53-00000000000a";
    let (ran, calls) = run(&[
        "key",
        "create",
        "x",
        "--scope",
        "operator",
        "--scope",
        "user",
        "--tenant",
        "acme",
        "--project",
        project,
        "--class-max",
        "batch",
        "--expires-in",
        "30d",
    ])
    .await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let sent: serde_json::Value =
        serde_json::from_str(calls[0].strip_prefix("key_create ").unwrap()).unwrap();
    assert_eq!(sent["scopes"], serde_json::json!(["operator", "user"]));
    assert_eq!(
        (&sent["tenant"], &sent["class_max"]),
        (&"acme".into(), &"batch".into())
    );
    assert_eq!(sent["project_id"], project);
    let in_ms = sent["expires_at_ms"].as_u64().unwrap() - crate::fixtures::days_ago(0);
    assert!(
        (29 * 86_400_000..=31 * 86_400_000).contains(&in_ms),
        "{in_ms}"
    );
}

#[tokio::test]
async fn keys_are_listed_revoked_and_rotated() {
    let (ran, calls) = run(&["key", "list", "--tenant", "acme", "--limit", "2"]).await;
    insta::assert_snapshot!("key_list", ran.shown());
    assert_eq!(calls, [r#"key_list Some("acme") Some(2) None"#]);
    let (ran, calls) = run(&["key", "revoke", ID]).await;
    insta::assert_snapshot!("key_revoke", ran.shown());
    assert_eq!(calls, [format!("key_revoke {ID}")]);
    let (ran, calls) = run(&["key", "rotate", ID, "--grace", "12h"]).await;
    assert_eq!(ran.stdout, format!("{KEY}\n"));
    assert_eq!(calls, [format!("key_rotate {ID} 43200000")]);
    let (_, calls) = run(&["key", "rotate", ID]).await;
    assert_eq!(calls, [format!("key_rotate {ID} 0")]);
}

#[tokio::test]
async fn who_asks_is_shown() {
    let (ran, _) = run(&["whoami"]).await;
    insta::assert_snapshot!("whoami", ran.shown());
    let script = Script {
        whoami: Ok(Whoami {
            key_id: None,
            key_name: None,
            ..whoami()
        }),
        ..Script::default()
    };
    let server = Server::start(script).await;
    let ran = Orch::at(&server.url).run(&["whoami"]).await;
    assert!(ran.stdout.contains("the server has no keys"), "{ran:?}");
}

#[tokio::test]
async fn who_is_not_known_or_not_allowed_ends_with_3_and_a_way_out() {
    for (code, status, way_out) in [
        (ProblemCode::Unauthorized, 401, "--key-file"),
        (ProblemCode::Forbidden, 403, "orch whoami"),
    ] {
        let server = Server::refusing(problem(code, status, "No", "no")).await;
        let ran = Orch::at(&server.url).run(&["task", "list"]).await;
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.stderr.contains(way_out), "{ran:?}");
    }
}

/// A server that answers `whoami_get` with the header `Authorization` that it was given.
async fn echoing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new().fallback(async |headers: HeaderMap| {
        let shown = headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        let body = Whoami {
            key_name: Some(shown.unwrap_or_default()),
            ..whoami()
        };
        (
            [("content-type", "application/json")],
            serde_json::to_string(&body).unwrap(),
        )
            .into_response()
    });
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    url
}

async fn sent_by(orch: Orch, args: &[&str]) -> String {
    let ran = orch.run(&[args, &["-o", "json", "whoami"]].concat()).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let whoami: Whoami = serde_json::from_str(&ran.stdout).unwrap();
    whoami.key_name.unwrap()
}

#[tokio::test]
async fn the_key_comes_from_the_flag_s_file_or_the_environment_or_the_configuration() {
    let url = echoing().await;
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let one = file("one", "orch_1_a\n");
    assert_eq!(sent_by(Orch::at(&url), &[]).await, "");
    let orch = || Orch::at(&url).env("ORCH_API_KEY", "orch_2_b");
    assert_eq!(
        sent_by(orch(), &["--key-file", &one]).await,
        "Bearer orch_1_a"
    );
    assert_eq!(sent_by(orch(), &[]).await, "Bearer orch_2_b");
    let orch = Orch::at(&url).env("ORCH_API_KEY", "");
    assert_eq!(sent_by(orch, &[]).await, "");
    let file = |more: &str| format!("server = {url:?}\nkey_file = {more}");
    let orch = Orch::new().config(&file(&format!("{one:?}")));
    assert_eq!(sent_by(orch, &[]).await, "Bearer orch_1_a");
    let orch = Orch::new().config(&file("\"mine\""));
    fs::write(orch.config_path().with_file_name("mine"), "orch_3_c").unwrap();
    assert_eq!(sent_by(orch, &[]).await, "Bearer orch_3_c");
    // A server that was named elsewhere is not given the key of the file.
    let orch = || Orch::new().config(&file(&format!("{one:?}")));
    assert_eq!(sent_by(orch(), &["--server", &url]).await, "");
    assert_eq!(sent_by(orch().env("ORCH_SERVER", &url), &[]).await, "");
}

#[tokio::test]
async fn what_is_no_key_is_refused_before_anything_is_sent_and_is_not_repeated() {
    let nowhere = "http://127.0.0.1:9";
    let wrong = Orch::at(nowhere).env("ORCH_API_KEY", "hunter2");
    let ran = wrong.run(&["whoami"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("ORCH_API_KEY holds no key") && !ran.stderr.contains("hunter2"),
        "{ran:?}"
    );
    let ran = Orch::at(nowhere).run(&["--key-file", KEY, "whoami"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("not a key") && !ran.stderr.contains(KEY),
        "{ran:?}"
    );
    let ran = Orch::at(nowhere)
        .run(&["--key-file", "/nowhere/key.txt", "whoami"])
        .await;
    assert!(ran.stderr.contains("/nowhere/key.txt"), "{ran:?}");
}
