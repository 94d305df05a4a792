//! The Rust type of a contract's type.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    model::{IntType, Type, Typed},
    naming,
};

/// The Rust type of a contract's type, less what makes it optional. `prefix` stands before the
/// names of schemas, e.g. `types::`.
pub(in crate::emit) fn rust_type(typed: &Typed, prefix: &TokenStream) -> TokenStream {
    match &typed.ty {
        Type::Ref(name) => {
            let name = naming::type_ident(name);
            quote!(#prefix #name)
        }
        Type::Text(_) => quote!(String),
        Type::Uuid => quote!(::uuid::Uuid),
        Type::Integer(rules) => match rules.ty {
            IntType::I32 => quote!(i32),
            IntType::I64 => quote!(i64),
            IntType::U32 => quote!(u32),
            IntType::U64 => quote!(u64),
        },
        Type::Number(_) => quote!(f64),
        Type::Boolean => quote!(bool),
        Type::Array(items, _) => {
            let item = nested(items, prefix);
            quote!(Vec<#item>)
        }
        Type::Map(values, _) => {
            let value = nested(values, prefix);
            quote!(::std::collections::BTreeMap<String, #value>)
        }
        Type::Free => quote!(::serde_json::Map<String, ::serde_json::Value>),
    }
}

fn nested(typed: &Typed, prefix: &TokenStream) -> TokenStream {
    let ty = rust_type(typed, prefix);
    match typed.nullable {
        true => quote!(Option<#ty>),
        false => ty,
    }
}
