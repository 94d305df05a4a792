//! Who is let in, and to what.

use std::collections::BTreeSet;

use api_client::types::TaskState;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::raw::{Answer, Raw, send};
use crate::world::{World, exactly, plain, with};

pub(crate) const KEYS: &str = "/v1/keys";

impl World {
    /// Makes a key by the first one; `body` is the JSON of the request.
    pub(crate) async fn make_key(&self, body: Value) -> MadeKey {
        let answer = self.raw.post(KEYS, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        MadeKey::of(&answer)
    }

    /// The daemon for the holder of a key.
    pub(crate) fn holder(&self, key: &MadeKey) -> Raw {
        self.raw.with_key(&key.text)
    }
}

pub(crate) struct MadeKey {
    pub(crate) text: String,
    pub(crate) id: String,
}

impl MadeKey {
    pub(crate) fn of(answer: &Answer) -> Self {
        let made = answer.json();
        let member = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            text: member(&made["api_key"]),
            id: member(&made["key"]["key_id"]),
        }
    }
}

pub(crate) fn user() -> Value {
    json!({ "name": "a user", "scopes": ["user"] })
}

fn user_of(tenant: &str) -> Value {
    with(user(), "tenant", tenant)
}

/// Status and code of a refusal.
pub(crate) fn refusal(answer: &Answer) -> (u16, String) {
    let problem = answer.problem();
    (answer.status, problem["code"].as_str().unwrap().to_owned())
}

pub(crate) fn unauthorized(answer: &Answer) -> String {
    assert_eq!(refusal(answer), (401, "UNAUTHORIZED".to_owned()));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer.problem()["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_that_is_too_weak_is_refused_with_the_scope_that_it_lacks() {
    let world = World::keyed().await;
    let key = world.make_key(user()).await;
    let raw = world.holder(&key);
    assert_eq!(raw.get("/v1/tasks").await.status, 200);
    for operators in [
        "/metrics",
        "/v1/replicasets",
        "/v1/pools/default/health",
        KEYS,
    ] {
        let answer = raw.get(operators).await;
        assert_eq!(
            refusal(&answer),
            (403, "FORBIDDEN".to_owned()),
            "{operators}"
        );
        let said = answer.text();
        assert!(
            said.contains("`operator`") && said.contains(&key.id),
            "{said}"
        );
    }
    let more = json!({ "name": "more", "scopes": ["operator"] });
    assert_eq!(raw.post(KEYS, &more).await.status, 403);
}

#[tokio::test]
async fn a_wrong_key_is_refused_without_telling_which_ids_there_are() {
    let world = World::keyed().await;
    let key = world.make_key(user()).await;
    let raw = world.holder(&key);
    assert_eq!(raw.get("/v1/tasks").await.status, 200);
    let other = world.make_key(user()).await;
    let (_, secret) = other.text.rsplit_once('_').unwrap();
    let mixed = format!("orch_{}_{secret}", key.id);
    let nobodys = format!("orch_00000000000000aa_{secret}");
    let said: BTreeSet<String> = [
        unauthorized(&raw.with_key(&mixed).get("/v1/tasks").await),
        unauthorized(&raw.with_key(&nobodys).get("/v1/tasks").await),
    ]
    .into();
    assert_eq!(
        said.len(),
        1,
        "an id that there is must not be told: {said:?}"
    );
    unauthorized(&raw.with_key("hunter2").get("/v1/tasks").await);
    let basic = raw
        .without_key()
        .request("GET", "/v1/tasks")
        .header("authorization", "Basic eDp5");
    unauthorized(&send(basic).await);
}

#[tokio::test]
async fn an_ended_key_is_refused_in_words_that_help_and_the_last_one_cannot_be_ended() {
    let world = World::keyed().await;
    let key = world.make_key(user()).await;
    let raw = world.holder(&key);
    assert_eq!(raw.get("/v1/tasks").await.status, 200);
    let revoke = format!("{KEYS}/{}/revoke", key.id);
    let revoked = send(world.raw.request("POST", &revoke)).await;
    assert_eq!(
        (revoked.status, &revoked.json()["state"]),
        (200, &json!("revoked"))
    );
    let said = unauthorized(&raw.get("/v1/tasks").await);
    assert!(said.contains("revoked") && said.contains(&key.id), "{said}");
    assert_eq!(
        send(world.raw.request("POST", &revoke)).await.json(),
        revoked.json()
    );
    let last = world.raw.get("/v1/whoami").await.json()["key_id"].clone();
    let last = format!("{KEYS}/{}/revoke", last.as_str().unwrap());
    let refused = send(world.raw.request("POST", &last)).await;
    assert_eq!(refusal(&refused), (409, "KEY_CONFLICT".to_owned()));

    let past = with(user(), "expires_at_ms", 1_000);
    let answer = world.raw.post(KEYS, &past).await;
    assert_eq!(refusal(&answer), (400, "INVALID_PARAMS".to_owned()));
    assert_eq!(answer.problem()["errors"][0]["pointer"], "/expires_at_ms");
    let second = 1_000
        + u64::try_from(
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_millis(),
        )
        .unwrap();
    let short = world.make_key(with(user(), "expires_at_ms", second)).await;
    let raw = world.holder(&short);
    let said = crate::world::eventually("the key has expired", async || {
        let answer = raw.get("/v1/tasks").await;
        (answer.status != 200).then(|| unauthorized(&answer))
    })
    .await;
    assert!(said.contains("expired"), "{said}");
}

/// The holders of keys of two tenants, and a task of the first one's that has ended, in a session.
struct TwoTenants {
    world: World,
    one: Raw,
    two: Raw,
    session: Uuid,
    id: Uuid,
    body: Value,
}

async fn two_tenants() -> TwoTenants {
    let world = World::keyed().await;
    let (one, two) = (
        world.make_key(user_of("acme")).await,
        world.make_key(user_of("other")).await,
    );
    let (one, two) = (world.holder(&one), world.holder(&two));
    let (session, id) = (Uuid::new_v4(), Uuid::new_v4());
    let body = with(exactly(2, 1), "session_id", session.to_string());
    let body = with(body, "task_id", id.to_string());
    assert_eq!(one.create(&body).await.status, 202);
    one.story(&id).await;
    TwoTenants {
        world,
        one,
        two,
        session,
        id,
        body,
    }
}

#[tokio::test]
async fn another_tenant_s_tasks_are_not_there() {
    let TwoTenants {
        world,
        one,
        two,
        id,
        body,
        ..
    } = two_tenants().await;
    let task = format!("/v1/tasks/{id}");
    let nothing = "/v1/tasks/019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a";
    // The words are those for a task that there is not, but for the id.
    let words = |answer: &Answer, id: &str| {
        answer.problem()["detail"]
            .as_str()
            .unwrap()
            .replace(id, "ID")
    };
    for (method, tail) in [
        ("GET", ""),
        ("GET", "/result"),
        ("GET", "/stream"),
        ("POST", "/cancel"),
    ] {
        let theirs = send(two.request(method, &format!("{task}{tail}"))).await;
        let nobodys = send(two.request(method, &format!("{nothing}{tail}"))).await;
        assert_eq!(
            refusal(&theirs),
            (404, "NOT_FOUND".to_owned()),
            "{method} {tail}"
        );
        assert_eq!(
            words(&theirs, &id.to_string()),
            words(&nobodys, nothing.rsplit_once('/').unwrap().1)
        );
        // Nor for an operator, whose own tenant is another.
        let operator = send(world.raw.request(method, &format!("{task}{tail}"))).await;
        assert_eq!(operator.status, 404, "{method} {tail}");
        assert_eq!(
            send(one.request(method, &format!("{task}{tail}")))
                .await
                .status,
            200
        );
    }
    assert_eq!(two.get("/v1/tasks").await.json()["tasks"], json!([]));
    // A task id that another tenant has is refused in the words for one's own.
    let theirs = two.create(&body).await;
    let own = one.create(&with(body, "seed", 2)).await;
    assert_eq!(refusal(&theirs), (409, "TASK_ID_CONFLICT".to_owned()));
    assert_eq!(theirs.problem()["detail"], own.problem()["detail"]);
}

#[tokio::test]
async fn another_tenant_s_sessions_are_not_there() {
    let TwoTenants {
        world: _world,
        one,
        two,
        session,
        ..
    } = two_tenants().await;
    let by_session = format!("/v1/tasks?session_id={session}");
    assert_eq!(two.get(&by_session).await.json()["tasks"], json!([]));
    assert_eq!(
        one.get(&by_session).await.json()["tasks"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let session = format!("/v1/sessions/{session}");
    for method in ["GET", "DELETE"] {
        assert_eq!(
            send(two.request(method, &session)).await.status,
            404,
            "{method}"
        );
    }
    assert_eq!(one.get(&session).await.json()["turns"], 1);
    // The same session id is another session.
    let own = with(
        exactly(2, 1),
        "session_id",
        session.rsplit_once('/').unwrap().1,
    );
    assert_eq!(two.create(&own).await.status, 202);
    assert_eq!(send(two.request("DELETE", &session)).await.status, 204);
    assert_eq!(one.get(&session).await.json()["turns"], 1);
}

#[tokio::test]
async fn a_key_works_in_its_project_and_no_higher_than_its_class() {
    let world = World::keyed().await;
    let (mine, other) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let body = with(
        with(user(), "project_id", mine.clone()),
        "class_max",
        "batch",
    );
    let raw = world.holder(&world.make_key(body).await);
    let whoami = raw.get("/v1/whoami").await.json();
    assert_eq!(
        (&whoami["project_id"], &whoami["class_max"]),
        (&json!(mine), &json!("batch"))
    );

    let created = raw
        .create(&with(exactly(2, 1), "priority", "interactive"))
        .await
        .json();
    assert_eq!(created["priority"], "batch");
    let own = created["task_id"].as_str().unwrap().to_owned();
    let task = raw.get(&format!("/v1/tasks/{own}")).await.json();
    assert_eq!(
        (&task["project_id"], &task["priority"]),
        (&json!(mine), &json!("batch"))
    );
    assert_eq!(
        raw.create(&with(plain(), "project_id", mine.clone()))
            .await
            .status,
        202
    );
    let refused = raw
        .create(&with(plain(), "project_id", other.clone()))
        .await;
    assert_eq!(refusal(&refused), (403, "FORBIDDEN".to_owned()));
    assert_eq!(refused.problem()["errors"][0]["pointer"], "/project_id");

    // The first key works in all of the tenant.
    let elsewhere = world
        .create(with(exactly(2, 1), "project_id", other.clone()))
        .await
        .task_id;
    let nowhere = world.create(exactly(2, 1)).await.task_id;
    let listed = async |raw: &Raw, query: &str| -> BTreeSet<String> {
        let page = raw.get(&format!("/v1/tasks{query}")).await.json();
        let tasks = page["tasks"].as_array().unwrap().iter();
        tasks
            .map(|task| task["task_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(listed(&world.raw, "").await.len(), 4);
    let theirs = listed(&world.raw, &format!("?project_id={other}")).await;
    assert_eq!(theirs, BTreeSet::from([elsewhere.to_string()]));
    let seen = listed(&raw, "").await;
    assert!(seen.len() == 2 && seen.contains(&own), "{seen:?}");
    assert_eq!(listed(&raw, &format!("?project_id={mine}")).await, seen);
    assert_eq!(
        listed(&raw, &format!("?project_id={other}")).await,
        BTreeSet::new()
    );
    for hidden in [elsewhere, nowhere] {
        assert_eq!(raw.get(&format!("/v1/tasks/{hidden}")).await.status, 404);
        assert_eq!(raw.cancel(&hidden).await.status, 404);
        world.until_state(&hidden, TaskState::Completed).await;
    }
}

#[tokio::test]
async fn a_key_is_replaced_at_once_or_after_a_grace_and_what_is_answered_outlives_a_crash() {
    let mut world = World::keyed().await;
    let rotate = async |world: &World, key: &MadeKey, grace_ms: u64| -> MadeKey {
        let path = format!("{KEYS}/{}/rotate", key.id);
        let answer = world
            .raw
            .post(&path, &json!({ "grace_ms": grace_ms }))
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        MadeKey::of(&answer)
    };
    let first = world.make_key(user_of("acme")).await;
    let second = rotate(&world, &first, 600_000).await;
    for key in [&first, &second] {
        let whoami = world.holder(key).get("/v1/whoami").await.json();
        assert_eq!(
            (&whoami["tenant"], &whoami["key_id"]),
            (&json!("acme"), &json!(key.id))
        );
    }
    let third = rotate(&world, &second, 0).await;
    world.daemon.kill();
    world.restart().await;
    let said = unauthorized(&world.holder(&second).get("/v1/whoami").await);
    assert!(
        said.contains("replaced") && said.contains(&third.id),
        "{said}"
    );
    for key in [&first, &third] {
        assert_eq!(world.holder(key).get("/v1/whoami").await.status, 200);
    }
    let path = format!("{KEYS}/{}/rotate", second.id);
    let ended = world.raw.post(&path, &json!({ "grace_ms": 0 })).await;
    assert_eq!(refusal(&ended), (409, "KEY_CONFLICT".to_owned()));

    let revoke = format!("{KEYS}/{}/revoke", third.id);
    assert_eq!(send(world.raw.request("POST", &revoke)).await.status, 200);
    world.daemon.kill();
    world.restart().await;
    unauthorized(&world.holder(&third).get("/v1/whoami").await);

    // Newest first, page by page, of every tenant or of one.
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world
            .raw
            .get(&format!("{KEYS}?limit=1{cursor}"))
            .await
            .json();
        listed.push(page["keys"][0]["key_id"].as_str().unwrap().to_owned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let (_, first_key) = world.first_key().split_once('_').unwrap();
    let (first_key, _) = first_key.split_once('_').unwrap();
    assert_eq!(listed, [&third.id, &second.id, &first.id, first_key]);
    let of_acme = world.raw.get(&format!("{KEYS}?tenant=acme")).await.json();
    assert_eq!(of_acme["keys"].as_array().unwrap().len(), 3);
    let text = of_acme.to_string();
    assert!(
        !text.contains("mac") && !text.contains(third.text.rsplit_once('_').unwrap().1),
        "{text}"
    );
    let faulty = world.raw.get(&format!("{KEYS}?cursor=x")).await;
    assert_eq!(refusal(&faulty), (400, "INVALID_PARAMS".to_owned()));
}

#[tokio::test]
async fn failed_tries_are_bounded_and_a_right_key_is_let_in_all_the_same() {
    let world = World::keyed().await;
    let raw = world.raw.with_key("orch_nonsense");
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(raw.get("/v1/tasks").await);
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10..], [429; 2]);
    let throttled = &answers[11];
    assert_eq!(refusal(throttled), (429, "TRIES_EXCEEDED".to_owned()));
    let problem = throttled.problem();
    assert_eq!(
        (&problem["retriable"], &problem["limit_name"]),
        (&json!(true), &json!("keys.failed_tries"))
    );
    assert!(problem["retry_after_ms"].as_u64().unwrap() <= 6_000);
    assert_eq!(world.raw.get("/v1/tasks").await.status, 200);
    unauthorized(&world.raw.without_key().get("/v1/tasks").await);
}
