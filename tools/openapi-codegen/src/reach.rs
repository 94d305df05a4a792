//! Which schemas travel in requests and which in replies.

use std::collections::BTreeSet;

use crate::model::{Api, Content, Shape, Type, Typed};

/// Names of the schemas that are reachable in each direction.
#[derive(Clone, Debug, Default)]
pub struct Directions {
    /// From bodies and parameters of requests.
    pub requests: BTreeSet<String>,
    /// From replies, events and problems.
    pub replies: BTreeSet<String>,
}

impl Directions {
    /// Walks the operations of an API.
    pub fn of(api: &Api) -> Self {
        let mut all = Self::default();
        for operation in &api.operations {
            for param in &operation.params {
                walk_typed(api, &param.typed, &mut all.requests);
            }
            if let Some(body) = &operation.body {
                walk(api, &body.schema, &mut all.requests);
            }
            for reply in &operation.replies {
                if let Content::Json(typed) = &reply.content {
                    walk_typed(api, typed, &mut all.replies);
                }
            }
            for (_, schema) in operation.sse.iter().flat_map(|sse| &sse.events) {
                walk(api, schema, &mut all.replies);
            }
            if !operation.problems.is_empty() {
                walk(api, "Problem", &mut all.replies);
            }
        }
        all
    }

    /// Adds what another API reaches.
    pub fn join(&mut self, other: Self) {
        self.requests.extend(other.requests);
        self.replies.extend(other.replies);
    }
}

fn walk(api: &Api, name: &str, seen: &mut BTreeSet<String>) {
    let Some(named) = api.schemas.get(name) else {
        return;
    };
    if !seen.insert(name.to_owned()) {
        return;
    }
    match &named.shape {
        Shape::Object(object) => {
            for property in &object.properties {
                walk_typed(api, &property.typed, seen);
            }
        }
        Shape::Union(union) => {
            for variant in &union.variants {
                walk(api, &variant.schema, seen);
            }
        }
        Shape::Alias(typed) => walk_typed(api, typed, seen),
        Shape::Enumeration(_) => {}
    }
}

fn walk_typed(api: &Api, typed: &Typed, seen: &mut BTreeSet<String>) {
    match &typed.ty {
        Type::Ref(name) => walk(api, name, seen),
        Type::Array(inner, _) | Type::Map(inner, _) => walk_typed(api, inner, seen),
        _ => {}
    }
}
