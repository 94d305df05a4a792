//! JSON out of the tree, in source order, independent of how `serde_json` orders its maps.

use serde_json::{Map, Number, Value};

use super::node::{Data, Node};

/// The node as a JSON value.
pub fn to_json_value(node: &Node) -> Value {
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(flag) => Value::Bool(*flag),
        Data::Int(_) | Data::Float(_) => number(node).map_or(Value::Null, Value::Number),
        Data::Text(text) => Value::String(text.clone()),
        Data::Seq(items) => Value::Array(items.iter().map(to_json_value).collect()),
        Data::Map(entries) => Value::Object(
            entries
                .iter()
                .map(|entry| (entry.key.clone(), to_json_value(&entry.value)))
                .collect::<Map<_, _>>(),
        ),
    }
}

/// The node as indented JSON text with a final newline.
pub fn to_json_text(node: &Node) -> String {
    let mut out = String::new();
    write(node, 0, &mut out);
    out.push('\n');
    out
}

fn number(node: &Node) -> Option<Number> {
    match &node.data {
        Data::Int(number) => i64::try_from(*number)
            .map(Number::from)
            .or_else(|_| u64::try_from(*number).map(Number::from))
            .ok()
            .or_else(|| Number::from_f64(*number as f64)),
        Data::Float(number) => Number::from_f64(*number),
        _ => None,
    }
}

fn write(node: &Node, depth: usize, out: &mut String) {
    match &node.data {
        Data::Seq(items) if !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                separate(i, depth, out);
                write(item, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        Data::Map(entries) if !entries.is_empty() => {
            out.push('{');
            for (i, entry) in entries.iter().enumerate() {
                separate(i, depth, out);
                out.push_str(&Value::String(entry.key.clone()).to_string());
                out.push_str(": ");
                write(&entry.value, depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
        _ => out.push_str(&to_json_value(node).to_string()),
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
