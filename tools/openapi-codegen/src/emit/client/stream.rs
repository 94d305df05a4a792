//! Methods of `Client` for streaming operations, which progenitor does not know.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    contract::Contract,
    emit::{docs, types::rust_type},
    fault::{Fault, Outcome},
    model::{Api, Operation, Param, Source},
    naming,
};

pub(super) fn methods(contract: &Contract, api: &Api) -> Outcome<Vec<TokenStream>> {
    api.operations
        .iter()
        .filter(|operation| operation.sse.is_some())
        .map(|operation| method(contract, operation))
        .collect()
}

fn method(_contract: &Contract, operation: &Operation) -> Outcome<TokenStream> {
    let mut inputs = Vec::new();
    let mut encoded = Vec::new();
    let mut resume = quote!(None);
    for param in &operation.params {
        let ident = naming::field(&param.name);
        match (param.source, param.name.to_lowercase().as_str()) {
            (Source::Path, _) => {
                let ty = rust_type(&param.typed, &quote!(types::));
                inputs.push(quote!(#ident: &#ty));
                encoded.push(quote!(support::encode_path(&#ident.to_string())));
            }
            (Source::Header, "last-event-id") => {
                inputs.push(quote!(#ident: Option<&str>));
                resume = quote!(#ident);
            }
            _ => return Err(not_supported(param)),
        }
    }
    let name = naming::field(&operation.id);
    let event = format_ident!("{}Event", naming::camel(&operation.id));
    let summary = operation.summary.as_ref().map(|text| format!("{text}."));
    let text: Vec<&str> = [summary.as_deref(), operation.doc.as_deref()]
        .into_iter()
        .flatten()
        .map(str::trim)
        .collect();
    let doc = docs(Some(&text.join("\n\n")));
    let template = template(&operation.path);
    Ok(quote! {
        #doc
        pub fn #name(&self, #(#inputs),*) -> support::EventReader<types::#event> {
            let path = format!(#template #(, #encoded)*);
            self.events(&path, #resume)
        }
    })
}

/// The path with each parameter as `{}`.
fn template(path: &str) -> String {
    path.split('/')
        .map(|segment| match segment.starts_with('{') {
            true => "{}",
            false => segment,
        })
        .collect::<Vec<_>>()
        .join("/")
}

fn not_supported(param: &Param) -> Fault {
    Fault::unsupported(
        &param.at,
        format!(
            "`{}`: a streaming operation takes path parameters and Last-Event-ID only",
            param.name
        ),
    )
}
