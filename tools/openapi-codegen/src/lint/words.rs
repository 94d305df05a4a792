//! Everything that a reader of the contract meets is described.

use super::all_operations;
use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::{Shape, Type, Typed},
    yaml::Place,
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    let mut need = |text: Option<&str>, at: &Place, what: String| {
        if text.is_none_or(|text| text.trim().is_empty()) {
            faults.push(Fault::new(
                "description",
                at,
                format!("{what} must be described"),
            ));
        }
    };
    for (_, operation) in all_operations(contract) {
        let (id, at) = (&operation.id, &operation.at);
        need(operation.doc.as_deref(), at, format!("`{id}`"));
        if operation.summary.is_none() {
            need(None, at, format!("`{id}` has no summary; it"));
        }
        for param in &operation.params {
            let what = format!("the parameter `{}`", param.name);
            need(param.doc.as_deref(), &param.at, what);
        }
        for reply in &operation.replies {
            need(
                reply.doc.as_deref(),
                &reply.at,
                format!("{} of `{id}`", reply.status),
            );
            for header in &reply.headers {
                let what = format!("the header `{}`", header.name);
                need(header.doc.as_deref(), &header.typed.at, what);
            }
        }
    }
    for tag in contract.apis.iter().flat_map(|api| &api.tags) {
        need(
            tag.doc.as_deref(),
            &tag.at,
            format!("the tag `{}`", tag.name),
        );
    }
    for named in contract.schemas.values() {
        need(named.doc.as_deref(), &named.at, format!("`{}`", named.name));
        if let Shape::Object(object) = &named.shape {
            for property in &object.properties {
                if !speaks_for_itself(&property.typed) {
                    let what = format!("`{}` of `{}`", property.name, named.name);
                    need(property.typed.doc.as_deref(), &property.typed.at, what);
                }
            }
        }
    }
}

/// A reference has the words of its schema.
fn speaks_for_itself(typed: &Typed) -> bool {
    matches!(typed.ty, Type::Ref(_))
}
