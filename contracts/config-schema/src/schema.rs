//! The JSON Schema of the configuration.

use schemars::schema_for;

use crate::config::Config;

/// The schema as text, the same on every call.
#[must_use]
pub fn schema_json() -> String {
    let mut schema = schema_for!(Config);
    schema.insert("title".to_owned(), "Configuration of orchestratord".into());
    schema.insert(
        "$comment".to_owned(),
        "Made by `cargo xtask regen-schema` from contracts/config-schema. Do not edit.".into(),
    );
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain JSON");
    text.push('\n');
    text
}
