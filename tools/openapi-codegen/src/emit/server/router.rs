//! Handlers and router of one tag.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::input;
use crate::{
    model::{Operation, Tag},
    naming,
};

pub(super) fn name(tag: &Tag) -> Ident {
    format_ident!("{}_router", naming::field(&tag.name))
}

fn handler_name(operation: &Operation) -> Ident {
    format_ident!("{}_route", operation.id)
}

/// The handler: context first, so that nobody without the right to call makes the server read
/// a body; then the input; then the operation.
pub(super) fn handler(trait_name: &Ident, operation: &Operation) -> TokenStream {
    let name = handler_name(operation);
    let constant = naming::constant(&operation.id);
    let input = input::name(operation);
    let method = naming::field(&operation.id);
    let mut arguments = Vec::new();
    if !operation.params.is_empty() {
        arguments.push(quote!(params));
    }
    if operation.body.is_some() {
        arguments.push(quote!(body));
    }
    quote! {
        async fn #name<A: #trait_name>(State(api): State<Arc<A>>, request: Request) -> Response {
            let mut call = support::Call::open(&#constant, request).await;
            let context = match call.context(&api).await {
                Ok(context) => context,
                Err(reply) => return reply.into_response(),
            };
            match #input(&mut call).await {
                Ok((#(#arguments,)*)) => api.#method(context #(, #arguments)*).await.into_response(),
                Err(rejection) => call.refuse(&*api, rejection),
            }
        }
    }
}

pub(super) fn emit(trait_name: &Ident, tag: &Tag, operations: &[&Operation]) -> TokenStream {
    let name = name(tag);
    let doc = format!(" Router of the operations tagged `{}`.", tag.name);
    let mut paths: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    for operation in operations {
        paths.entry(&operation.path).or_default().push(operation);
    }
    let routes = paths.iter().map(|(path, operations)| {
        let allow = allow(operations);
        let methods = operations.iter().map(|operation| {
            let method = naming::ident(&operation.method);
            let handler = handler_name(operation);
            // Answering HEAD would start the stream only to drop it.
            let head = operation
                .sse
                .is_some()
                .then(|| quote!(.head(support::refuse_method::<A>(#allow))));
            quote!(.#method(#handler::<A>) #head)
        });
        quote!(.route(#path, support::path::<A>(#allow)#(#methods)*))
    });
    quote! {
        #[doc = #doc]
        pub fn #name<A: #trait_name>(api: Arc<A>) -> Router {
            Router::new()#(#routes)*.with_state(api)
        }
    }
}

fn allow(operations: &[&Operation]) -> String {
    let mut methods: Vec<String> = operations
        .iter()
        .map(|operation| operation.method.to_uppercase())
        .collect();
    if operations
        .iter()
        .any(|operation| operation.method == "get" && operation.sse.is_none())
    {
        methods.push("HEAD".to_owned());
    }
    methods.push("OPTIONS".to_owned());
    methods.sort();
    methods.join(", ")
}
