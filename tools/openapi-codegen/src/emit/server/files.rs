//! The files of the server crate.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{problem, router, tag};
use crate::{
    contract::Contract,
    emit::{Paths, json, render, types::allowances},
    model::Api,
    naming,
};

/// All files of the server crate by their names below `generated/`.
pub fn files(contract: &Contract, paths: &Paths) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut modules = Vec::new();
    for api in &contract.apis {
        for tag in &api.tags {
            let module = naming::field(&tag.name);
            let doc = format!("Operations tagged `{}`.", tag.name);
            let tokens = tag::emit(contract, api, tag);
            files.insert(
                format!("{module}.rs"),
                render(&doc, with_uses(paths, tokens)),
            );
            modules.push(module);
        }
    }
    modules.sort();
    if let Some(headers) = problem::headers(contract) {
        let tokens = with_uses(paths, problem::emit(&headers));
        files.insert(
            "problem.rs".to_owned(),
            render("Headers that a problem may carry.", tokens),
        );
        modules.push(naming::ident("problem"));
    }
    files.insert(
        "request_schemas.json".to_owned(),
        json::request_schemas(contract),
    );
    let support = &paths.server;
    let routers = contract.apis.iter().map(api_router);
    let operations = contract.apis.iter().map(api_operations);
    let allow = allowances();
    let root = quote! {
        #allow
        use ::std::sync::Arc;
        use #support as support;

        #(pub mod #modules;)*

        /// JSON Schemas of everything that travels in requests.
        pub static REQUEST_SCHEMAS: support::RequestSchemas =
            support::RequestSchemas::new(include_str!("request_schemas.json"));

        #(#operations)*
        #(#routers)*
    };
    files.insert(
        "mod.rs".to_owned(),
        render("Server side of the contract.", root),
    );
    files
}

fn with_uses(paths: &Paths, tokens: TokenStream) -> TokenStream {
    let (support, types) = (&paths.server, &paths.types);
    quote! {
        use ::std::sync::Arc;
        use ::axum::{Router, extract::{Request, State}, response::{IntoResponse, Response}};
        use #support as support;
        use #types as types;
        #tokens
    }
}

/// The router of one API, out of those of its tags.
fn api_router(api: &Api) -> TokenStream {
    let name = format_ident!("{}_router", naming::field(&api.name));
    let doc = format!(
        " Router of all operations of the API `{}`. Finish it with [`support::finish`].",
        api.name
    );
    let modules: Vec<_> = api
        .tags
        .iter()
        .map(|tag| naming::field(&tag.name))
        .collect();
    let traits = api.tags.iter().map(tag::trait_name);
    let routers = api.tags.iter().map(router::name);
    quote! {
        #[doc = #doc]
        pub fn #name<A>(api: &Arc<A>) -> ::axum::Router
        where
            A: #(#modules::#traits)+*,
        {
            ::axum::Router::new()#(.merge(#modules::#routers(Arc::clone(api))))*
        }
    }
}

fn api_operations(api: &Api) -> TokenStream {
    let name = format_ident!("{}_OPERATIONS", naming::constant(&api.name));
    let doc = format!(" Every operation of the API `{}`.", api.name);
    let operations = api.operations.iter().map(|operation| {
        let module = naming::field(&operation.tag);
        let id = naming::constant(&operation.id);
        quote!(&#module::#id)
    });
    quote! {
        #[doc = #doc]
        pub static #name: &[&support::Operation] = &[#(#operations),*];
    }
}
