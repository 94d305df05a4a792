//! All rules, and what several of them need.

use super::{
    codes, directions, examples, names, operations, orphans, recursion, requirements, security,
    streams, words,
};
use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::{Api, Operation},
};

/// Checks every rule.
///
/// # Errors
///
/// Every fault.
pub fn check(contract: &Contract) -> Result<(), Vec<Fault>> {
    let mut faults = Faults::default();
    let rules: [fn(&Contract, &mut Faults); 11] = [
        codes::check,
        directions::check,
        examples::check,
        names::check,
        operations::check,
        orphans::check,
        recursion::check,
        requirements::check,
        security::check,
        streams::check,
        words::check,
    ];
    for rule in rules {
        rule(contract, &mut faults);
    }
    faults.verdict()
}

/// Every operation with its API.
pub(super) fn all_operations(contract: &Contract) -> impl Iterator<Item = (&Api, &Operation)> {
    contract
        .apis
        .iter()
        .flat_map(|api| api.operations.iter().map(move |operation| (api, operation)))
}
