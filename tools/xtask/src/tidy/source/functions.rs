//! Finds functions and measures them.

use super::lexer::{Kind, Token};

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    /// The line of the word `fn`.
    pub(crate) line: usize,
    /// From the line of `fn` to the line of the closing brace, both counted.
    pub(crate) lines: usize,
}

/// Every function of the file that has a body, nested ones too.
pub(crate) fn functions<'a>(tokens: &[Token<'a>]) -> Vec<Function<'a>> {
    let mut found = Vec::new();
    for (i, pair) in tokens.windows(2).enumerate() {
        // A type such as `fn(u8)` has no name.
        if !pair[0].is("fn") || pair[1].kind != Kind::Word {
            continue;
        }
        if let Some(end) = body_end(&tokens[i..]) {
            found.push(Function {
                name: pair[1].text,
                line: pair[0].line,
                lines: tokens[i + end].line - pair[0].line + 1,
            });
        }
    }
    found
}

/// The index of the brace that closes the first body in `tokens`; `None` if a semicolon comes first.
pub(super) fn body_end(tokens: &[Token<'_>]) -> Option<usize> {
    let mut brackets = 0_usize;
    let mut braces = 0_usize;
    for (i, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Mark {
            continue;
        }
        match token.text {
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets = brackets.saturating_sub(1),
            // A brace inside brackets before the body is part of a constant in the signature.
            "{" if braces > 0 || brackets == 0 => braces += 1,
            "}" if braces == 1 => return Some(i),
            "}" => braces = braces.saturating_sub(1),
            ";" if braces == 0 && brackets == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::lex;
    use super::*;

    fn measured(source: &str) -> Vec<(String, usize, usize)> {
        functions(&lex(source).tokens)
            .into_iter()
            .map(|f| (f.name.to_owned(), f.line, f.lines))
            .collect()
    }

    #[test]
    fn a_function_reaches_from_its_word_to_its_brace() {
        let source = "/// Doc.\nfn a(x: [u8; { 2 }]) -> u8\nwhere u8: Copy {\n    \"}\" // }\n}\nfn b() {}\n";
        assert_eq!(
            measured(source),
            [("a".to_owned(), 2, 4), ("b".to_owned(), 6, 1)]
        );
    }

    #[test]
    fn declarations_and_pointer_types_are_not_functions() {
        assert_eq!(
            measured("trait T { fn a(&self); fn b(&self) -> [u8; 2]; }"),
            []
        );
        assert_eq!(measured("type F = fn(u8) -> u8; struct S { f: fn() }"), []);
    }

    #[test]
    fn nested_functions_are_measured_too() {
        let source = "fn outer() {\n    fn inner() {\n    }\n    match 1 { _ => {} }\n}\n";
        assert_eq!(
            measured(source),
            [("outer".to_owned(), 1, 5), ("inner".to_owned(), 2, 2)]
        );
    }
}
