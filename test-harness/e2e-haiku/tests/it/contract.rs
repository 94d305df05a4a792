//! Every operation of the published contract answers as the contract says: with a listed status, the media type
//! that belongs to it, and a body that fits its schema.

use std::collections::BTreeSet;

use api_client::types::TaskState;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::raw::{Answer, send};
use crate::world::{World, eventually, exactly, plain, throttle, with};

/// One operation of a document, as the document has it.
pub(crate) struct Operation {
    document: Value,
    method: String,
    path: String,
    body: Value,
}

impl Operation {
    fn id(&self) -> &str {
        self.body["operationId"].as_str().unwrap()
    }

    /// Whether it answers well with something that a caller may not accept.
    fn has_a_body_to_choose(&self) -> bool {
        let replies = self.body["responses"].as_object().unwrap();
        let mut good = replies.iter().filter(|(status, _)| status.starts_with('2'));
        good.any(|(_, reply)| reply.get("content").is_some())
    }

    /// The reply that is listed for a status, with its references followed.
    fn reply(&self, status: u16) -> &Value {
        let listed = &self.body["responses"];
        let reply = listed
            .get(status.to_string())
            .unwrap_or_else(|| panic!("{} answered {status}, which is not listed", self.id()));
        match reply["$ref"].as_str() {
            None => reply,
            Some(place) => self.document.pointer(&place[1..]).unwrap(),
        }
    }

    /// Holds an answer to what is listed.
    pub(crate) fn check(&self, answer: &Answer) {
        let reply = self.reply(answer.status);
        let Some(content) = reply["content"].as_object() else {
            assert!(answer.body.is_empty(), "{}: {}", self.id(), answer.text());
            return;
        };
        let given = answer.header("content-type").unwrap();
        let given = given.split(';').next().unwrap();
        let listed = content
            .get(given)
            .unwrap_or_else(|| panic!("{} answered {} as {given}", self.id(), answer.status));
        for (name, header) in reply["headers"].as_object().into_iter().flatten() {
            if header["required"] == true {
                assert!(answer.header(name).is_some(), "{}: no {name}", self.id());
            }
        }
        if given.ends_with("json") {
            let faults = faults(&self.document, &listed["schema"], &answer.json());
            assert!(
                faults.is_empty(),
                "{}: {faults:#?}\n{}",
                self.id(),
                answer.text()
            );
        }
    }
}

/// What a value has that its schema does not allow.
fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    allow_null(&mut whole);
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft4)
        .build(&whole)
        .unwrap();
    validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Says in JSON Schema what OpenAPI 3.0 calls `nullable`.
fn allow_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        Value::Object(members) => {
            members.values_mut().for_each(allow_null);
            if members.remove("nullable") == Some(json!(true)) {
                let inner = Value::Object(std::mem::take(members));
                *schema = json!({ "anyOf": [inner, { "enum": [null] }] });
            }
        }
        _ => {}
    }
}

/// An operation of the data plane, as a daemon publishes it.
pub(crate) async fn published(world: &World, id: &str) -> Operation {
    let document = world.raw.get("/openapi/data.json").await.json();
    let all = operations(&document);
    all.into_iter()
        .find(|operation| operation.id() == id)
        .unwrap_or_else(|| panic!("no operation {id} is published"))
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete"] {
            if let Some(body) = item.get(method) {
                operations.push(Operation {
                    document: document.clone(),
                    method: method.to_uppercase(),
                    path: path.clone(),
                    body: body.clone(),
                });
            }
        }
    }
    operations
}

/// Things that there are, for the ids in paths.
struct Things {
    task: Uuid,
    session: Uuid,
    /// A task that is on its way for as long as anybody looks.
    running: Uuid,
    /// Correlation id of a refusal.
    refusal: String,
    /// Id of a bulk that touches nothing.
    bulk: String,
    /// Id of a key that nobody uses.
    key: String,
}

async fn things(world: &World) -> Things {
    let session = Uuid::new_v4();
    let body = with(exactly(2, 1), "session_id", session.to_string());
    let task = world.create(body).await.task_id;
    world.until_state(&task, TaskState::Completed).await;
    let running = world.create(exactly(400, 1)).await.task_id;
    let unserved = with(plain(), "model_ref", "nobody's");
    let refusal = world.raw.create(&unserved).await.problem();
    let refusal = refusal["correlation_id"].as_str().unwrap().to_owned();
    let key = json!({ "name": "a thing", "scopes": ["user"] });
    let key = world.raw.post("/v1/keys", &key).await.json();
    let key = key["key"]["key_id"].as_str().unwrap().to_owned();
    let none = json!({ "filter": { "state": "parked" } });
    let bulk = world.raw.post("/v1/tasks/requeue", &none).await.json();
    let bulk = bulk["bulk_id"].as_str().unwrap().to_owned();
    Things {
        task,
        session,
        running,
        refusal,
        bulk,
        key,
    }
}

impl Things {
    /// A path with the id of a thing in it that there is.
    fn fill(&self, path: &str) -> String {
        let id = match path {
            path if path.ends_with("/requeue") => self.running.to_string(),
            path if path.starts_with("/v1/tasks/") => self.task.to_string(),
            path if path.starts_with("/v1/refusals/") => self.refusal.clone(),
            path if path.starts_with("/v1/bulks/") => self.bulk.clone(),
            path if path.starts_with("/v1/sessions/") => self.session.to_string(),
            path if path.starts_with("/v1/keys/") => self.key.clone(),
            _ => "default".to_owned(),
        };
        let id = match path.starts_with("/v1/quotas/") {
            true => "acme".to_owned(),
            false => id,
        };
        path.replace("{kind}", "tenant").replace("{id}", &id)
    }
}

/// The bodies that the document itself gives as examples; one that is empty where there is no body.
fn examples(operation: &Operation) -> Vec<Option<Value>> {
    let content = &operation.body["requestBody"]["content"]["application/json"];
    match content["examples"].as_object() {
        None => vec![None],
        Some(examples) => {
            let values = examples.values().map(|it| Some(it["value"].clone()));
            values.collect()
        }
    }
}

/// Without a key, with a wrong one and with one that is allowed to nothing, and with a key in the URL.
async fn unknown_callers(world: &World, operation: &Operation, path: &str) {
    let open = operation.body["security"] == json!([]);
    let raw = world.raw.without_key();
    let answer = send(raw.request(&operation.method, path)).await;
    if !open {
        assert_eq!(answer.status, 401, "{}", operation.id());
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    operation.check(&answer);
    let key = world.first_key();
    let answer = send(raw.request(&operation.method, &format!("{path}?key={key}"))).await;
    assert_eq!(answer.status, 400, "{}", operation.id());
    operation.check(&answer);
    if !open && operation.body["x-scope"] != "any" {
        let body = json!({ "name": "for nothing", "scopes": ["backup"] });
        let made = world.raw.post("/v1/keys", &body).await.json();
        let raw = raw.with_key(made["api_key"].as_str().unwrap());
        let answer = send(raw.request(&operation.method, path)).await;
        assert_eq!(answer.status, 403, "{}", operation.id());
        operation.check(&answer);
    }
}

/// What comes after needs queues that go on.
async fn let_queues_go_on(world: &World) {
    for pool in [json!({}), json!({ "pool": "default" })] {
        world.raw.post("/v1/queue/resume", &pool).await;
    }
}

/// Things that there are not, where an operation does not make them.
async fn strangers(world: &World, operation: &Operation) {
    let of_keys = ["/v1/keys/", "/v1/quotas/"];
    let stranger = match of_keys.iter().any(|path| operation.path.starts_with(path)) {
        true => "00000000000000ff".to_owned(),
        false => Uuid::new_v4().to_string(),
    };
    let nobody = operation.path.replace("{kind}", "key");
    let nobody = nobody.replace("{id}", &stranger);
    let finds = operation.body["responses"].get("404").is_some();
    if finds && nobody != operation.path {
        let request = world.raw.request(&operation.method, &nobody);
        let answer = send(match examples(operation).into_iter().flatten().next() {
            None => request,
            Some(body) => request.json(&body),
        })
        .await;
        assert_eq!(answer.status, 404, "{}", operation.id());
        operation.check(&answer);
    }
}

/// What an operation answers to its own examples, about things that there are not, to strangers, and to who takes no
/// form of answer that it has.
async fn every_answer(world: &World, operation: &Operation) {
    let things = things(world).await;
    let path = things.fill(&operation.path);
    for body in examples(operation) {
        let request = world.raw.request(&operation.method, &path);
        let answer = send(match body {
            None => request,
            Some(body) => request.json(&body),
        })
        .await;
        assert!(answer.status < 300, "{}: {}", operation.id(), answer.text());
        operation.check(&answer);
    }
    let_queues_go_on(world).await;
    strangers(world, operation).await;
    unknown_callers(world, operation, &path).await;
    world.raw.cancel(&things.running).await;
    if operation.has_a_body_to_choose() {
        let unfit = world
            .raw
            .request(&operation.method, &path)
            .header("accept", "image/png");
        let answer = send(unfit).await;
        assert_eq!(answer.status, 406, "{}", operation.id());
        operation.check(&answer);
    }
}

#[tokio::test]
async fn every_operation_answers_as_the_contract_says() {
    let world = World::keyed_with(throttle(50.0)).await;
    let mut answered = BTreeSet::new();
    for plane in ["data", "control"] {
        let document = world.raw.get(&format!("/openapi/{plane}.json")).await;
        for operation in operations(&document.json()) {
            every_answer(&world, &operation).await;
            answered.insert(operation.id().to_owned());
        }
    }
    insta::assert_snapshot!(Vec::from_iter(answered).join("
"), @r"
    bulk_get
    capabilities_get
    health_get
    key_create
    key_list
    key_revoke
    key_rotate
    metrics_get
    openapi_control_get
    openapi_data_get
    pool_health
    queue_get
    queue_pause
    queue_resume
    quota_get
    quota_list
    quota_put
    readiness_get
    refusal_get
    refusal_list
    replicaset_list
    session_delete
    session_get
    session_put
    task_cancel
    task_cancel_bulk
    task_create
    task_create_batch
    task_get
    task_list
    task_requeue
    task_requeue_bulk
    task_result
    task_stream
    whoami_get
    ");
}

#[tokio::test]
async fn what_is_served_is_what_is_published() {
    let world = World::with(Default::default());
    for (plane, published) in [
        (
            "data",
            include_str!("../../../../contracts/openapi/generated/data.json"),
        ),
        (
            "control",
            include_str!("../../../../contracts/openapi/generated/control.json"),
        ),
    ] {
        let published: Value = serde_json::from_str(published).unwrap();
        let served = world.raw.get(&format!("/openapi/{plane}.json")).await;
        assert_eq!(served.json(), published, "{plane}");
    }
}

#[tokio::test]
async fn an_unready_daemon_answers_as_the_contract_says() {
    let config = "[[pool]]\nid = \"far\"\nengine = \"llamacpp\"\nurls = [\"http://127.0.0.1:9\"]\n";
    let options = test_harness_support::DaemonOptions::default().config(config);
    let world = World::with(options);
    let document = world.raw.get("/openapi/control.json").await.json();
    let readiness = operations(&document)
        .into_iter()
        .find(|operation| operation.id() == "readiness_get")
        .unwrap();
    // At first it may not even know its pools.
    let answer = eventually("the pool is missed", async || {
        let answer = world.raw.get("/readyz").await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        readiness.check(&answer);
        (answer.pointers() == ["pool/far"]).then_some(answer)
    })
    .await;
    let problem = answer.problem();
    assert_eq!(problem["code"], "NOT_READY", "{problem}");
    assert_eq!(problem["retriable"], json!(true), "{problem}");
}

#[test]
fn every_requirement_that_the_contract_names_is_written_down() {
    let specs = include_str!("../../../../specs/orchestrator.md");
    let data = include_str!("../../../../contracts/openapi/generated/data.json");
    let control = include_str!("../../../../contracts/openapi/generated/control.json");
    for document in [data, control] {
        let document: Value = serde_json::from_str(document).unwrap();
        for operation in operations(&document) {
            for id in operation.body["x-req-id"].as_array().unwrap() {
                let row = format!("| {} |", id.as_str().unwrap());
                let rows = specs.matches(&row).count();
                assert_eq!(rows, 1, "{} names {id}: {rows} rows", operation.id());
            }
        }
    }
}
