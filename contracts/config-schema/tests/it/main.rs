//! What operators see when they write a configuration.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use config_schema::{Config, ConfigFault, FullPolicy, Pool, parse, parse_and, schema_json};

fn describe(text: &str) -> String {
    match parse(text) {
        Ok(config) => format!("{config:#?}"),
        Err(faults) => faults
            .iter()
            .map(|fault| fault.describe("orchestrator.toml"))
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

#[test]
fn empty_file_is_all_defaults() {
    assert_eq!(parse("").unwrap(), Config::default());
}

#[test]
fn syntax_fault_has_its_line() {
    insta::assert_snapshot!(describe("[server]\nlisten = \n"));
}

#[test]
fn unknown_field_is_refused_with_the_nearest_name() {
    insta::assert_snapshot!(describe("[[pool]]\nid = \"a\"\n\nreplica = 2\n"));
}

#[test]
fn unknown_engine_is_refused_with_the_known_ones() {
    insta::assert_snapshot!(describe("[[pool]]\nid = \"a\"\nengine = \"quantum\"\n"));
}

#[test]
fn wrong_shape_is_refused_with_the_right_one() {
    let faults = [
        "[session]\nturns_max = \"many\"\n",
        "[session]\nttl_ms = -1\n",
        "[session]\nturns_max = 5000000000\n",
        "[server]\nlisten = 8484\n",
        "[server]\ndata_dir = 1\n",
        "[server]\nlog_format = 1\n",
        "queue = 3\n",
        "[queue]\nclass = 3\n",
        "[queue]\nclass = [3]\n",
        "[[queue.class]]\nname = \"a\"\ncapacity = \"5\"\n",
        "[[queue.class]]\nname = \"a\"\nfull_policy = \"drop\"\n",
        "[[queue.class]]\ncapacity = 5\n",
        "[pool]\nid = \"a\"\n",
        "pool = [3]\n",
        "[[pool]]\nreplicas = 2\n",
        "[[pool]]\nid = \"a\"\nmax_tokens_per_second = \"5\"\n",
        "[[pool]]\nid = \"a\"\nurls = \"http://127.0.0.1:1\"\n",
    ];
    insta::assert_snapshot!(faults.map(describe).join("\n"));
}

#[test]
fn without_a_list_there_are_two_classes() {
    let queue = parse("[queue]\nage_after_ms = 2000\n").unwrap().queue;
    let classes: Vec<_> = queue.classes_in_bands().collect();
    let [(urgent, 1), (other, 2)] = classes[..] else {
        panic!("{classes:?}");
    };
    assert_eq!(
        (
            urgent.name.as_str(),
            urgent.full_policy,
            urgent.capacity,
            urgent.weight
        ),
        ("interactive", FullPolicy::Reject, 1_024, 8)
    );
    assert_eq!(
        (
            other.name.as_str(),
            other.full_policy,
            other.capacity,
            other.weight
        ),
        ("batch", FullPolicy::DropLru, 1_024, 1)
    );
    assert_eq!(queue.class_by_default(), "interactive");
}

#[test]
fn a_list_of_classes_is_taken_as_it_is() {
    let text = r#"
[queue]
default_class = "soon"
[[queue.class]]
name = "urgent"
capacity = 5
weight = 8
[[queue.class]]
name = "soon"
band = 1
[[queue.class]]
name = "night"
full_policy = "shed-low-priority"
"#;
    let queue = parse(text).unwrap().queue;
    let bands: Vec<_> = queue
        .classes_in_bands()
        .map(|(class, band)| (class.name.as_str(), band))
        .collect();
    assert_eq!(bands, [("urgent", 1), ("soon", 1), ("night", 3)]);
    assert_eq!(queue.classes[1].capacity, 1_024);
    assert_eq!(queue.classes[1].full_policy, FullPolicy::Reject);
    assert_eq!(queue.class_by_default(), "soon");
}

#[test]
fn who_asks_for_none_waits_in_interactive_if_there_is_one_and_else_in_the_first() {
    let by_default = |text| parse(text).unwrap().queue.class_by_default().to_owned();
    let named = "[[queue.class]]\nname = \"now\"\n[[queue.class]]\nname = \"interactive\"\n";
    assert_eq!(by_default(named), "interactive");
    let other = "[[queue.class]]\nname = \"now\"\n[[queue.class]]\nname = \"later\"\n";
    assert_eq!(by_default(other), "now");
}

#[test]
fn a_list_of_classes_that_cannot_be_is_refused_with_the_way_out() {
    let class = |name: &str, more: &str| format!("[[queue.class]]\nname = \"{name}\"\n{more}");
    let many: String = (0..17)
        .map(|n| class(&format!("c{n}"), "band = 1\n"))
        .collect();
    let faults = [
        "[queue]\nclass = []\n".to_owned(),
        class("Urgent", ""),
        class("a-name-that-is-too-long-", ""),
        class("a", "") + &class("a", ""),
        class("a", "band = 3\n") + &class("b", "band = 2\n"),
        class("a", "band = 3\n") + &class("b", ""),
        class("a", "band = 17\nweight = 0\n"),
        "[queue]\ndefault_class = \"soon\"\n".to_owned(),
        many,
        "[queue.batch]\ncapacity = 5\n".to_owned(),
        "[queue]\ninteractive = { capacity = 5 }\n".to_owned(),
    ];
    insta::assert_snapshot!(faults.map(|text| describe(&text)).join("\n"));
}

#[test]
fn a_model_is_named_by_its_file_if_nothing_names_it() {
    let named = |fields: &str| {
        let config = parse(&format!("[[pool]]\nid = \"a\"\n{fields}\n")).unwrap();
        config.pools[0].model_name().into_owned()
    };
    assert_eq!(named(""), "haiku-tiny");
    assert_eq!(
        named("model_file = \"/models/my-model.q4.gguf\""),
        "my-model.q4"
    );
    let both = "model_file = \"/models/my-model.gguf\"\nmodel_ref = \"own\"";
    assert_eq!(named(both), "own");
    insta::assert_snapshot!(describe("[[pool]]\nid = \"a\"\nmodel_file = \"/\"\n"));
}

#[test]
fn what_only_the_reader_knows_gets_its_line_too() {
    let faults = parse_and("[server]\n\nlog = \"x\"\n", |config| {
        vec![ConfigFault {
            line: None,
            pointer: "/server/log".to_owned(),
            what: config.server.log.clone(),
            hint: None,
        }]
    })
    .unwrap_err();
    assert_eq!(faults[0].describe("f"), "f:3: /server/log: x");
}

#[test]
fn every_range_fault_is_listed() {
    insta::assert_snapshot!(describe(
        r#"
[server]
listen = "localhost:80"
store = "mysql://x"

[[queue.class]]
name = "batch"
capacity = 0
full_policy = "reject"

[retry]
backoff_base_ms = 5000
backoff_cap_ms = 10

[[pool]]
id = "a b"
replicas = 0
max_tokens_per_second = -1.0
urls = ["http://127.0.0.1:1"]

[[pool]]
id = "far"
engine = "llamacpp"
threads = 2

[[pool]]
id = "far"
engine = "llamacpp"
urls = ["ftp://x"]
"#
    ));
}

#[test]
fn a_quota_that_nothing_could_hold_or_that_says_half_is_refused() {
    let faults = [
        "[quota.tenant]\nkv_mb_max = 5\n",
        "[quota.tenant]\nkv_mb_max = 5\n[[pool]]\nid = \"a\"\nkv_bytes_per_token = 9\n[[pool]]\nid = \"b\"\n",
        "[quota.tenant]\nburst = 5\n",
        "[quota.tenant]\ntokens_per_min = 0\n",
        "[[pool]]\nid = \"a\"\nkv_bytes_per_token = 0\n",
    ];
    insta::assert_snapshot!(faults.map(describe).join("\n"));
    let told = "[quota.tenant]\nkv_mb_max = 5\n[[pool]]\nid = \"a\"\nkv_bytes_per_token = 9\n";
    assert_eq!(parse(told).unwrap().quota.tenant.kv_mb_max, Some(5));
}

#[test]
fn pools_may_share_engines() {
    let text = r#"
[[pool]]
id = "a"
replicas = 2
[[pool]]
id = "b"
model_file = "/models/b.gguf"
shares_engines_with = "a"
[[pool]]
id = "c"
engine = "llamacpp"
model_ref = "c"
urls = ["http://127.0.0.1:1", "http://127.0.0.1:2"]
[[pool]]
id = "d"
engine = "llamacpp"
model_ref = "d"
urls = ["http://127.0.0.1:2/"]
"#;
    let pools = parse(text).unwrap().pools;
    let owners: Vec<_> = pools.iter().map(Pool::engines_of).collect();
    assert_eq!(owners, ["a", "a", "c", "d"]);
}

#[test]
fn pools_that_cannot_share_engines_are_refused_with_the_way_out() {
    let own = "[[pool]]\nid = \"a\"\n";
    let sharing = |id: &str, with: &str, more: &str| {
        format!("[[pool]]\nid = \"{id}\"\nshares_engines_with = \"{with}\"\n{more}")
    };
    let attached = |id: &str, more: &str| {
        format!(
            "[[pool]]\nid = \"{id}\"\nengine = \"llamacpp\"\nurls = [\"http://127.0.0.1:1\"]\n{more}"
        )
    };
    let named = "model_ref = \"m\"\n";
    let faults = [
        sharing("b", "nowhere", named),
        sharing("b", "b", named),
        own.to_owned() + &sharing("b", "a", named) + &sharing("c", "b", "model_ref = \"n\"\n"),
        attached("a", named) + &sharing("b", "a", named),
        own.to_owned() + &attached("b", "model_ref = \"m\"\nshares_engines_with = \"a\"\n"),
        own.to_owned()
            + &sharing(
                "b",
                "a",
                "model_ref = \"m\"\nreplicas = 1\nthreads = 2\nmax_tokens_per_second = 5.0\nengine_binary = \"/bin/x\"\n",
            ),
        own.to_owned() + &sharing("b", "a", ""),
        own.to_owned() + &sharing("b", "a", named) + &sharing("c", "a", named),
        attached("a", named) + &attached("b", ""),
        attached("a", named) + &attached("b", named),
        attached("a", "") + &attached("b", ""),
    ];
    insta::assert_snapshot!(faults.map(|text| describe(&text)).join("\n"));
}

#[test]
fn schema_in_the_tree_is_the_schema_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/config.schema.json");
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        schema_json(),
        "run `cargo xtask regen-schema`"
    );
}
