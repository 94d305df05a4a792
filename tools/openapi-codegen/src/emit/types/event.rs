//! Events of streaming operations.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::{
    model::{Operation, Sse},
    naming,
};

pub(super) fn emit(operation: &Operation, sse: &Sse) -> TokenStream {
    let name = format_ident!("{}Event", naming::camel(&operation.id));
    let doc = format!(" One event of `{}`.", operation.id);
    let events: Vec<&str> = sse.events.iter().map(|(event, _)| event.as_str()).collect();
    let event_docs = events.iter().map(|event| format!(" Event `{event}`."));
    let variants: Vec<_> = events
        .iter()
        .map(|event| naming::type_ident(event))
        .collect();
    let types: Vec<_> = sse
        .events
        .iter()
        .map(|(_, schema)| naming::type_ident(schema))
        .collect();
    let terminal = &sse.terminal;
    let unknown = sse.extensible.then(|| {
        quote! {
            /// An event that this version does not list. Only reading one makes it.
            Unknown(support::UnlistedEvent),
        }
    });
    let unknown_name = sse
        .extensible
        .then(|| quote!(Self::Unknown(event) => event.name(),));
    let unknown_data = sse
        .extensible
        .then(|| quote!(Self::Unknown(event) => Ok(event.data().to_owned()),));
    let otherwise = match sse.extensible {
        true => quote!(Ok(Self::Unknown(support::UnlistedEvent::read(name, data)))),
        false => quote!(Err(support::EventError::NotListed(name.to_owned()))),
    };
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, PartialEq)]
        pub enum #name {
            #(#[doc = #event_docs] #variants(#types),)*
            #unknown
        }

        impl support::Event for #name {
            const LISTED: &'static [&'static str] = &[#(#events),*];
            const TERMINAL: &'static [&'static str] = &[#(#terminal),*];

            fn name(&self) -> &str {
                match self {
                    #(Self::#variants(_) => #events,)*
                    #unknown_name
                }
            }

            fn data(&self) -> Result<String, support::EventError> {
                match self {
                    #(Self::#variants(payload) => support::event_data(payload),)*
                    #unknown_data
                }
            }

            fn read(name: &str, data: &str) -> Result<Self, support::EventError> {
                match name {
                    #(#events => support::event_payload(name, data).map(Self::#variants),)*
                    _ => #otherwise,
                }
            }
        }
    }
}
