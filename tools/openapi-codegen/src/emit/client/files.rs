//! The files of the client crate.

use std::collections::BTreeMap;

use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle};
use quote::quote;

use super::{copy, stream, wrapper};
use crate::{
    contract::Contract,
    emit::{Paths, render, types::allowances},
    fault::{Fault, Outcome},
    model::Api,
    naming,
};

/// All files of the client crate by their names below `generated/`.
pub fn files(contract: &Contract, paths: &Paths) -> Outcome<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut modules = Vec::new();
    for api in &contract.apis {
        let module = naming::field(&api.name);
        files.insert(format!("{module}.rs"), client(contract, api, paths)?);
        modules.push(module);
    }
    let allow = allowances();
    let root = quote! {
        #allow
        #(pub mod #modules;)*
    };
    files.insert(
        "mod.rs".to_owned(),
        render("Client side of the contract.", root),
    );
    Ok(files)
}

fn client(contract: &Contract, api: &Api, paths: &Paths) -> Outcome<String> {
    let broken = |error: String| {
        let at = contract
            .bundles
            .iter()
            .find(|bundle| bundle.name == api.name)
            .map(|bundle| bundle.document.at.clone())
            .unwrap_or_else(|| contract.bundles[0].document.at.clone());
        Fault::unsupported(&at, format!("progenitor refused the client copy: {error}"))
    };
    let copy = copy::document(contract, api).to_string();
    let document: openapiv3::OpenAPI =
        serde_json::from_str(&copy).map_err(|error| broken(error.to_string()))?;
    let mut settings = GenerationSettings::default();
    settings.with_interface(InterfaceStyle::Positional);
    let tokens = Generator::new(&settings)
        .generate_tokens(&document)
        .map_err(|error| broken(error.to_string()))?;
    let file: syn::File = syn::parse2(tokens).map_err(|error| broken(error.to_string()))?;
    let generated = wrapper::split(file, &paths.types);
    let wrappers = wrapper::methods(api, &generated.methods);
    let streams = stream::methods(contract, api)?;
    let (client, support) = (&paths.client_type, &paths.client);
    let items = &generated.items;
    let tokens = quote! {
        use #support as support;
        #(#items)*

        impl #client {
            #(#wrappers)*
            #(#streams)*
        }
    };
    Ok(render(
        &format!("Client of the API `{}`.", api.name),
        tokens,
    ))
}
