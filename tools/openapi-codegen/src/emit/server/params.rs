//! The parameters of an operation, read and checked.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use crate::{
    contract::{Contract, Resolved},
    emit::{
        docs,
        types::{checks, rust_type},
    },
    model::{Operation, Param, Source, Type, Typed},
    naming,
};

pub(super) fn name(operation: &Operation) -> Ident {
    format_ident!("{}Params", naming::camel(&operation.id))
}

pub(super) fn emit(contract: &Contract, operation: &Operation) -> TokenStream {
    if operation.params.is_empty() {
        return quote!();
    }
    let name = name(operation);
    let doc = format!(" Parameters of `{}`.", operation.id);
    let params = &operation.params;
    let idents: Vec<_> = params
        .iter()
        .map(|param| naming::field(&param.name))
        .collect();
    let fields = params.iter().zip(&idents).map(|(param, ident)| {
        let doc = docs(param.doc.as_deref());
        let ty = field_type(param);
        quote!(#doc pub #ident: #ty,)
    });
    let reads = params.iter().zip(&idents).map(|(param, ident)| {
        let read = read(contract, param);
        quote!(let #ident = #read;)
    });
    let required: Vec<_> = params
        .iter()
        .zip(&idents)
        .filter(|(param, _)| param.required)
        .map(|(_, ident)| ident)
        .collect();
    let unwrap = match required.as_slice() {
        [] => quote! {
            if !raw.is_sound() {
                return Err(raw.into_rejection());
            }
        },
        _ => quote! {
            let (#(Some(#required),)* true) = (#(#required,)* raw.is_sound()) else {
                return Err(raw.into_rejection());
            };
        },
    };
    let defaults = params.iter().zip(&idents).filter_map(|(param, ident)| {
        let value = default(contract, param)?;
        Some(quote!(let #ident = #ident.unwrap_or_else(|| #value);))
    });
    let query = params
        .iter()
        .filter(|param| param.source == Source::Query)
        .map(|param| &param.name);
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, PartialEq)]
        pub struct #name {
            #(#fields)*
        }

        impl #name {
            fn read(call: &support::Call) -> Result<Self, support::Rejection> {
                let mut raw = support::Params::of(call, &[#(#query),*]);
                #(#reads)*
                #unwrap
                #(#defaults)*
                Ok(Self { #(#idents),* })
            }
        }
    }
}

fn is_list(param: &Param) -> bool {
    matches!(param.typed.ty, Type::Array(..))
}

fn field_type(param: &Param) -> TokenStream {
    let ty = rust_type(&param.typed, &quote!(types::));
    match param.required || param.default.is_some() || is_list(param) {
        true => ty,
        false => quote!(Option<#ty>),
    }
}

/// An expression that reads the parameter: `Option<T>`, or `Vec<T>` of an optional list.
fn read(contract: &Contract, param: &Param) -> TokenStream {
    let name = &param.name;
    let required = param.required;
    if let Type::Array(items, _) = &param.typed.ty {
        let parse = parse(contract, items);
        let checks = checks(contract, &param.typed.ty, &quote!(list));
        let check = match checks.as_slice() {
            [] => quote!(|_| Ok(())),
            checks => quote!(|list: &Vec<_>| { #(#checks?;)* Ok(()) }),
        };
        return match required {
            true => quote!(raw.required_list(#name, #parse, #check)),
            false => quote!(raw.list(#name, #parse, #check)),
        };
    }
    let parse = parse(contract, &param.typed);
    let method = match (param.source, required) {
        (Source::Path, _) => quote!(path),
        (Source::Query, true) => quote!(required_query),
        (Source::Query, false) => quote!(query),
        (Source::Header, true) => quote!(required_header),
        (Source::Header, false) => quote!(header),
    };
    quote!(raw.#method(#name, #parse))
}

/// A closure from the raw text to the typed value, with all checks of a scalar.
fn parse(contract: &Contract, typed: &Typed) -> TokenStream {
    let parsed = match contract.resolve(&typed.ty) {
        Resolved::Named(named) => {
            let ty = naming::type_ident(&named.name);
            return quote!(support::parse::listed::<types::#ty>);
        }
        Resolved::Plain(plain) => match plain {
            Type::Uuid => return quote!(support::parse::uuid),
            Type::Boolean => return quote!(support::parse::boolean),
            Type::Integer(rules) => {
                let ty = rust_type(typed, &quote!(types::));
                let min = proc_macro2::Literal::i128_unsuffixed(rules.min);
                let max = proc_macro2::Literal::i128_unsuffixed(rules.max);
                return quote!(|text| support::parse::integer::<#ty>(text, #min, #max));
            }
            Type::Number(_) => quote!(support::parse::number(text)?),
            _ => quote!(support::parse::text(text)?),
        },
    };
    let checks = checks(contract, &typed.ty, &quote!(&value));
    quote! {
        |text| {
            let value = #parsed;
            #(#checks?;)*
            Ok(value)
        }
    }
}

fn default(contract: &Contract, param: &Param) -> Option<TokenStream> {
    let value = param.default.as_ref()?;
    Some(match (contract.resolve(&param.typed.ty), value) {
        (Resolved::Named(named), Value::String(text)) => {
            let (ty, variant) = (naming::type_ident(&named.name), naming::type_ident(text));
            quote!(types::#ty::#variant)
        }
        (_, Value::String(text)) => quote!(#text.to_owned()),
        (_, Value::Bool(flag)) => quote!(#flag),
        (_, value) => {
            let literal: TokenStream = value.to_string().parse().unwrap_or_default();
            quote!(#literal)
        }
    })
}
