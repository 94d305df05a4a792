//! Names stay different when they become Rust.

use std::collections::BTreeMap;

use super::all_operations;
use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::Shape,
    naming,
    yaml::Place,
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    for named in contract.schemas.values() {
        let (names, extensible): (Vec<&str>, bool) = match &named.shape {
            Shape::Object(object) => {
                let names = object.properties.iter().map(|p| p.name.as_str());
                let of = format!("`{}`", named.name);
                let rust = |name: &str| naming::field(name).to_string();
                clash(
                    faults,
                    &named.at,
                    &of,
                    names.map(|n| (n.to_owned(), rust(n))),
                );
                continue;
            }
            Shape::Enumeration(list) => (
                list.values.iter().map(String::as_str).collect(),
                list.extensible,
            ),
            Shape::Union(union) => (
                union.variants.iter().map(|v| v.tag.as_str()).collect(),
                union.extensible,
            ),
            Shape::Alias(_) => continue,
        };
        let of = format!("`{}`", named.name);
        clash(faults, &named.at, &of, variants(&names, extensible));
    }
    for (_, operation) in all_operations(contract) {
        let Some(sse) = &operation.sse else { continue };
        let of = format!("the events of `{}`", operation.id);
        let names: Vec<&str> = sse.events.iter().map(|(event, _)| event.as_str()).collect();
        clash(faults, &operation.at, &of, variants(&names, sse.extensible));
        let made = format!("{}Event", naming::camel(&operation.id));
        if let Some(named) = contract.schemas.get(&made) {
            let message = format!("`{made}` is the name of {of}");
            faults.push(Fault::new("name-taken", &named.at, message));
        }
    }
}

/// Variants of an enum, with the arm that extensible ones have besides.
fn variants(names: &[&str], extensible: bool) -> impl Iterator<Item = (String, String)> {
    let names = names
        .iter()
        .map(|name| ((*name).to_owned(), naming::camel(name)));
    let reserved = ("the arm for what is not listed", "Unknown");
    let reserved = extensible.then(|| (reserved.0.to_owned(), reserved.1.to_owned()));
    reserved
        .into_iter()
        .chain(names)
        .collect::<Vec<_>>()
        .into_iter()
}

fn clash(faults: &mut Faults, at: &Place, of: &str, names: impl Iterator<Item = (String, String)>) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (name, rust) in names {
        if let Some(other) = seen.insert(rust.clone(), name.clone()) {
            let message = format!("`{other}` and `{name}` of {of} both become `{rust}` in Rust");
            faults.push(Fault::new("name-taken", at, message));
        }
    }
}
