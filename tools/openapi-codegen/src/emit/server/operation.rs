//! The constant that describes an operation.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    model::{Content, Operation, Read, Scope},
    naming,
};

pub(super) fn emit(operation: &Operation) -> TokenStream {
    let name = naming::constant(&operation.id);
    let doc = format!(" What the contract says about `{}`.", operation.id);
    let Operation { id, tag, path, .. } = operation;
    let method = operation.method.to_uppercase();
    let req_ids = operation.req_ids.iter().map(|(id, _)| id);
    let problems = &operation.problems;
    let produces = produces(operation);
    let read = match operation.read {
        None => quote!(None),
        Some(Read::Live) => quote!(Some(support::Read::Live)),
        Some(Read::Record) => quote!(Some(support::Read::Record)),
    };
    let scope = match operation.scope {
        None => quote!(None),
        Some(Scope::Any) => quote!(Some(support::Scope::Any)),
        Some(Scope::Backup) => quote!(Some(support::Scope::Backup)),
        Some(Scope::Node) => quote!(Some(support::Scope::Node)),
        Some(Scope::Operator) => quote!(Some(support::Scope::Operator)),
        Some(Scope::User) => quote!(Some(support::Scope::User)),
    };
    let limit = match &operation.body {
        None => quote!(0),
        Some(body) => {
            let limit = proc_macro2::Literal::u64_unsuffixed(body.limit_bytes);
            quote!(#limit)
        }
    };
    let security = operation.security.iter().flatten().map(|requirement| {
        let schemes = requirement
            .0
            .iter()
            .map(|(scheme, scopes)| quote!((#scheme, &[#(#scopes),*])));
        quote!(support::Requirement(&[#(#schemes),*]))
    });
    quote! {
        #[doc = #doc]
        pub static #name: support::Operation = support::Operation {
            id: #id,
            tag: #tag,
            method: #method,
            path: #path,
            req_ids: &[#(#req_ids),*],
            security: &[#(#security),*],
            scope: #scope,
            read: #read,
            body_limit_bytes: #limit,
            produces: #produces,
            problems: &[#(#problems),*],
        };
    }
}

/// Media type of the reply that carries a body; empty if none does.
fn produces(operation: &Operation) -> &'static str {
    operation
        .replies
        .iter()
        .find_map(|reply| match reply.content {
            Content::Nothing => None,
            Content::Json(_) => Some("application/json"),
            Content::Text => Some("text/plain"),
            Content::Events => Some("text/event-stream"),
        })
        .unwrap_or_default()
}
