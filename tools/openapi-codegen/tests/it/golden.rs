//! Golden cases: one quirk each, in `tests/cases/<quirk>/`.
//!
//! `input.yaml` is a whole contract; its first line names the crates that are emitted for it.
//! What is emitted stands beside it and is compared here; the tests of `contracts/api-server`
//! compile it and run it. After a wanted change: `UPDATE_GOLDEN=1 cargo test -p openapi-codegen`, then look at
//! the difference.

use std::{collections::BTreeMap, fs, path::PathBuf};

use openapi_codegen::{
    contract::Contract,
    emit::{self, Paths},
};
use quote::quote;

use crate::layout::{lay_out, write};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn paths() -> Paths {
    Paths {
        types: quote!(super::super::types),
        types_support: quote!(::api_types::support),
        server: quote!(::api_server::support),
        client: quote!(::api_client::support),
        client_type: quote!(super::super::Client),
    }
}

/// Everything that is emitted for a case, by path below its folder.
fn emitted(name: &str, input: &str) -> BTreeMap<String, String> {
    let parts = input
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# Emits: "))
        .unwrap_or_else(|| panic!("{name}/input.yaml must begin with `# Emits: `"));
    let laid_out = lay_out(input);
    let contract =
        Contract::read(laid_out.path()).unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
    let mut files = BTreeMap::new();
    let mut module = format!("//! Golden case `{name}`.\n");
    for part in parts.split(", ") {
        let made = match part {
            "types" => emit::types::files(&contract, &paths()),
            "server" => emit::server::files(&contract, &paths()),
            "client" => emit::client::files(&contract, &paths()).unwrap(),
            other => panic!("{name}: `{other}` is no part"),
        };
        module.push_str(&format!("pub mod {part};\n"));
        if part == "client" {
            module.push_str("pub type Client = crate::golden::Client<client::sample::Client>;\n");
        }
        for (path, text) in made {
            // The problem is the same everywhere and is read in one case only.
            files.insert(format!("{part}/{path}"), text);
        }
    }
    files.insert("mod.rs".to_owned(), module);
    files
}

/// What is there, by path below the case's folder.
fn present(folder: &PathBuf) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.clone()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != "input.yaml" {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy();
                found.insert(name.into_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn every_case_is_emitted_as_it_stands() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut index = String::from(
        "//! Golden cases, compiled.\n#![allow(dead_code, unreachable_pub, missing_docs)]\n",
    );
    let mut wrong = Vec::new();
    for name in &names {
        let module = name.replace('-', "_");
        index.push_str(&format!("#[path = \"{name}/mod.rs\"]\npub mod {module};\n"));
        let case = folder().join(name);
        let input = fs::read_to_string(case.join("input.yaml")).unwrap();
        let wanted = emitted(name, &input);
        let found = present(&case);
        for (path, text) in &wanted {
            if found.get(path) != Some(text) {
                wrong.push(format!("{name}/{path}"));
                if update {
                    write(&case.join(path), text);
                }
            }
        }
        for path in found.keys().filter(|path| !wanted.contains_key(*path)) {
            wrong.push(format!("{name}/{path} (orphaned)"));
            if update {
                fs::remove_file(case.join(path)).unwrap();
            }
        }
    }
    let path = folder().join("mod.rs");
    if fs::read_to_string(&path).unwrap_or_default() != index {
        wrong.push("mod.rs".to_owned());
        if update {
            write(&path, &index);
        }
    }
    assert!(
        update || wrong.is_empty(),
        "not as they stand: {wrong:#?}\nrun `UPDATE_GOLDEN=1 cargo test -p openapi-codegen` and look at the difference"
    );
}
