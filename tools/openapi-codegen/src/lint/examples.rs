//! Bodies have examples, and examples fit their schemas.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::{Draft, Validator};
use serde_json::Value;

use super::all_operations;
use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::{Content, Example, Operation, Type},
    request_schema::{self, Unlisted},
    yaml::{Data, Node, Place, to_json_value},
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    for (_, operation) in all_operations(contract) {
        present(operation, faults);
    }
    let mut validators = Validators::new(contract);
    let mut seen: BTreeSet<&Place> = BTreeSet::new();
    let examples = all_operations(contract).flat_map(|(_, operation)| &operation.examples);
    for (_, operation) in all_operations(contract) {
        defaults(contract, operation, faults);
    }
    // The example of a shared response belongs to every operation that refers to it.
    for example in examples.filter(|example| seen.insert(&example.value.at)) {
        validators.check(example, faults);
    }
}

fn present(operation: &Operation, faults: &mut Faults) {
    let has = |schema: &str, in_request: bool| {
        let mut examples = operation.examples.iter();
        examples.any(|example| example.schema == schema && example.in_request == in_request)
    };
    if let Some(body) = &operation.body
        && !has(&body.schema, true)
    {
        let message = format!("the body of `{}` must have an example", operation.id);
        faults.push(Fault::new("example", &body.at, message));
    }
    for reply in &operation.replies {
        if let Content::Json(typed) = &reply.content
            && let Type::Ref(schema) = &typed.ty
            && !has(schema, false)
        {
            let message = format!(
                "{} of `{}` must have an example",
                reply.status, operation.id
            );
            faults.push(Fault::new("example", &reply.at, message));
        }
    }
}

/// A default is a value of its parameter.
fn defaults(contract: &Contract, operation: &Operation, faults: &mut Faults) {
    for param in &operation.params {
        let Some(value) = &param.default else {
            continue;
        };
        let names = contract.schemas.keys();
        let mut schema = request_schema::document(contract, names, Unlisted::Refuse);
        schema["allOf"] = Value::Array(vec![request_schema::typed(&param.typed)]);
        for error in compile(&schema).iter_errors(value) {
            let message = format!("the default of `{}` does not fit: {error}", param.name);
            faults.push(Fault::new("default", &param.typed.at, message));
        }
    }
}

fn compile(schema: &Value) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .build(schema)
        .expect("schemas made from the model compile")
}

struct Validators {
    document: Value,
    compiled: BTreeMap<String, Validator>,
}

impl Validators {
    fn new(contract: &Contract) -> Self {
        let names = contract.schemas.keys();
        Self {
            document: request_schema::document(contract, names, Unlisted::Refuse),
            compiled: BTreeMap::new(),
        }
    }

    fn check(&mut self, example: &Example, faults: &mut Faults) {
        let validator = self
            .compiled
            .entry(example.schema.clone())
            .or_insert_with(|| {
                let mut schema = self.document.clone();
                schema["$ref"] = Value::String(format!("#/definitions/{}", example.schema));
                compile(&schema)
            });
        let value = to_json_value(&example.value);
        for error in validator.iter_errors(&value) {
            let pointer = error.instance_path().to_string();
            let at = place(&example.value, &pointer);
            let shown = if pointer.is_empty() {
                "the example"
            } else {
                &pointer
            };
            let message = format!("{shown} does not fit `{}`: {error}", example.schema);
            faults.push(Fault::new("example", at, message));
        }
    }
}

/// Where the faulty part of the example stands.
fn place<'a>(node: &'a Node, pointer: &str) -> &'a Place {
    let steps = pointer.split('/').skip(1);
    let found = steps.into_iter().try_fold(node, |node, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        match &node.data {
            Data::Seq(items) => items.get(step.parse::<usize>().ok()?),
            _ => node.get(&step),
        }
    });
    &found.unwrap_or(node).at
}
