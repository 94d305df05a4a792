//! Operations have a name that says what they do, and one tag.

use std::collections::BTreeMap;

use regex::Regex;

use super::all_operations;
use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::{Operation, Tag},
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    names(contract, faults);
    tags(contract, faults);
    paths(contract, faults);
}

fn names(contract: &Contract, faults: &mut Faults) {
    let snake = Regex::new("^[a-z][a-z0-9]*(_[a-z0-9]+)+$").expect("a valid pattern");
    let mut seen: BTreeMap<&str, &Operation> = BTreeMap::new();
    for (api, operation) in all_operations(contract) {
        let id = operation.id.as_str();
        let mut fault =
            |message: String| faults.push(Fault::new("operation-id", &operation.at, message));
        if let Some(other) = seen.insert(id, operation) {
            fault(format!("`{id}` also stands at {}", other.at));
        }
        if !snake.is_match(id) {
            fault(format!(
                "`{id}` must be <noun>_<verb> in lower case with underscores"
            ));
            continue;
        }
        let Some(tag) = api.tags.iter().find(|tag| tag.name == operation.tag) else {
            continue;
        };
        let nouns = nouns(tag);
        let begins = nouns.iter().any(|noun| {
            id.strip_prefix(noun.as_str())
                .is_some_and(|rest| rest.starts_with('_'))
        });
        if !begins {
            fault(format!(
                "`{id}` must begin with a noun of its tag: {}",
                nouns.join(", ")
            ));
        }
    }
}

/// The nouns of a tag; without `x-nouns`, its name in the singular.
fn nouns(tag: &Tag) -> Vec<String> {
    match tag.nouns.is_empty() {
        false => tag.nouns.clone(),
        true => vec![tag.name.trim_end_matches('s').to_owned()],
    }
}

/// Each tag is a module of the server crate, so its name counts in all APIs together.
fn tags(contract: &Contract, faults: &mut Faults) {
    let mut seen: BTreeMap<&str, &Tag> = BTreeMap::new();
    for api in &contract.apis {
        for tag in &api.tags {
            if let Some(other) = seen.insert(&tag.name, tag) {
                let message = format!("the tag `{}` also stands at {}", tag.name, other.at);
                faults.push(Fault::new("tag", &tag.at, message));
            }
            if !api.operations.iter().any(|op| op.tag == tag.name) {
                let message = format!("no operation has the tag `{}`", tag.name);
                faults.push(Fault::new("tag", &tag.at, message));
            }
        }
        for operation in &api.operations {
            if !api.tags.iter().any(|tag| tag.name == operation.tag) {
                let message = format!("the tag `{}` is not declared in the root", operation.tag);
                faults.push(Fault::new("tag", &operation.at, message));
            }
        }
    }
}

/// A path is served by one router.
fn paths(contract: &Contract, faults: &mut Faults) {
    let mut seen: BTreeMap<&str, (&str, &Operation)> = BTreeMap::new();
    for (api, operation) in all_operations(contract) {
        let (name, other) = *seen
            .entry(&operation.path)
            .or_insert((&api.name, operation));
        if name != api.name || other.tag != operation.tag {
            let message = format!(
                "{} belongs to the tag `{}` of `{name}`; a path has one tag",
                operation.path, other.tag
            );
            faults.push(Fault::new("path", &operation.at, message));
        }
    }
}
