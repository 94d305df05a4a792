//! What is read from a request before the operation is called.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::params;
use crate::{model::Operation, naming};

pub(super) fn name(operation: &Operation) -> Ident {
    format_ident!("{}_input", operation.id)
}

/// The function that reads parameters, then looks at `Accept`, then reads the body.
pub(super) fn emit(operation: &Operation) -> TokenStream {
    let name = name(operation);
    let mut types = Vec::new();
    let mut values = Vec::new();
    if !operation.params.is_empty() {
        let params = params::name(operation);
        values.push(quote!(params));
        types.push(quote!(#params));
    }
    let params = types
        .first()
        .map(|ty| quote!(let params = #ty::read(call)?;));
    let body = operation.body.as_ref().map(|body| {
        let ty = naming::type_ident(&body.schema);
        types.push(quote!(types::#ty));
        values.push(quote!(body));
        quote!(let body = call.json(&super::REQUEST_SCHEMAS).await?;)
    });
    quote! {
        async fn #name(call: &mut support::Call) -> Result<(#(#types,)*), support::Rejection> {
            #params
            call.accepts()?;
            #body
            Ok((#(#values,)*))
        }
    }
}
