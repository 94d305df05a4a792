//! From names of the contract to names of Rust.

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};

/// Words that cannot be plain identifiers; they get a trailing underscore.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The name of a field, argument or method.
pub(crate) fn field(name: &str) -> Ident {
    let mut name = name.to_snake_case();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    if KEYWORDS.contains(&name.as_str()) {
        name.push('_');
    }
    ident(&name)
}

/// The name of a type or variant.
pub(crate) fn camel(name: &str) -> String {
    let mut name = name.to_upper_camel_case();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 'N');
    }
    if name == "Self" {
        name.push('_');
    }
    name
}

/// The identifier of a type or variant.
pub(crate) fn type_ident(name: &str) -> Ident {
    ident(&camel(name))
}

/// The name of a constant.
pub(crate) fn constant(name: &str) -> Ident {
    ident(&name.to_snake_case().to_uppercase())
}

/// A plain identifier.
pub(crate) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}
