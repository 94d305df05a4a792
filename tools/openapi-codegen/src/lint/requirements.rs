//! Operations say which requirements they carry out.

use regex::Regex;

use super::all_operations;
use crate::{
    contract::Contract,
    fault::{Fault, Faults},
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    let format = Regex::new("^(ORCH-[0-9]{4}|ORCHX(-[A-Z0-9]+)+)$").expect("a valid pattern");
    for (_, operation) in all_operations(contract) {
        if operation.req_ids.is_empty() {
            let message = format!("`{}` must name its requirements", operation.id);
            faults.push(Fault::new("x-req-id", &operation.at, message));
        }
        for (i, (id, at)) in operation.req_ids.iter().enumerate() {
            let mut fault = |message| faults.push(Fault::new("x-req-id", at, message));
            if let Some(strange) = id.chars().find(|c| !c.is_ascii()) {
                fault(format!(
                    "`{id}` holds U+{:04X}; write a plain hyphen (U+002D)",
                    u32::from(strange)
                ));
            } else if !format.is_match(id) {
                fault(format!("`{id}` must be ORCH-dddd or ORCHX-NAME"));
            } else if operation.req_ids[..i].iter().any(|(other, _)| other == id) {
                fault(format!("`{id}` stands there twice"));
            }
        }
    }
}
