//! Unions.

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    contract::Contract,
    emit::docs,
    model::{Named, Union},
    naming,
};

pub(super) fn emit(contract: &Contract, named: &Named, union: &Union) -> TokenStream {
    let name = naming::type_ident(&named.name);
    let doc = docs(named.doc.as_deref());
    let parts = Parts::of(contract, union);
    let (variants, tags, types, docs) = (&parts.variants, &parts.tags, &parts.types, &parts.docs);
    let tag = &union.tag;
    if union.extensible {
        return extensible(&name, &doc, tag, &parts);
    }
    let validate = contract.directions.requests.contains(&named.name).then(|| {
        let schema_name = &named.name;
        quote! {
            impl support::Validate for #name {
                const SCHEMA: &'static str = #schema_name;

                fn validate(&self) -> Result<(), support::Fault> {
                    match self {
                        #(Self::#variants(value) => support::Validate::validate(value),)*
                    }
                }
            }
        }
    });
    quote! {
        #doc
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(tag = #tag)]
        pub enum #name {
            #(#docs #[serde(rename = #tags)] #variants(#types),)*
        }
        #validate
    }
}

struct Parts {
    variants: Vec<proc_macro2::Ident>,
    tags: Vec<String>,
    types: Vec<proc_macro2::Ident>,
    docs: Vec<TokenStream>,
}

impl Parts {
    fn of(contract: &Contract, union: &Union) -> Self {
        let choices = &union.variants;
        Self {
            variants: choices.iter().map(|v| naming::type_ident(&v.tag)).collect(),
            tags: choices.iter().map(|v| v.tag.clone()).collect(),
            types: choices
                .iter()
                .map(|v| naming::type_ident(&v.schema))
                .collect(),
            docs: choices
                .iter()
                .map(|v| {
                    docs(
                        contract
                            .schemas
                            .get(&v.schema)
                            .and_then(|s| s.doc.as_deref()),
                    )
                })
                .collect(),
        }
    }
}

/// A union that clients read with tags they do not know. A known tag with a broken payload is
/// still an error, which serde's own fallback variant would hide.
fn extensible(
    name: &proc_macro2::Ident,
    doc: &TokenStream,
    tag: &str,
    parts: &Parts,
) -> TokenStream {
    let Parts {
        variants,
        tags,
        types,
        docs,
    } = parts;
    quote! {
        #doc
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize)]
        #[serde(tag = #tag)]
        pub enum #name {
            #(#docs #[serde(rename = #tags)] #variants(#types),)*
            /// A kind that this version does not list. Only reading one makes it.
            #[serde(untagged)]
            Unknown(support::UnlistedObject),
        }

        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let object = support::UnlistedObject::read(deserializer, #tag)?;
                match object.tag() {
                    #(#tags => object.known().map(Self::#variants),)*
                    _ => Ok(Self::Unknown(object)),
                }
            }
        }
    }
}
