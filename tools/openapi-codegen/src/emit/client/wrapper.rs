//! Takes progenitor's file apart and writes the methods of the one `Client` over its calls.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{FnArg, GenericArgument, ImplItem, Item, Pat, PathArguments, ReturnType, Type};

use crate::{model::Api, naming};

/// progenitor's file, less its types.
pub(super) struct Generated {
    /// Everything but the module of types.
    pub(super) items: Vec<Item>,
    /// The methods that call an operation.
    pub(super) methods: Vec<syn::ImplItemFn>,
}

/// Puts the shared types in the place of progenitor's own, and leaves out the constructor
/// whose time limit would cut streams.
pub(super) fn split(file: syn::File, types: &TokenStream) -> Generated {
    let mut items = Vec::new();
    let mut methods = Vec::new();
    for mut item in file.items {
        match &mut item {
            Item::Mod(module) if module.ident == "types" => {
                items.push(syn::parse_quote!(pub use #types as types;));
                continue;
            }
            Item::Mod(module) if module.ident == "prelude" => continue,
            Item::Impl(block) if block.trait_.is_none() => {
                block.items.retain(
                    |item| !matches!(item, ImplItem::Fn(method) if method.sig.ident == "new"),
                );
                methods.extend(block.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(method) if method.sig.asyncness.is_some() => Some(method.clone()),
                    _ => None,
                }));
            }
            _ => {}
        }
        items.push(item);
    }
    Generated { items, methods }
}

/// One method of `Client` for each call.
pub(super) fn methods(api: &Api, calls: &[syn::ImplItemFn]) -> Vec<TokenStream> {
    let accessor = naming::field(&api.name);
    calls
        .iter()
        .map(|call| {
            let docs = call
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("doc"));
            let name = &call.sig.ident;
            let generics = &call.sig.generics;
            let inputs = &call.sig.inputs;
            let arguments = call.sig.inputs.iter().filter_map(|input| match input {
                FnArg::Typed(typed) => match &*typed.pat {
                    Pat::Ident(ident) => Some(&ident.ident),
                    _ => None,
                },
                FnArg::Receiver(_) => None,
            });
            let value = value_type(&call.sig.output);
            let (output, settle) = match &value {
                Some(value) if is_byte_stream(value) => {
                    (quote!(support::Reply<String>), quote!(settle_text))
                }
                Some(value) => (quote!(support::Reply<#value>), quote!(settle)),
                None => (quote!(support::Reply<()>), quote!(settle)),
            };
            quote! {
                #(#docs)*
                pub async fn #name #generics (#inputs) -> Result<#output, support::ApiError> {
                    support::#settle(self.#accessor().#name(#(#arguments),*).await).await
                }
            }
        })
        .collect()
}

/// `T` of `Result<ResponseValue<T>, _>`.
fn value_type(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, result) = output else {
        return None;
    };
    let value = first_argument(result)?;
    first_argument(&value)
}

fn first_argument(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}

fn is_byte_stream(ty: &Type) -> bool {
    ty.to_token_stream().to_string() == "ByteStream"
}
