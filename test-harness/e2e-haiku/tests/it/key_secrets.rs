//! The first key, the server key, and what of keys is found afterwards.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use test_harness_support::{Daemon, DaemonOptions};

use crate::keys::{KEYS, MadeKey, refusal, unauthorized, user};
use crate::raw::send;
use crate::world::{World, exactly, init, plain, with};

/// Makes the first key of a daemon that runs, which must end for it; only once.
fn first_key(world: &mut World) -> String {
    // Not beside a daemon.
    let data = world.daemon.data_dir();
    let beside = init(&data, &[]);
    assert_eq!(beside.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&beside.stderr).contains("in use"),
        "{beside:?}"
    );
    world.daemon.terminate();
    let first = init(&data, &[]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let key = String::from_utf8(first.stdout).unwrap();
    assert_eq!(key.lines().count(), 1, "{key}");
    let mode = fs::metadata(data.join("server.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    let again = init(&data, &[]);
    assert_eq!((again.status.code(), again.stdout), (Some(1), Vec::new()));
    key
}

#[tokio::test]
async fn the_first_key_is_made_once_and_from_then_on_everybody_is_asked_for_one() {
    let mut world = World::ready().await;
    let whoami = world.raw.get("/v1/whoami").await.json();
    assert_eq!(
        whoami["scopes"],
        json!(["backup", "node", "operator", "user"])
    );
    assert_eq!(
        (&whoami["tenant"], whoami.get("key_id")),
        (&json!("default"), None)
    );
    let before = world.create(plain()).await.task_id;
    let refused = world.raw.post(KEYS, &user()).await;
    assert_eq!(refusal(&refused), (409, "KEY_CONFLICT".to_owned()));
    assert!(
        refused.text().contains("orchestratord init"),
        "{}",
        refused.text()
    );

    let key = first_key(&mut world);
    world.daemon.restart();
    world.show(key.trim_end());
    world.until_ready().await;
    let nobody = world.raw.without_key();
    for open in [
        "/healthz",
        "/readyz",
        "/openapi/data.json",
        "/openapi/control.json",
    ] {
        assert_eq!(nobody.get(open).await.status, 200, "{open}");
    }
    for closed in [
        "/v1/tasks",
        "/v1/capabilities",
        "/v1/whoami",
        "/metrics",
        "/v1/replicasets",
        KEYS,
    ] {
        let said = unauthorized(&nobody.get(closed).await);
        assert!(said.contains("Authorization: Bearer"), "{closed}: {said}");
        assert_eq!(world.raw.get(closed).await.status, 200, "{closed}");
    }
    unauthorized(&nobody.create(&plain()).await);
    let whoami = world.raw.get("/v1/whoami").await.json();
    assert_eq!(whoami["scopes"], json!(["operator", "user"]));
    // What was made without keys belongs to the tenant of the first one.
    let task = world.raw.get(&format!("/v1/tasks/{before}")).await.json();
    assert_eq!(task.get("created_by"), None);
    let mine = world.create(plain()).await.task_id;
    let task = world.raw.get(&format!("/v1/tasks/{mine}")).await.json();
    assert_eq!(task["created_by"], whoami["key_id"]);
}

/// Every file below a folder, as bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((
                path.display().to_string(),
                fs::read(&path).unwrap_or_default(),
            ));
        }
    }
    found
}

/// A request with any of these keys in its URL is refused, without repeating it.
async fn refuses_urls(world: &World, [one, two, escaped, wrong, first]: [&str; 5]) {
    for (method, path) in [
        ("GET", format!("/v1/tasks?api_key={one}")),
        ("GET", format!("/v1/tasks?cursor={escaped}")),
        ("POST", format!("/v1/keys/{two}/revoke")),
        ("GET", format!("/nowhere/{wrong}")),
        ("GET", format!("/healthz?{first}")),
    ] {
        for raw in [&world.raw, &world.raw.without_key()] {
            let answer = send(raw.request(method, &path)).await;
            assert_eq!(
                (answer.status, &answer.json()["code"]),
                (400, &json!("INVALID_PARAMS"))
            );
            let said = answer.text();
            assert!(said.contains("revoke"), "{said}");
            assert!(!said.contains("orch_"), "{said}");
        }
    }
}

fn finds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|it| it == wanted)
}

/// The secret of a key is nowhere there, nor are the bytes that it is written for.
fn holds_none(places: &[(String, Vec<u8>)], secret: &str) {
    assert_eq!(secret.len(), 64);
    let raw: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&secret[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    for (place, bytes) in places {
        assert!(!finds(bytes, secret.as_bytes()), "{secret} is in {place}");
        assert!(!finds(bytes, &raw), "{secret} is in {place}, as bytes");
    }
}

#[tokio::test]
async fn a_key_in_a_url_is_refused_and_no_key_is_found_in_the_log_or_the_store() {
    let mut world = World::ready_with(DaemonOptions::default().env("ORCH_LOG", "trace")).await;
    world.daemon.terminate();
    let first = init(&world.daemon.data_dir(), &[]);
    let first = String::from_utf8(first.stdout)
        .unwrap()
        .trim_end()
        .to_owned();
    world.show(&first);
    world.restart().await;
    let one = world.make_key(user()).await;
    let two = MadeKey::of(
        &world
            .raw
            .post(
                &format!("{KEYS}/{}/rotate", one.id),
                &json!({ "grace_ms": 60_000 }),
            )
            .await,
    );
    let wrong = format!("orch_{}_{}", one.id, "ab".repeat(32));
    let escaped = two.text.replace('_', "%5F");
    refuses_urls(&world, [&one.text, &two.text, &escaped, &wrong, &first]).await;
    let raw = world.holder(&two);
    let task = raw.create(&exactly(2, 1)).await.json()["task_id"]
        .as_str()
        .unwrap()
        .to_owned();
    raw.story(&task.parse().unwrap()).await;
    // Where a key does not belong, and wrong ones where it does.
    let correlated = raw
        .request("GET", "/v1/tasks")
        .header("x-correlation-id", &one.text);
    let answer = send(correlated).await;
    assert_ne!(answer.header("x-correlation-id"), Some(one.text.as_str()));
    raw.with_key(&wrong).get("/v1/tasks").await;
    raw.with_key(&format!("{}x", one.text))
        .get("/v1/tasks")
        .await;
    let body = with(plain(), &one.text, 1);
    assert_eq!(raw.create(&body).await.status, 400);

    let planted = [&first, &one.text, &two.text, &wrong, &escaped];
    let secrets = planted.map(|key| key.rsplit(['_', 'F']).next().unwrap().to_owned());
    world.daemon.terminate();
    let mut places = files(&world.daemon.data_dir());
    places.push(("the log".to_owned(), world.daemon.log().into_bytes()));
    assert!(places.len() > 3, "{places:?}");
    for secret in &secrets {
        holds_none(&places, secret);
    }
    // The search finds what there is: the id of a key, which may be known.
    let known = |(_, bytes): &(String, Vec<u8>)| finds(bytes, one.id.as_bytes());
    assert!(places.iter().any(known));
}

#[tokio::test]
async fn a_server_key_that_is_lost_changed_or_open_is_noticed_at_the_start() {
    let mut world = World::keyed().await;
    let data = world.daemon.data_dir();
    let file = data.join("server.key");
    world.daemon.terminate();
    let refused = |env: &[(&str, &str)]| {
        let options = env.iter().fold(
            DaemonOptions::default().data_dir(&data),
            |options, (name, value)| options.env(name, value),
        );
        let ended = Daemon::start_refused(options);
        assert_eq!(ended.code, Some(1), "{}", ended.said);
        ended.said
    };
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let said = refused(&[]);
    assert!(
        said.contains("0644") && said.contains("chmod 0600"),
        "{said}"
    );
    mode(0o600);
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{}\n", "0".repeat(64))).unwrap();
    let said = refused(&[]);
    assert!(
        said.contains("none of the 1 keys in force was made under this server key"),
        "{said}"
    );
    fs::write(&file, "half\n").unwrap();
    let said = refused(&[]);
    assert!(said.contains("64 hexadecimal digits"), "{said}");
    fs::remove_file(&file).unwrap();
    let said = refused(&[]);
    assert!(said.contains("no server key to check them with"), "{said}");
    let said = refused(&[("ORCH_SERVER_KEY", "nonsense")]);
    assert!(
        said.contains("ORCH_SERVER_KEY") && !said.contains("nonsense"),
        "{said}"
    );

    // The environment can hold it instead of the file.
    let options = DaemonOptions::default().env("ORCH_SERVER_KEY", right.trim_end());
    world.restart_with(options).await;
    assert_eq!(world.raw.get(KEYS).await.status, 200);
    world.daemon.terminate();

    // If it is lost for good, another first key lets its holder in, and the old one stays out.
    let lost = world.first_key().to_owned();
    let again = init(&data, &["--again", "--json"]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    let made: Value = serde_json::from_slice(&again.stdout).unwrap();
    world.show(made["api_key"].as_str().unwrap());
    world.restart_with(DaemonOptions::default()).await;
    assert_eq!(
        world.raw.get(KEYS).await.json()["keys"][0]["key_id"],
        made["key_id"]
    );
    unauthorized(&world.raw.with_key(&lost).get(KEYS).await);
    assert!(
        world.daemon.log().contains("made under another server key"),
        "{}",
        world.daemon.log()
    );
}
