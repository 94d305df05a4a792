//! Generated JSON.

use serde_json::Value;

use crate::{
    contract::Contract,
    request_schema::{self, Unlisted},
    yaml::{self, Node},
};

/// The published bundle of one API.
pub fn bundle(document: &Node) -> String {
    yaml::to_json_text(document)
}

/// The JSON Schemas of everything that travels in requests.
pub fn request_schemas(contract: &Contract) -> String {
    let document = request_schema::document(
        contract,
        contract.directions.requests.iter(),
        Unlisted::AsWritten,
    );
    let mut out = String::new();
    write(&document, 0, &mut out);
    out.push('\n');
    out
}

/// Indented text with sorted keys, the same whatever order `serde_json` was built to keep.
fn write(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                separate(i, depth, out);
                out.push_str(&Value::String(key.clone()).to_string());
                out.push_str(": ");
                write(&map[key], depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                separate(i, depth, out);
                write(item, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn separate(index: usize, depth: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
    line(depth + 1, out);
}

fn line(depth: usize, out: &mut String) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}
