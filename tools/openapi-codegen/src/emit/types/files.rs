//! The files of the types crate.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use super::{enumeration, event, object, rust_type, union};
use crate::{
    contract::Contract,
    emit::{Paths, docs, render},
    model::{Named, Shape},
    naming,
};

/// Lints that generated code is not held to.
pub(in crate::emit) fn allowances() -> TokenStream {
    quote! {
        #![allow(clippy::all, clippy::nursery, clippy::pedantic, clippy::restriction)]
        #![allow(unreachable_pub, unused_imports, unused_qualifications)]
    }
}

/// All files of the types crate by their names below `generated/`.
pub fn files(contract: &Contract, paths: &Paths) -> BTreeMap<String, String> {
    let mut modules: BTreeMap<String, Vec<TokenStream>> = BTreeMap::new();
    for named in contract.schemas.values() {
        modules
            .entry(module(&named.at.file))
            .or_default()
            .push(named_type(contract, named));
    }
    for api in &contract.apis {
        for operation in &api.operations {
            if let Some(sse) = &operation.sse {
                modules
                    .entry(module(&operation.at.file))
                    .or_default()
                    .push(event::emit(operation, sse));
            }
        }
    }
    let support = &paths.types_support;
    let mut files = BTreeMap::new();
    let names: Vec<_> = modules.keys().map(|name| naming::ident(name)).collect();
    let allow = allowances();
    let root = quote! {
        #allow
        #(mod #names;)*
        #(pub use #names::*;)*
    };
    files.insert("mod.rs".to_owned(), render("Types of the contract.", root));
    for (name, items) in modules {
        let file = quote! {
            use #support as support;
            use super::*;
            #(#items)*
        };
        let doc = format!("Types of `{name}.yaml`.");
        files.insert(format!("{name}.rs"), render(&doc, file));
    }
    files
}

/// The module that holds what one source file defines.
fn module(file: &str) -> String {
    let stem = file.rsplit('/').next().unwrap_or(file);
    naming::field(stem.trim_end_matches(".yaml")).to_string()
}

fn named_type(contract: &Contract, named: &Named) -> TokenStream {
    match &named.shape {
        Shape::Object(object) => object::emit(contract, named, object),
        Shape::Union(union) => union::emit(contract, named, union),
        Shape::Enumeration(list) => enumeration::emit(named, list),
        Shape::Alias(typed) => {
            let name = naming::type_ident(&named.name);
            let doc = docs(named.doc.as_deref());
            let ty = rust_type(typed, &quote!());
            quote! { #doc pub type #name = #ty; }
        }
    }
}
