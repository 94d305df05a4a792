//! Objects.

use proc_macro2::TokenStream;
use quote::quote;

use super::{check::checks, rust_type};
use crate::{
    contract::{Contract, Resolved},
    emit::docs,
    model::{Named, Object, Property, Type},
    naming,
};

pub(super) fn emit(contract: &Contract, named: &Named, object: &Object) -> TokenStream {
    let name = naming::type_ident(&named.name);
    let doc = docs(named.doc.as_deref());
    let in_request = contract.directions.requests.contains(&named.name);
    let closed = in_request.then(|| quote!(#[serde(deny_unknown_fields)]));
    let fields = object
        .properties
        .iter()
        .map(|property| field(contract, property, in_request));
    let all_optional = object.properties.iter().all(|property| !property.required);
    let default = all_optional.then(|| quote!(Default,));
    let request = in_request.then(|| request_impls(contract, named, object));
    quote! {
        #doc
        #[derive(Clone, Debug, #default PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #closed
        pub struct #name {
            #(#fields)*
        }
        #request
    }
}

fn field(contract: &Contract, property: &Property, in_request: bool) -> TokenStream {
    let ident = naming::field(&property.name);
    let own_doc = property.typed.doc.as_deref();
    let doc = docs(own_doc.or_else(|| match &property.typed.ty {
        Type::Ref(name) => contract.schemas.get(name)?.doc.as_deref(),
        _ => None,
    }));
    let mut attributes = Vec::new();
    if ident != property.name {
        let name = &property.name;
        attributes.push(quote!(rename = #name));
    }
    if !property.required {
        attributes.push(quote!(default, skip_serializing_if = "Option::is_none"));
    }
    if let Some(path) = in_request.then(|| reader(contract, property)).flatten() {
        attributes.push(quote!(deserialize_with = #path));
    }
    let serde = (!attributes.is_empty()).then(|| quote!(#[serde(#(#attributes),*)]));
    let ty = field_type(property);
    quote! {
        #doc
        #serde
        pub #ident: #ty,
    }
}

fn is_option(property: &Property) -> bool {
    !property.required || property.typed.nullable
}

fn field_type(property: &Property) -> TokenStream {
    let ty = rust_type(&property.typed, &quote!());
    match is_option(property) {
        true => quote!(Option<#ty>),
        false => ty,
    }
}

/// The reading function that makes serde accept exactly what the schema accepts: `null` only
/// where it is allowed, absence only where it is allowed, UUIDs only in their hyphenated form.
fn reader(contract: &Contract, property: &Property) -> Option<&'static str> {
    let strict = holds_uuid(contract, &property.typed.ty);
    match (strict, property.required, property.typed.nullable) {
        (false, true, false) | (false, false, true) => None,
        (false, true, true) => Some("support::de::nullable"),
        (false, false, false) => Some("support::de::present"),
        (true, false, false) => Some("support::de::strict_present"),
        (true, _, _) => Some("support::de::strict"),
    }
}

fn holds_uuid(contract: &Contract, ty: &Type) -> bool {
    match contract.resolve(ty) {
        Resolved::Plain(Type::Uuid) => true,
        Resolved::Plain(Type::Array(inner, _) | Type::Map(inner, _)) => {
            holds_uuid(contract, &inner.ty)
        }
        _ => false,
    }
}

fn request_impls(contract: &Contract, named: &Named, object: &Object) -> TokenStream {
    let name = naming::type_ident(&named.name);
    let rules = object.properties.iter().filter_map(|property| {
        let checks = checks(contract, &property.typed.ty, &quote!(value));
        if checks.is_empty() {
            return None;
        }
        let ident = naming::field(&property.name);
        let wire = &property.name;
        let checks = quote!(#(#checks.map_err(|fault| fault.under(#wire))?;)*);
        Some(match is_option(property) {
            true => quote! { if let Some(value) = &self.#ident { #checks } },
            false => quote! { { let value = &self.#ident; #checks } },
        })
    });
    let schema_name = &named.name;
    let constructor = constructor(object).map(|function| quote!(impl #name { #function }));
    quote! {
        #constructor

        impl support::Validate for #name {
            const SCHEMA: &'static str = #schema_name;

            fn validate(&self) -> Result<(), support::Fault> {
                #(#rules)*
                Ok(())
            }
        }
    }
}

/// A constructor from the required fields, so that callers need not spell out what they leave
/// out.
fn constructor(object: &Object) -> Option<TokenStream> {
    let (given, left_out): (Vec<_>, Vec<_>) = object
        .properties
        .iter()
        .partition(|property| property.required);
    if given.is_empty() || left_out.is_empty() {
        return None;
    }
    let names: Vec<_> = given.iter().map(|p| naming::field(&p.name)).collect();
    let types = given.iter().map(|p| field_type(p));
    let absent = left_out.iter().map(|p| naming::field(&p.name));
    Some(quote! {
        /// With what is required, and nothing else.
        pub fn new(#(#names: #types),*) -> Self {
            Self {
                #(#names,)*
                #(#absent: None,)*
            }
        }
    })
}
