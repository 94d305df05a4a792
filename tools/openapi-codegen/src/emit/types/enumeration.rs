//! Enumerations.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::{
    emit::docs,
    model::{Enumeration, Named},
    naming,
};

pub(super) fn emit(named: &Named, list: &Enumeration) -> TokenStream {
    let name = naming::type_ident(&named.name);
    let doc = docs(named.doc.as_deref());
    let variants: Vec<_> = list.values.iter().map(|v| naming::type_ident(v)).collect();
    let values = &list.values;
    let variant_docs = values.iter().map(|value| format!(" `{value}`."));
    let (derives, unknown, unknown_text, otherwise, error) = if list.extensible {
        (
            quote!(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash),
            quote! {
                /// A value that this version does not list. Only reading one makes it.
                Unknown(support::Unlisted),
            },
            quote!(Self::Unknown(other) => other.as_str(),),
            quote!(_ => Ok(Self::Unknown(support::Unlisted::read(text))),),
            quote!(::std::convert::Infallible),
        )
    } else {
        (
            quote!(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash),
            quote!(),
            quote!(),
            quote!(_ => Err(support::NotListed::new(text, &[#(#values),*])),),
            quote!(support::NotListed),
        )
    };
    let wire = wire(&name);
    quote! {
        #doc
        #[derive(#derives)]
        pub enum #name {
            #(#[doc = #variant_docs] #variants,)*
            #unknown
        }

        impl #name {
            /// Every listed value, in the order of the contract.
            pub const ALL: &'static [Self] = &[#(Self::#variants),*];

            /// The value as it is written on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#variants => #values,)*
                    #unknown_text
                }
            }
        }

        impl ::std::str::FromStr for #name {
            type Err = #error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    #(#values => Ok(Self::#variants),)*
                    #otherwise
                }
            }
        }

        #wire
    }
}

/// Writing and reading by the value's text, the same for every enumeration.
fn wire(name: &Ident) -> TokenStream {
    quote! {
        impl ::std::fmt::Display for #name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for #name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                support::de::text(deserializer)
            }
        }
    }
}
