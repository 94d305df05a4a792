//! Spells out the paths that a file names, imports included.

use super::lexer::{Kind, Token};

/// One path as written, or one leaf of an import.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PathUse<'a> {
    pub(crate) segments: Vec<&'a str>,
    pub(crate) line: usize,
    /// It stands in a `use`, so its first segment names a crate or module.
    pub(crate) imported: bool,
    /// An exclamation mark follows: a macro call.
    pub(crate) bang: bool,
}

/// Every path of the file; a single word is a path of one segment.
pub(crate) fn paths<'a>(tokens: &[Token<'a>]) -> Vec<PathUse<'a>> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let token = tokens[i];
        // `use<'a>` in a return type captures lifetimes and imports nothing.
        let imports = token.is("use") && tokens.get(i + 1).is_some_and(|next| !next.is("<"));
        if imports {
            i = import(tokens, i + 1, &[], &mut found);
        } else if token.kind == Kind::Word {
            i = plain(tokens, i, &mut found);
        } else {
            i += 1;
        }
    }
    found
}

/// Reads `a::b::c` at `i`; returns the index after it.
fn plain<'a>(tokens: &[Token<'a>], mut i: usize, found: &mut Vec<PathUse<'a>>) -> usize {
    let line = tokens[i].line;
    let mut segments = vec![tokens[i].text];
    i += 1;
    while let [colons, next, ..] = &tokens[i..] {
        if !colons.is("::") || next.kind != Kind::Word {
            break;
        }
        segments.push(next.text);
        i += 2;
    }
    // `a != b` is a comparison, not a macro.
    let bang =
        tokens.get(i).is_some_and(|t| t.is("!")) && !tokens.get(i + 1).is_some_and(|t| t.is("="));
    found.push(PathUse {
        segments,
        line,
        imported: false,
        bang,
    });
    i
}

/// Reads one use tree at `i` under `prefix`, pushes its leaves, returns the index after it.
fn import<'a>(
    tokens: &[Token<'a>],
    mut i: usize,
    prefix: &[&'a str],
    found: &mut Vec<PathUse<'a>>,
) -> usize {
    let mut segments = prefix.to_vec();
    let mut line = tokens.get(i).map_or(0, |t| t.line);
    while let Some(token) = tokens.get(i) {
        if token.is("{") {
            i += 1;
            while tokens.get(i).is_some_and(|t| !t.is("}")) {
                let before = i;
                i = import(tokens, i, &segments, found);
                // A token that starts no use tree must not stop the scan.
                i += usize::from(i == before || tokens.get(i).is_some_and(|t| t.is(",")));
            }
            return i + 1;
        }
        if token.is("as") {
            i += 2;
            break;
        }
        if token.kind == Kind::Word || token.is("*") {
            line = token.line;
            if token.text != "self" || segments.is_empty() {
                segments.push(token.text);
            }
        } else if !token.is("::") {
            break;
        }
        i += 1;
    }
    if segments.len() > prefix.len() || !prefix.is_empty() {
        found.push(PathUse {
            segments,
            line,
            imported: true,
            bang: false,
        });
    }
    i
}

#[cfg(test)]
mod tests {
    use super::super::lex;
    use super::*;

    fn spelled(source: &str) -> Vec<String> {
        paths(&lex(source).tokens)
            .into_iter()
            .map(|p| format!("{}:{}", p.line, p.segments.join("::")))
            .collect()
    }

    #[test]
    fn imports_are_spelled_out() {
        assert_eq!(
            spelled("use std::{\n  fs,\n  io::{self, Read as _},\n};\n"),
            ["2:std::fs", "3:std::io", "3:std::io::Read"]
        );
        assert_eq!(spelled("pub use a::*;"), ["1:pub", "1:a::*"]);
        assert_eq!(spelled("use ::rand::rng as r;"), ["1:rand::rng"]);
        assert_eq!(spelled("use tokio;"), ["1:tokio"]);
    }

    #[test]
    fn code_after_an_import_is_read_as_code() {
        assert_eq!(spelled("use a::b;\nc::d(e);"), ["1:a::b", "2:c::d", "2:e"]);
        assert_eq!(spelled("use {a, b::{c}};\nd"), ["1:a", "1:b::c", "2:d"]);
    }

    #[test]
    fn plain_paths_end_at_a_turbofish() {
        assert_eq!(spelled("a::b::<C>::d"), ["1:a::b", "1:C", "1:d"]);
        assert_eq!(spelled("-> impl X + use<'a> {"), ["1:impl", "1:X", "1:use"]);
    }

    #[test]
    fn macro_calls_are_told_from_comparisons() {
        let source = "print!(x); a != b; std::println!()";
        let bangs: Vec<_> = paths(&lex(source).tokens)
            .into_iter()
            .filter(|p| p.bang)
            .map(|p| p.segments.join("::"))
            .collect();
        assert_eq!(bangs, ["print", "std::println"]);
    }

    #[test]
    fn a_broken_import_is_survived() {
        assert_eq!(spelled("use a::{b, ! c"), ["1:a::b", "1:a", "1:a::c"]);
        assert_eq!(spelled("use"), ["1:use"]);
    }
}
