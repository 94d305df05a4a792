//! A type that holds itself has no size.

use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::{Named, Shape, Type},
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    for named in contract.schemas.values() {
        if holds(contract, named, &named.name, &mut Vec::new()) {
            let message = format!(
                "`{}` holds itself; that is supported inside a list or map only",
                named.name
            );
            faults.push(Fault::unsupported(&named.at, message));
        }
    }
}

fn holds<'a>(
    contract: &'a Contract,
    named: &'a Named,
    wanted: &str,
    seen: &mut Vec<&'a str>,
) -> bool {
    let mut inner: Vec<&str> = Vec::new();
    match &named.shape {
        Shape::Object(object) => {
            for property in &object.properties {
                if let Type::Ref(name) = &property.typed.ty {
                    inner.push(name);
                }
            }
        }
        Shape::Union(union) => inner.extend(union.variants.iter().map(|v| v.schema.as_str())),
        Shape::Alias(typed) => {
            if let Type::Ref(name) = &typed.ty {
                inner.push(name);
            }
        }
        Shape::Enumeration(_) => {}
    }
    inner.into_iter().any(|name| {
        if name == wanted {
            return true;
        }
        if seen.contains(&name) {
            return false;
        }
        seen.push(name);
        contract
            .schemas
            .get(name)
            .is_some_and(|next| holds(contract, next, wanted, seen))
    })
}
