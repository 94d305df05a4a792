//! The replies of an operation.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::{
    emit::{docs, types::rust_type},
    model::{Content, Header, Operation, Reply},
    naming,
};

pub(super) fn name(operation: &Operation) -> Ident {
    format_ident!("{}Response", naming::camel(&operation.id))
}

pub(super) fn emit(operation: &Operation) -> TokenStream {
    let name = name(operation);
    let doc = format!(" Every reply of `{}`.", operation.id);
    let constant = naming::constant(&operation.id);
    let variants = operation
        .replies
        .iter()
        .map(|reply| variant(operation, reply));
    let arms = operation.replies.iter().map(arm);
    quote! {
        #[doc = #doc]
        #[derive(Debug)]
        pub enum #name {
            #(#variants)*
            /// Refused or failed. Made by `from`, which checks that the contract lists the status.
            Problem(Box<support::ProblemReply>),
        }

        impl From<support::ProblemReply> for #name {
            fn from(reply: support::ProblemReply) -> Self {
                Self::Problem(Box::new(#constant.listed(reply)))
            }
        }

        impl IntoResponse for #name {
            fn into_response(self) -> Response {
                match self {
                    #(#arms)*
                    Self::Problem(reply) => reply.into_response(),
                }
            }
        }
    }
}

fn variant_name(reply: &Reply) -> Ident {
    let word = match reply.status {
        200 => "Ok",
        201 => "Created",
        202 => "Accepted",
        204 => "NoContent",
        _ => "Status",
    };
    format_ident!("{word}{}", reply.status)
}

fn variant(operation: &Operation, reply: &Reply) -> TokenStream {
    let name = variant_name(reply);
    let doc = docs(reply.doc.as_deref());
    let headers = reply.headers.iter().map(|header| {
        let doc = docs(header.doc.as_deref());
        let ident = naming::field(&header.name);
        let ty = header_type(header);
        quote!(#doc #ident: #ty,)
    });
    let body = match &reply.content {
        Content::Nothing => None,
        Content::Json(typed) => {
            let ty = rust_type(typed, &quote!(types::));
            Some(match typed.nullable {
                true => quote!(Option<#ty>),
                false => ty,
            })
        }
        Content::Text => Some(quote!(String)),
        Content::Events => {
            let event = format_ident!("{}Event", naming::camel(&operation.id));
            Some(quote!(support::EventStream<types::#event>))
        }
    };
    let body = body.map(|ty| {
        quote! {
            /// The body.
            body: #ty,
        }
    });
    match body.is_none() && reply.headers.is_empty() {
        true => quote!(#doc #name,),
        false => quote!(#doc #name { #(#headers)* #body },),
    }
}

fn header_type(header: &Header) -> TokenStream {
    let ty = rust_type(&header.typed, &quote!(types::));
    match header.required {
        true => ty,
        false => quote!(Option<#ty>),
    }
}

fn arm(reply: &Reply) -> TokenStream {
    let name = variant_name(reply);
    let status = reply.status;
    let idents: Vec<_> = reply
        .headers
        .iter()
        .map(|header| naming::field(&header.name))
        .collect();
    let made = match &reply.content {
        Content::Nothing => quote!(support::reply::empty(#status)),
        Content::Json(_) => quote!(support::reply::json(#status, &body)),
        Content::Text => quote!(support::reply::text(#status, body)),
        Content::Events => quote!(support::reply::events(#status, body)),
    };
    let body = (!matches!(reply.content, Content::Nothing)).then(|| quote!(body,));
    if body.is_none() && reply.headers.is_empty() {
        return quote!(Self::#name => #made,);
    }
    let sets = reply.headers.iter().zip(&idents).map(|(header, ident)| {
        let wire = header.name.to_lowercase();
        match header.required {
            true => quote!(support::reply::header(&mut reply, #wire, &#ident);),
            false => quote! {
                if let Some(value) = &#ident {
                    support::reply::header(&mut reply, #wire, value);
                }
            },
        }
    });
    let made = match reply.headers.is_empty() {
        true => made,
        false => quote! {{
            let mut reply = #made;
            #(#sets)*
            reply
        }},
    };
    quote!(Self::#name { #(#idents,)* #body } => #made,)
}
