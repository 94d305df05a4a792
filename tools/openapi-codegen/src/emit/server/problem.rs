//! The headers that a problem may carry.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    contract::Contract,
    emit::{docs, types::rust_type},
    model::Header,
    naming,
};

/// The headers of the one Problem response; `None` if no operation lists a problem.
pub(super) fn headers(contract: &Contract) -> Option<Vec<Header>> {
    contract
        .apis
        .iter()
        .flat_map(|api| &api.operations)
        .find(|operation| !operation.problems.is_empty())
        .map(|operation| operation.problem_headers.clone())
}

pub(super) fn emit(headers: &[Header]) -> TokenStream {
    let idents: Vec<_> = headers.iter().map(|h| naming::field(&h.name)).collect();
    let fields = headers.iter().zip(&idents).map(|(header, ident)| {
        let doc = docs(header.doc.as_deref());
        let ty = rust_type(&header.typed, &quote!(types::));
        quote!(#doc pub #ident: Option<#ty>,)
    });
    let names = headers.iter().map(|header| header.name.to_lowercase());
    quote! {
        /// Headers that a problem may carry.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct ProblemHeaders {
            #(#fields)*
        }

        impl ProblemHeaders {
            /// Sets those that are there.
            pub fn apply(&self, reply: &mut Response) {
                #(if let Some(value) = &self.#idents {
                    support::reply::header(reply, #names, value);
                })*
            }
        }
    }
}
