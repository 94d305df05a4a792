//! Everything of one tag.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{input, operation, params, reply, router};
use crate::{
    contract::Contract,
    emit::docs,
    model::{Api, Operation, Tag},
    naming,
};

pub(super) fn trait_name(tag: &Tag) -> Ident {
    format_ident!("{}Api", naming::camel(&tag.name))
}

pub(super) fn emit(contract: &Contract, api: &Api, tag: &Tag) -> TokenStream {
    let operations: Vec<&Operation> = api
        .operations
        .iter()
        .filter(|operation| operation.tag == tag.name)
        .collect();
    let name = trait_name(tag);
    let doc = docs(tag.doc.as_deref());
    let methods = operations.iter().map(|operation| method(operation));
    let parts = operations.iter().map(|operation| {
        let described = operation::emit(operation);
        let params = params::emit(contract, operation);
        let reply = reply::emit(operation);
        let input = input::emit(operation);
        quote!(#described #params #reply #input)
    });
    let handlers = operations
        .iter()
        .map(|operation| router::handler(&name, operation));
    let router = router::emit(&name, tag, &operations);
    quote! {
        #doc
        pub trait #name: support::ApiHost {
            #(#methods)*
        }
        #(#parts)*
        #(#handlers)*
        #router
    }
}

fn method(operation: &Operation) -> TokenStream {
    let name = naming::field(&operation.id);
    let summary = operation.summary.as_ref().map(|text| format!("{text}."));
    let line = format!("`{} {}`", operation.method.to_uppercase(), operation.path);
    let text: Vec<&str> = [summary.as_deref(), operation.doc.as_deref(), Some(&line)]
        .into_iter()
        .flatten()
        .map(str::trim)
        .collect();
    let doc = docs(Some(&text.join("\n\n")));
    let params = (!operation.params.is_empty()).then(|| {
        let ty = params::name(operation);
        quote!(, params: #ty)
    });
    let body = operation.body.as_ref().map(|body| {
        let ty = naming::type_ident(&body.schema);
        quote!(, body: types::#ty)
    });
    let reply = reply::name(operation);
    quote! {
        #doc
        fn #name(&self, context: Self::Context #params #body)
            -> impl ::std::future::Future<Output = #reply> + Send;
    }
}
