//! `lib.rs` and `mod.rs` are tables of contents: prose, `mod`, `use`.

use crate::tidy::finding::Finding;
use crate::tidy::house::{House, RustFile, is_test_file};
use crate::tidy::source::Token;

/// Words that begin an item with substance.
const ITEMS: [&str; 10] = [
    "const",
    "enum",
    "fn",
    "impl",
    "macro_rules",
    "static",
    "struct",
    "trait",
    "type",
    "union",
];

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    house
        .rust
        .iter()
        .filter(|file| file.path.ends_with("/lib.rs") || file.path.ends_with("/mod.rs"))
        .filter(|file| !is_test_file(file.path))
        .filter_map(|file| {
            let item = first_item(file)?;
            Some(Finding::new(
                file.path,
                item.line,
                format!("`{}` begins an item in a table of contents", item.text),
                "move it into a module named for its idea; here stand prose, `mod` and `pub use`",
            ))
        })
        .collect()
}

/// The first word outside all brackets that begins an item, test code apart.
fn first_item<'f, 'a>(file: &'f RustFile<'a>) -> Option<&'f Token<'a>> {
    let mut depth = 0_usize;
    file.lexed.tokens.iter().find(|token| {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && ITEMS.iter().any(|item| token.is(item)) && !file.is_test(token.line)
    })
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    #[test]
    fn prose_modules_and_imports_pass() {
        let text = "//! fn of a kind.\n#![cfg_attr(test, allow(x))]\nmod a;\npub mod b { fn c() {} }\n\
                    pub use a::{self, D};\n#[cfg(test)]\nmod tests { struct E; }\n";
        assert_eq!(
            said(check, &[("x/src/lib.rs", text), ("x/src/y/mod.rs", text)]),
            Vec::<String>::new()
        );
        let elsewhere = [
            ("x/src/a.rs", "fn a() {}"),
            ("x/tests/it/mod.rs", "fn a() {}"),
        ];
        assert_eq!(said(check, &elsewhere), Vec::<String>::new());
    }

    #[test]
    fn an_item_is_found_once() {
        assert_eq!(
            said(
                check,
                &[(
                    "x/src/lib.rs",
                    "//! Doc.\nmod a;\n\npub struct B(u8);\nfn c() {}\n"
                )]
            ),
            [
                "x/src/lib.rs:4: `struct` begins an item in a table of contents; move it into a module named for its idea; here stand prose, `mod` and `pub use`"
            ]
        );
    }
}
