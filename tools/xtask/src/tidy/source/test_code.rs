//! Which lines of a file are compiled only for tests.

use super::functions::body_end;
use super::lexer::Token;

/// The items under `#[cfg(test)]`, `#[test]` and their like.
#[derive(Debug, Default)]
pub(crate) struct TestCode {
    /// First and last line of each such item.
    ranges: Vec<(usize, usize)>,
}

impl TestCode {
    pub(crate) fn find(tokens: &[Token<'_>]) -> Self {
        let mut ranges = Vec::new();
        for (i, pair) in tokens.windows(2).enumerate() {
            if !(pair[0].is("#") && pair[1].is("[")) {
                continue;
            }
            let Some(close) = attribute_end(&tokens[i..]).map(|length| i + length) else {
                continue;
            };
            if !is_test_attribute(&tokens[i + 2..close]) {
                continue;
            }
            let item = &tokens[close + 1..];
            let end = body_end(skip_attributes(item))
                .map(|end| skip_attributes(item)[end].line)
                .or_else(|| item.iter().find(|t| t.is(";")).map(|t| t.line));
            ranges.push((pair[0].line, end.unwrap_or(pair[0].line)));
        }
        Self { ranges }
    }

    /// Whether the line belongs to a test.
    pub(crate) fn contains(&self, line: usize) -> bool {
        self.ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&line))
    }
}

/// The index of the bracket that closes the attribute at the start.
fn attribute_end(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, token) in tokens.iter().enumerate() {
        if token.is("[") {
            depth += 1;
        } else if token.is("]") {
            depth -= 1;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}

fn skip_attributes<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    while tokens.first().is_some_and(|t| t.is("#")) {
        match attribute_end(tokens) {
            Some(end) => tokens = &tokens[end + 1..],
            None => return tokens,
        }
    }
    tokens
}

/// `test`, `tokio::test`, `cfg(test)`, `cfg(all(test, …))`; not `cfg(not(test))`.
fn is_test_attribute(inside: &[Token<'_>]) -> bool {
    let has = |word| inside.iter().any(|token| token.is(word));
    match inside.first() {
        Some(first) if first.is("cfg") => has("test") && !has("not"),
        Some(_) => inside
            .iter()
            .take_while(|token| !token.is("("))
            .last()
            .is_some_and(|token| token.is("test")),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::lex;
    use super::*;

    fn test_lines(source: &str) -> Vec<usize> {
        let code = TestCode::find(&lex(source).tokens);
        (1..=source.lines().count())
            .filter(|line| code.contains(*line))
            .collect()
    }

    #[test]
    fn the_item_after_the_attribute_is_test_code() {
        let source =
            "fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(test_lines(source), [2, 3, 4, 5, 6]);
        assert_eq!(test_lines("#[cfg(test)]\nmod tests;\nfn a() {}\n"), [1, 2]);
        assert_eq!(test_lines("#[cfg(test)]\nuse a::{b};\nfn a() {}\n"), [1, 2]);
    }

    #[test]
    fn test_functions_count_and_their_opposite_does_not() {
        assert_eq!(test_lines("#[test]\nfn a() {\n}\n"), [1, 2, 3]);
        assert_eq!(
            test_lines("#[tokio::test(flavor = \"x\")]\nasync fn a() {}\n"),
            [1, 2]
        );
        assert_eq!(test_lines("#[cfg(all(test, unix))]\nfn a() {}\n"), [1, 2]);
        assert_eq!(test_lines("#[cfg(not(test))]\nfn a() {}\n"), []);
        assert_eq!(test_lines("#[derive(Debug)]\nstruct Test {}\n"), []);
    }
}
