//! JSON Schema (draft 7) for the request bodies, out of the generator's own model.
//!
//! Built from the model rather than from the document, so that the schema and the generated
//! checks say the same by construction.

use serde_json::{Map, Value, json};

use crate::{
    contract::Contract,
    model::{Named, Object, Shape, TextRules, Type, Typed, Union},
};

/// What the objects of a schema do with properties that they do not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// Refuse them.
    Refuse,
    /// Refuse them where the contract says so.
    AsWritten,
}

/// A document whose `definitions` are the named schemas.
pub fn document<'a>(
    contract: &Contract,
    names: impl Iterator<Item = &'a String>,
    unlisted: Unlisted,
) -> Value {
    let definitions: Map<String, Value> = names
        .filter_map(|name| contract.schemas.get(name))
        .map(|named| (named.name.clone(), schema(named, unlisted)))
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": definitions,
    })
}

fn schema(named: &Named, unlisted: Unlisted) -> Value {
    match &named.shape {
        Shape::Object(object) => self::object(object, unlisted),
        Shape::Union(union) => self::union(union),
        Shape::Enumeration(list) => json!({ "type": "string", "enum": list.values }),
        Shape::Alias(typed) => self::typed(typed),
    }
}

fn object(object: &Object, unlisted: Unlisted) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if let Some((tag, value)) = &object.tagged {
        properties.insert(tag.clone(), json!({ "const": value }));
        required.push(tag);
    }
    for property in &object.properties {
        properties.insert(property.name.clone(), typed(&property.typed));
        if property.required {
            required.push(&property.name);
        }
    }
    let mut schema = json!({
        "type": "object",
        "required": required,
        "properties": properties,
    });
    if object.closed || unlisted == Unlisted::Refuse {
        schema["additionalProperties"] = Value::Bool(false);
    }
    schema
}

/// The tag decides which variant is looked at, so that faults are those of the variant meant.
fn union(union: &Union) -> Value {
    let tag = &union.tag;
    let allowed: Vec<&String> = union.variants.iter().map(|variant| &variant.tag).collect();
    let cases: Vec<Value> = union
        .variants
        .iter()
        .map(|variant| {
            json!({
                "if": { "properties": { tag: { "const": variant.tag } }, "required": [tag] },
                "then": reference(&variant.schema),
            })
        })
        .collect();
    json!({
        "type": "object",
        "required": [tag],
        "properties": { tag: { "type": "string", "enum": allowed } },
        "allOf": cases,
    })
}

/// The schema of one type, whose references lead into a [`document`].
pub fn typed(typed: &Typed) -> Value {
    let schema = ty(&typed.ty);
    if !typed.nullable {
        return schema;
    }
    match &typed.ty {
        // Behind `if`, faults of the schema keep their own places.
        Type::Ref(_) => json!({ "if": { "not": { "type": "null" } }, "then": schema }),
        _ => {
            let mut schema = schema;
            schema["type"] = json!([schema["type"], "null"]);
            schema
        }
    }
}

fn ty(ty: &Type) -> Value {
    match ty {
        Type::Ref(name) => reference(name),
        Type::Text(rules) => text(rules),
        Type::Uuid => json!({ "type": "string", "format": "uuid" }),
        Type::Integer(rules) => json!({
            "type": "integer",
            "x-wire-integer": true,
            "minimum": rules.min as i64,
            "maximum": rules.max as i64,
        }),
        Type::Number(rules) => {
            let mut schema = json!({ "type": "number" });
            if let Some((bound, open)) = rules.min {
                schema[if open { "exclusiveMinimum" } else { "minimum" }] = number(bound);
            }
            if let Some((bound, open)) = rules.max {
                schema[if open { "exclusiveMaximum" } else { "maximum" }] = number(bound);
            }
            schema
        }
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Array(items, rules) => {
            let mut schema = json!({ "type": "array", "items": typed(items) });
            set(&mut schema, "minItems", rules.min);
            set(&mut schema, "maxItems", rules.max);
            if rules.unique {
                schema["uniqueItems"] = Value::Bool(true);
            }
            schema
        }
        Type::Map(values, rules) => {
            let mut schema = json!({ "type": "object", "additionalProperties": typed(values) });
            set(&mut schema, "minProperties", rules.min);
            set(&mut schema, "maxProperties", rules.max);
            schema
        }
        Type::Free => json!({ "type": "object" }),
    }
}

fn text(rules: &TextRules) -> Value {
    let mut schema = json!({ "type": "string" });
    set(&mut schema, "minLength", rules.min);
    set(&mut schema, "maxLength", rules.max);
    if let Some(pattern) = &rules.pattern {
        schema["pattern"] = json!(pattern);
    }
    schema
}

/// A whole number is written as one, as it stood in the contract.
fn number(bound: f64) -> Value {
    match bound.fract() == 0.0 && bound.abs() < 1e15 {
        true => json!(bound as i64),
        false => json!(bound),
    }
}

fn set(schema: &mut Value, key: &str, bound: Option<u64>) {
    if let Some(bound) = bound {
        schema[key] = json!(bound);
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}
