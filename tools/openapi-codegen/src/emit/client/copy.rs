//! The derived copy of an API that progenitor is given.
//!
//! progenitor knows less of OpenAPI than the contract says, so the copy holds only what it
//! needs to write the calls:
//!
//! - streaming operations are left out; their methods are written next to its own;
//! - of the replies only the success that carries a body stays. Every other status ends in one
//!   place, the client's support, which reads the problem with its status and headers;
//! - bounds are left out: the server checks them, and progenitor would wrap bounded texts in
//!   types of its own;
//! - objects and unions are stand-ins with the right name, since the types crate has the real
//!   ones.

use serde_json::{Map, Value, json};

use crate::{
    contract::{Contract, Resolved},
    model::{Api, Content, IntType, Operation, Param, Reply, Shape, Source, Type, Typed},
};

pub(super) fn document(contract: &Contract, api: &Api) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in api.operations.iter().filter(|op| op.sse.is_none()) {
        let item = paths
            .entry(operation.path.clone())
            .or_insert_with(|| json!({}));
        item[&operation.method] = self::operation(contract, operation);
    }
    let schemas: Map<String, Value> = api
        .schemas
        .values()
        .map(|named| {
            let schema = match &named.shape {
                Shape::Enumeration(list) => json!({ "type": "string", "enum": list.values }),
                _ => {
                    json!({ "type": "object", "properties": { "stand_in": { "type": "string" } } })
                }
            };
            (named.name.clone(), schema)
        })
        .collect();
    json!({
        "openapi": "3.0.3",
        "info": { "title": api.title, "version": api.version },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn operation(contract: &Contract, operation: &Operation) -> Value {
    let params: Vec<Value> = operation
        .params
        .iter()
        .map(|param| self::param(contract, param))
        .collect();
    let mut out = json!({
        "operationId": operation.id,
        "parameters": params,
        "responses": responses(contract, operation),
    });
    if let Some(summary) = &operation.summary {
        out["summary"] = json!(summary);
    }
    if let Some(doc) = &operation.doc {
        out["description"] = json!(doc);
    }
    if let Some(body) = &operation.body {
        out["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": reference(&body.schema) } },
        });
    }
    out
}

fn param(contract: &Contract, param: &Param) -> Value {
    let place = match param.source {
        Source::Path => "path",
        Source::Query => "query",
        Source::Header => "header",
    };
    let mut out = json!({
        "name": param.name,
        "in": place,
        "required": param.required,
        "schema": schema(contract, &param.typed),
    });
    if let Some(doc) = &param.doc {
        out["description"] = json!(doc);
    }
    out
}

fn responses(contract: &Contract, operation: &Operation) -> Value {
    let success = operation
        .replies
        .iter()
        .find(|reply| !matches!(reply.content, Content::Nothing))
        .or(operation.replies.first());
    let mut out = Map::new();
    if let Some(reply) = success {
        out.insert(reply.status.to_string(), response(contract, reply));
    }
    Value::Object(out)
}

fn response(contract: &Contract, reply: &Reply) -> Value {
    let mut out = json!({ "description": reply.doc.as_deref().unwrap_or_default() });
    match &reply.content {
        Content::Nothing | Content::Events => {}
        Content::Json(typed) => {
            out["content"] = json!({ "application/json": { "schema": schema(contract, typed) } });
        }
        Content::Text => {
            out["content"] = json!({ "text/plain": { "schema": { "type": "string" } } });
        }
    }
    out
}

fn schema(contract: &Contract, typed: &Typed) -> Value {
    match (&typed.ty, contract.resolve(&typed.ty)) {
        // Another name for an object stays a name; for a scalar it is looked through.
        (Type::Ref(name), Resolved::Named(_) | Resolved::Plain(Type::Free | Type::Map(..))) => {
            reference(name)
        }
        (_, Resolved::Named(named)) => reference(&named.name),
        (_, Resolved::Plain(plain)) => self::plain(contract, plain),
    }
}

fn plain(contract: &Contract, ty: &Type) -> Value {
    match ty {
        Type::Ref(name) => reference(name),
        Type::Text(_) => json!({ "type": "string" }),
        Type::Uuid => json!({ "type": "string", "format": "uuid" }),
        Type::Integer(rules) => {
            let format = match rules.ty {
                IntType::I32 => "int32",
                IntType::I64 => "int64",
                IntType::U32 => "uint32",
                IntType::U64 => "uint64",
            };
            json!({ "type": "integer", "format": format })
        }
        Type::Number(_) => json!({ "type": "number", "format": "double" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Array(items, _) => json!({ "type": "array", "items": schema(contract, items) }),
        Type::Map(values, _) => {
            json!({ "type": "object", "additionalProperties": schema(contract, values) })
        }
        Type::Free => json!({ "type": "object", "additionalProperties": true }),
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
