//! What operators see when they write a configuration.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use config_schema::{Config, parse, schema_json};

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
fn wrong_type_is_refused() {
    insta::assert_snapshot!(describe("[session]\nturns_max = \"many\"\n"));
}

#[test]
fn every_range_fault_is_listed() {
    insta::assert_snapshot!(describe(
        r#"
[server]
listen = "0.0.0.0:80"
store = "mysql://x"

[queue.batch]
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
fn schema_in_the_tree_is_the_schema_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/config.schema.json");
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        schema_json(),
        "run `cargo xtask regen-schema`"
    );
}
