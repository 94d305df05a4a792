//! Names that generated code is given.

use quote::quote;

/// The command that makes every generated file; each names it in its first line.
pub const COMMAND: &str = "cargo xtask regen-openapi";

/// Where generated code finds what is written by hand. The golden cases compile outside the
/// product's crates and so name other places.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The types crate, seen from server and client.
    pub types: proc_macro2::TokenStream,
    /// Support of the types crate, seen from types, server and client.
    pub types_support: proc_macro2::TokenStream,
    /// Support of the server crate.
    pub server: proc_macro2::TokenStream,
    /// Support of the client crate.
    pub client: proc_macro2::TokenStream,
    /// The client that gets a method for each operation.
    pub client_type: proc_macro2::TokenStream,
}

impl Paths {
    /// The product's own crates.
    pub fn product() -> Self {
        Self {
            types: quote!(::api_types),
            types_support: quote!(crate::support),
            server: quote!(crate::support),
            client: quote!(crate::support),
            client_type: quote!(crate::Client),
        }
    }
}
