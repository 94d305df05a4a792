//! Operations have one success, and list what their router answers.

use super::all_operations;
use crate::{
    contract::Contract,
    fault::{Fault, Faults},
    model::{Content, Operation, Type},
};

pub(super) fn check(contract: &Contract, faults: &mut Faults) {
    for (_, operation) in all_operations(contract) {
        success(operation, faults);
        refusals(operation, faults);
    }
}

fn success(operation: &Operation, faults: &mut Faults) {
    let mut fault = |message: String| {
        faults.push(Fault::new("one-success", &operation.at, message));
    };
    let id = &operation.id;
    let (empty, full): (Vec<_>, Vec<_>) = operation
        .replies
        .iter()
        .partition(|reply| reply.status == 204);
    let may_be_empty = operation.sse.is_some() || operation.method == "delete";
    match (full.as_slice(), empty.len()) {
        ([_], 0) => {}
        ([_], _) if may_be_empty => {}
        ([], 1) if operation.method == "delete" => {}
        ([] | [_], 1) => fault(format!("`{id}`: only a stream or a DELETE may answer 204")),
        ([], _) => fault(format!("`{id}` has no status of class 2")),
        (many, _) => fault(format!(
            "`{id}` has {} statuses of class 2; give it one",
            many.len()
        )),
    }
    for reply in &operation.replies {
        match &reply.content {
            Content::Json(typed) if !matches!(typed.ty, Type::Ref(_)) || typed.nullable => {
                fault(format!(
                    "`{id}`: the schema of a reply must be a plain $ref"
                ));
            }
            Content::Nothing if reply.status != 204 => {
                fault(format!("`{id}`: a reply without a body is a 204"));
            }
            Content::Json(_) | Content::Text | Content::Events if reply.status == 204 => {
                fault(format!("`{id}`: a 204 has no body"));
            }
            _ => {}
        }
    }
}

fn refusals(operation: &Operation, faults: &mut Faults) {
    let has_body = operation.body.is_some();
    let has_params = !operation.params.is_empty();
    let produces = operation
        .replies
        .iter()
        .any(|reply| !matches!(reply.content, Content::Nothing));
    let secured = operation
        .security
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    let needed = [
        (
            400,
            has_body || has_params || secured,
            "its input may have faults, and a key may stand in its URL",
        ),
        (401, secured, "its caller may be unknown"),
        (403, secured, "its caller may lack the scope"),
        (406, produces, "its caller may not accept the media type"),
        (413, has_body, "its body may be too large"),
        (415, has_body, "its body may have another media type"),
        (429, secured, "its caller may have tried too often"),
        (500, true, "it may fail"),
    ];
    for (status, needed, why) in needed {
        if needed && !operation.problems.contains(&status) {
            let message = format!("`{}` must list {status}: {why}", operation.id);
            faults.push(Fault::new("refusals", &operation.at, message));
        }
    }
}
