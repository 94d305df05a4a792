//! Everything that is written is used.

use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    yaml::Node,
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    for (file, document) in contract.sources.iter() {
        let is_root = file.ends_with("/openapi.yaml");
        let paths = document.get("paths").and_then(Node::as_map);
        let components = document.get("components").and_then(Node::as_map);
        for entry in paths.unwrap_or_default() {
            let key = (file.to_owned(), entry.key.clone());
            let used = contract.bundles.iter().any(|b| b.paths.contains(&key));
            if !used && !is_root {
                let message = format!("no root refers to the path {}", entry.key);
                faults.push(Fault::new("orphan", &entry.at, message));
            }
        }
        for kind in components.unwrap_or_default() {
            if is_root && kind.key == "securitySchemes" {
                continue;
            }
            for entry in kind.value.as_map().unwrap_or_default() {
                let key = (file.to_owned(), kind.key.clone(), entry.key.clone());
                if !contract.bundles.iter().any(|b| b.used.contains(&key)) {
                    let message = format!("nothing refers to `{}` of {}", entry.key, kind.key);
                    faults.push(Fault::new("orphan", &entry.at, message));
                }
            }
        }
        for entry in document.as_map().unwrap_or_default() {
            if !is_root && entry.key != "paths" && entry.key != "components" {
                let message = format!("`{}` has no place in a file that is no root", entry.key);
                faults.push(Fault::new("orphan", &entry.at, message));
            }
        }
    }
    unreached(contract, faults);
}

/// Schemas that only other unreached schemas refer to.
fn unreached(contract: &Contract, faults: &mut Faults) {
    for named in contract.schemas.values() {
        let reached = contract.directions.requests.contains(&named.name)
            || contract.directions.replies.contains(&named.name);
        if !reached {
            let message = format!("no operation reaches the schema `{}`", named.name);
            faults.push(Fault::new("orphan", &named.at, message));
        }
    }
}
