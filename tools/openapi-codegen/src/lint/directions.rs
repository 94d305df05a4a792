//! Requests are closed, replies may grow, and no object serves both.

use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::Shape,
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    for named in contract.schemas.values() {
        let in_requests = contract.directions.requests.contains(&named.name);
        let in_replies = contract.directions.replies.contains(&named.name);
        let name = &named.name;
        let mut fault =
            |rule: &'static str, message: String| faults.push(Fault::new(rule, &named.at, message));
        let holds_fields = matches!(named.shape, Shape::Object(_) | Shape::Union(_));
        if holds_fields && in_requests && in_replies {
            fault(
                "both-directions",
                format!("`{name}` travels in requests and in replies; give each its own schema"),
            );
        }
        let extensible = match &named.shape {
            Shape::Enumeration(list) => list.extensible,
            Shape::Union(union) => union.extensible,
            Shape::Object(_) | Shape::Alias(_) => false,
        };
        if extensible && in_requests {
            fault(
                "extensible",
                format!("`{name}` travels in requests, which are closed; take x-extensible away"),
            );
        }
        if let Shape::Object(object) = &named.shape {
            if in_requests && !object.closed {
                fault(
                    "closed-requests",
                    format!("`{name}` travels in requests; say `additionalProperties: false`"),
                );
            }
            if in_replies && !in_requests && object.closed {
                fault(
                    "closed-requests",
                    format!(
                        "`{name}` travels in replies, which may grow; take `additionalProperties: false` away"
                    ),
                );
            }
        }
    }
}
