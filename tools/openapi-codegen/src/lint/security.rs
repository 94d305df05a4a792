//! Operations say who may call them.

use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    yaml::Node,
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    for (api, bundle) in contract.apis.iter().zip(&contract.bundles) {
        let schemes: Vec<&str> = bundle
            .document
            .get("components")
            .and_then(|components| components.get("securitySchemes"))
            .and_then(Node::as_map)
            .unwrap_or_default()
            .iter()
            .map(|entry| entry.key.as_str())
            .collect();
        for operation in &api.operations {
            let mut fault = |message| faults.push(Fault::new("security", &operation.at, message));
            let Some(security) = &operation.security else {
                fault(format!(
                    "`{}` must declare `security`, or its document must; [] means that anybody may call",
                    operation.id
                ));
                continue;
            };
            match (security.is_empty(), operation.scope) {
                (false, None) => fault(format!(
                    "`{}` must say with `x-scope` what its caller must be allowed to; `any` lets in every caller who is known",
                    operation.id
                )),
                (true, Some(_)) => fault(format!(
                    "`{}` has an `x-scope`, but anybody may call it",
                    operation.id
                )),
                _ => {}
            }
            for (scheme, _) in security.iter().flat_map(|requirement| &requirement.0) {
                if !schemes.contains(&scheme.as_str()) {
                    fault(format!("the security scheme `{scheme}` is not declared"));
                }
            }
        }
    }
}
