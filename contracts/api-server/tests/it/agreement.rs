//! The fast path and the schema decide alike.

use api_server::{REQUEST_SCHEMAS, support::Rejection};
use api_types::TaskCreateRequest;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

/// A body with every field.
fn full() -> Value {
    json!({
        "task_id": "019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a",
        "input": { "kind": "completion", "prompt": "Once upon a time" },
        "model_ref": "haiku-tiny",
        "engine": "embedded",
        "ctx": 512,
        "max_tokens": 64,
        "ignore_eos": false,
        "temperature": 0.8,
        "top_k": 40,
        "top_p": 0.95,
        "min_p": 0.05,
        "repeat_penalty": 1.0,
        "seed": 42,
        "determinism": "strict",
        "priority": "batch",
        "session_id": "019a2f3c-7a51-7c40-9a53-000000000001",
        "on_disconnect": "continue",
        "metadata": { "team": "docs" },
    })
}

/// Places to change: every field, and some that should not be there.
fn places() -> Vec<String> {
    let mut places: Vec<String> = full()
        .as_object()
        .unwrap()
        .keys()
        .map(|key| format!("/{key}"))
        .collect();
    for extra in [
        "/other",
        "/input/kind",
        "/input/prompt",
        "/input/other",
        "/metadata/team",
    ] {
        places.push(extra.to_owned());
    }
    places
}

/// Values at and around every bound and type of the contract.
fn values() -> impl Strategy<Value = Option<Value>> {
    let edges = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(1.0),
        json!(-0.0),
        json!(0.009),
        json!(5),
        json!(5.000001),
        json!(16_777_216),
        json!(16_777_217),
        json!(1_048_577),
        json!(1_000_001),
        json!(2_147_483_647_u64),
        json!(2_147_483_648_u64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(""),
        json!("batch"),
        json!("strict"),
        json!("prompt"),
        json!("cancel"),
        json!("ä".repeat(256)),
        json!("ä".repeat(257)),
        json!("x".repeat(513)),
        json!("019A2F3C-7A51-7C40-9A53-1F2E3D4C5B6A"),
        json!("019a2f3c7a517c409a531f2e3d4c5b6a"),
        json!("urn:uuid:019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a"),
        json!([]),
        json!({}),
        json!({ "kind": "prompt", "prompt": "x" }),
        json!({ "kind": "prompt" }),
        json!(
            (0..17)
                .map(|i| (i.to_string(), json!("v")))
                .collect::<serde_json::Map<_, _>>()
        ),
    ];
    prop_oneof![
        8 => select(edges).prop_map(Some),
        1 => any::<f64>().prop_map(|number| Some(json!(number))),
        1 => any::<i64>().prop_map(|number| Some(json!(number))),
        1 => any::<String>().prop_map(|text| Some(json!(text))),
        1 => Just(None),
    ]
}

fn put(body: &mut Value, place: &str, value: Option<Value>) {
    let (parent, key) = place.rsplit_once('/').unwrap();
    let Some(Value::Object(parent)) = body.pointer_mut(parent) else {
        return;
    };
    match value {
        Some(value) => parent.insert(key.to_owned(), value),
        None => parent.remove(key),
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_the_fast_path_accepts_is_exactly_what_the_schema_accepts(
        changes in vec((select(places()), values()), 0..4),
    ) {
        let mut body = full();
        for (place, value) in changes {
            put(&mut body, &place, value);
        }
        let bytes = serde_json::to_vec(&body).unwrap();
        let faults = REQUEST_SCHEMAS.faults("TaskCreateRequest", &bytes);
        match REQUEST_SCHEMAS.read::<TaskCreateRequest>(&bytes) {
            Ok(read) => {
                prop_assert!(faults.is_empty(), "{body}: {faults:?}");
                // What was read says the same again, so nothing was lost on the way in.
                let again = serde_json::to_vec(&read).unwrap();
                prop_assert_eq!(
                    REQUEST_SCHEMAS.read::<TaskCreateRequest>(&again).unwrap(),
                    read
                );
            }
            Err(rejection) => {
                prop_assert!(!faults.is_empty(), "{body}: {rejection:?}");
                let Rejection::Invalid { faults: told } = rejection else {
                    panic!("{rejection:?}");
                };
                prop_assert_eq!(told, faults);
            }
        }
    }
}

#[test]
fn the_whole_example_is_accepted() {
    let bytes = serde_json::to_vec(&full()).unwrap();
    assert!(REQUEST_SCHEMAS.read::<TaskCreateRequest>(&bytes).is_ok());
}
