//! `lib.rs` and `mod.rs` are tables of contents: prose, `mod`, `use`.

use crate::tidy::house::{RustFile, is_test_file};
use crate::tidy::source::Token;

/// Words that begin an item with substance, if a name or what belongs to it follows.
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

/// The lines on which items begin in a table of contents, test code apart; none for any other file.
pub(super) fn items(file: &RustFile<'_>) -> Vec<usize> {
    let contents = file.path.ends_with("/lib.rs") || file.path.ends_with("/mod.rs");
    if !contents || is_test_file(file.path) {
        return Vec::new();
    }
    let mut depth = 0_usize;
    let mut lines = Vec::new();
    for (i, token) in file.lexed.tokens.iter().enumerate() {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        let next = file.lexed.tokens.get(i + 1);
        if depth == 0 && begins_item(token, next) && !file.is_test(token.line) {
            lines.push(token.line);
        }
    }
    // `const fn` begins one item.
    lines.dedup();
    lines
}

/// `union` is an item before a name and a module's name before a semicolon.
fn begins_item(token: &Token<'_>, next: Option<&Token<'_>>) -> bool {
    let named = next.is_some_and(|next| {
        !next.is(";") && !next.is("::") && !next.is("as") && !next.is(",") && !next.is("{")
    });
    named && ITEMS.iter().any(|item| token.is(item))
}

#[cfg(test)]
mod tests {
    use super::super::{said, sizes};

    #[test]
    fn prose_modules_and_imports_pass() {
        let text = "//! fn of a kind.\n#![cfg_attr(test, allow(x))]\nmod a;\npub mod b { fn c() {} }\n\
                    pub use a::{self, D};\nmod union;\nuse union::E;\n\
                    #[cfg(test)]\nmod tests { struct E; }\n";
        let files = [("x/src/lib.rs", text), ("x/src/y/mod.rs", text)];
        assert_eq!(said(sizes::check, &files), Vec::<String>::new());
        let elsewhere = [
            ("x/src/a.rs", "fn a() {}"),
            ("x/tests/it/mod.rs", "fn a() {}"),
        ];
        assert_eq!(said(sizes::check, &elsewhere), Vec::<String>::new());
    }

    #[test]
    fn items_are_counted_and_the_first_is_shown() {
        let text = "//! Doc.\nmod a;\n\npub struct B(u8);\nimpl B {\n    fn c() {}\n}\n\
                    pub const fn d() {}\nmacro_rules! e { () => {} }\n";
        assert_eq!(
            said(sizes::check, &[("x/src/lib.rs", text)]),
            [
                "x/src/lib.rs:4: the table of contents has 4 items, the house allows 0; move them into modules named for their ideas; here stand prose, `mod` and `pub use`"
            ]
        );
    }
}
