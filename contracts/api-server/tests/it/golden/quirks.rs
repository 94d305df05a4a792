//! What the golden cases do when they run.

use api_types::support::{Event, Validate};
use serde_json::{Value, from_value, json, to_value};

use super::cases;

fn reads<T: serde::de::DeserializeOwned>(value: Value) -> bool {
    from_value::<T>(value).is_ok()
}

fn fault<T: serde::de::DeserializeOwned + Validate>(value: Value) -> Option<(String, String)> {
    let value: T = from_value(value).unwrap();
    value
        .validate()
        .err()
        .map(|fault| (fault.pointer, fault.detail))
}

#[test]
fn a_request_tells_absent_from_null() {
    use cases::optional_and_nullable::types::{Asked, Told};
    let with = |key: &str, value: Value| {
        let mut body = json!({ "plain": "x", "nullable": null });
        body[key] = value;
        body
    };
    assert!(reads::<Asked>(json!({ "plain": "x", "nullable": null })));
    assert!(
        !reads::<Asked>(json!({ "plain": "x" })),
        "nullable must be there"
    );
    assert!(!reads::<Asked>(with("plain", Value::Null)));
    assert!(!reads::<Asked>(with("optional", Value::Null)));
    assert!(reads::<Asked>(with("both", Value::Null)));
    assert!(reads::<Asked>(with("reference", Value::Null)));
    assert!(!reads::<Asked>(with("other", json!(1))));
    // A reply is read tolerantly, and written with what its schema requires.
    assert!(reads::<Told>(json!({ "other": 1 })));
    let told = Told {
        nullable: None,
        optional: None,
    };
    assert_eq!(to_value(told).unwrap(), json!({ "nullable": null }));
}

#[test]
fn enumerations_are_closed_or_keep_what_they_do_not_know() {
    use cases::enumerations::types::{Asked, Mode, State, Told, ToldLevel};
    assert_eq!(
        Mode::ALL.iter().map(Mode::as_str).collect::<Vec<_>>(),
        ["fast", "drop-lru", "2x"]
    );
    assert_eq!("drop-lru".parse::<Mode>().unwrap(), Mode::DropLru);
    let error = "slow".parse::<Mode>().unwrap_err().to_string();
    assert_eq!(error, "\"slow\" is not one of fast, drop-lru, 2x");
    assert!(!reads::<Asked>(json!({ "mode": "slow" })));
    let told: Told = from_value(json!({ "state": "paused", "level": "low" })).unwrap();
    assert_eq!(told.level, ToldLevel::Low);
    assert!(matches!(&told.state, State::Unknown(text) if text.as_str() == "paused"));
    assert_eq!(to_value(told).unwrap()["state"], "paused");
    assert_eq!(format!("{:>6}", Mode::Fast), "  fast");
}

#[test]
fn the_tag_chooses_the_variant() {
    use cases::tagged_union::types::{Asked, Square};
    assert_eq!(
        to_value(Asked::Square(Square {})).unwrap(),
        json!({ "shape": "square" })
    );
    assert!(reads::<Asked>(json!({ "shape": "circle", "radius": 1 })));
    assert!(!reads::<Asked>(json!({ "shape": "square", "radius": 1 })));
    let error = from_value::<Asked>(json!({ "shape": "dot" }))
        .unwrap_err()
        .to_string();
    assert!(error.contains("expected `circle` or `square`"), "{error}");
    let found = fault::<Asked>(json!({ "shape": "circle", "radius": 0 })).unwrap();
    assert_eq!(found.0, "/radius");
}

#[test]
fn an_unknown_kind_is_kept_and_a_broken_known_one_is_not() {
    use cases::extensible_union::types::{Event, Told};
    let sent = json!({ "events": [
        { "kind": "started", "at_ms": 5 },
        { "kind": "paused", "until": { "x": 1 } },
        { "kind": "ended" },
    ] });
    let told: Told = from_value(sent.clone()).unwrap();
    assert!(matches!(&told.events[1], Event::Unknown(object) if object.tag() == "paused"));
    assert_eq!(to_value(&told).unwrap(), sent);
    assert!(!reads::<Event>(json!({ "kind": "started" })));
    assert!(!reads::<Event>(json!({ "at_ms": 5 })));
    assert!(!reads::<Event>(json!({ "kind": 1 })));
}

#[test]
fn maps_are_bounded_in_number_and_values() {
    use cases::maps::types::Asked;
    assert_eq!(fault::<Asked>(json!({ "labels": { "a": "b" } })), None);
    let found = fault::<Asked>(json!({ "labels": {} })).unwrap();
    assert_eq!(
        found,
        (
            "/labels".to_owned(),
            "0 entries are fewer than 1".to_owned()
        )
    );
    let found = fault::<Asked>(json!({ "labels": { "a~/b": "long" } })).unwrap();
    assert_eq!(found.0, "/labels/a~0~1b");
}

#[test]
fn integers_keep_to_their_format() {
    use cases::integers::types::Asked;
    assert!(!reads::<Asked>(json!({ "small": 2_147_483_648_u32 })));
    assert!(!reads::<Asked>(json!({ "small_count": -1 })));
    let found = fault::<Asked>(json!({ "small_count": 2_147_483_648_u32 })).unwrap();
    assert_eq!(
        found.1,
        "2147483648 is greater than the maximum of 2147483647"
    );
    assert!(fault::<Asked>(json!({ "large_count": u64::MAX })).is_some());
    assert_eq!(
        fault::<Asked>(json!({ "large": i64::MIN, "ranged": -5 })),
        None
    );
    assert!(fault::<Asked>(json!({ "ranged": 6 })).is_some());
}

#[test]
fn every_bound_is_checked_with_its_place() {
    use cases::bounds::types::Asked;
    let sound = json!({
        "text": "abcd", "share": 0.5, "heat": 1.5, "list": [1, 9],
        "grid": [["a", null], []], "inner": [{ "name": "x" }],
    });
    assert_eq!(fault::<Asked>(sound), None);
    for (body, pointer) in [
        (json!({ "text": "a" }), "/text"),
        (json!({ "text": "abcde" }), "/text"),
        (json!({ "text": "ABC" }), "/text"),
        (json!({ "share": 0.0 }), "/share"),
        (json!({ "share": 1 }), "/share"),
        (json!({ "heat": 1.50001 }), "/heat"),
        (json!({ "list": [] }), "/list"),
        (json!({ "list": [1, 2, 3, 4] }), "/list"),
        (json!({ "list": [1, 2, 1] }), "/list/2"),
        (json!({ "list": [1, 10] }), "/list/1"),
        (json!({ "grid": [[], ["a", "bc"]] }), "/grid/1/1"),
        (
            json!({ "inner": [{ "name": "x" }, { "name": "" }] }),
            "/inner/1/name",
        ),
    ] {
        assert_eq!(fault::<Asked>(body).unwrap().0, pointer);
    }
}

#[test]
fn names_stay_their_own_on_the_wire() {
    use cases::names::types::{Asked, Told};
    let asked = Asked {
        type_: Some("a".to_owned()),
        self_: None,
    };
    assert_eq!(to_value(asked).unwrap(), json!({ "type": "a" }));
    let told = Told {
        camel_case: "1".to_owned(),
        kebab_case: "2".to_owned(),
        _2nd: "3".to_owned(),
    };
    let sent = json!({ "camelCase": "1", "kebab-case": "2", "2nd": "3" });
    assert_eq!(to_value(told).unwrap(), sent);
}

#[test]
fn uuids_have_their_hyphens_wherever_they_stand() {
    use cases::uuids::types::{Asked, Told};
    let good = "019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a";
    let bad = "019a2f3c7a517c409a531f2e3d4c5b6a";
    let base = json!({ "one": good, "maybe_null": null });
    assert!(reads::<Asked>(base.clone()));
    for (key, right, wrong) in [
        ("one", json!(good), json!(bad)),
        ("maybe", json!(good), json!(bad)),
        ("maybe", json!(good), Value::Null),
        ("maybe_null", json!(good), json!(bad)),
        ("many", json!([good]), json!([good, bad])),
        ("named", json!({ "a": good }), json!({ "a": bad })),
    ] {
        let mut body = base.clone();
        body[key] = right;
        assert!(reads::<Asked>(body.clone()), "{body}");
        body[key] = wrong;
        assert!(!reads::<Asked>(body.clone()), "{body}");
    }
    // What a server sends is taken as it comes.
    assert!(reads::<Told>(json!({ "one": bad })));
}

#[test]
fn events_are_written_and_read_by_name() {
    use cases::events::types::{End, ThingStreamEvent, Tick};
    let tick = ThingStreamEvent::Tick(Tick { n: 3 });
    assert_eq!(
        (tick.name(), tick.data().unwrap().as_str()),
        ("tick", "{\"n\":3}")
    );
    assert_eq!(
        ThingStreamEvent::read("tick", "{\"n\":3,\"new\":1}").unwrap(),
        tick
    );
    assert!(!tick.is_terminal());
    assert!(ThingStreamEvent::End(End { why: String::new() }).is_terminal());
    assert_eq!(ThingStreamEvent::LISTED, ["tick", "end"]);
}

#[test]
fn what_the_contract_declares_is_at_hand() {
    let operation = &cases::security::server::things::THING_LIST;
    assert_eq!(operation.security.len(), 2);
    assert_eq!(operation.scope, Some(api_server::support::Scope::Operator));
    assert_eq!(
        operation.security[0].0,
        [("bearer", &["things.read", "things.write"][..])]
    );
    assert_eq!(
        operation.security[1].0,
        [("key", &[][..]), ("bearer", &[][..])]
    );
    use cases::body_limit::server::things::{THING_CREATE, THING_PUT};
    assert_eq!(
        (THING_CREATE.body_limit_bytes, THING_PUT.body_limit_bytes),
        (100, 1_048_576)
    );
}
