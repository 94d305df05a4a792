//! Splits a Rust file into tokens and comments.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier, a keyword or a number.
    Word,
    /// `::`, or one character of anything else.
    Mark,
    /// A string or character literal, with its quotes.
    Text,
    /// A lifetime, with its quote.
    Lifetime,
}

/// One token and the line it starts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

impl Token<'_> {
    /// Whether this is the mark or word `text`, not a string that spells it.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text == text
    }
}

/// One comment, from its marker to its end, and the line it starts on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Comment<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// A file, split.
#[derive(Debug, Default)]
pub(crate) struct Lexed<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    pub(crate) comments: Vec<Comment<'a>>,
}

/// Splits `source`. Never fails: an unfinished literal or comment reaches to the end of the file.
pub(crate) fn lex(source: &str) -> Lexed<'_> {
    let mut lexed = Lexed::default();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (length, kind) = if first.is_whitespace() {
            (first.len_utf8(), None)
        } else if let Some(length) = comment(rest) {
            let text = &rest[..length];
            lexed.comments.push(Comment { text, line });
            (length, None)
        } else {
            let (length, kind) = token(rest, first);
            (length, Some(kind))
        };
        let (text, after) = rest.split_at(length);
        if let Some(kind) = kind {
            lexed.tokens.push(Token { kind, text, line });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    lexed
}

fn token(rest: &str, first: char) -> (usize, Kind) {
    if let Some(length) = string(rest) {
        return (length, Kind::Text);
    }
    if first == '\'' {
        return character(rest).map_or_else(
            || {
                (
                    1 + word(&rest[1..]).max(1).min(rest.len() - 1),
                    Kind::Lifetime,
                )
            },
            |length| (length, Kind::Text),
        );
    }
    if rest.starts_with("b'")
        && let Some(length) = character(&rest[1..])
    {
        return (1 + length, Kind::Text);
    }
    match word(rest) {
        0 if rest.starts_with("::") => (2, Kind::Mark),
        0 => (first.len_utf8(), Kind::Mark),
        length => (length, Kind::Word),
    }
}

/// The length of the word at the start, raw identifiers included; 0 if there is none.
fn word(rest: &str) -> usize {
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    let length = rest[raw..]
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len() - raw);
    if length == 0 { 0 } else { raw + length }
}

/// The length of the comment at the start; block comments nest.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match &rest.as_bytes()[at..rest.len().min(at + 2)] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    Some(rest.len())
}

/// The length of the string literal at the start: plain, byte, C, raw.
fn string(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix))?;
    let after = &rest[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        let body = after[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(match body.find(&end) {
            Some(at) => prefix.len() + hashes + 1 + at + end.len(),
            None => rest.len(),
        });
    }
    let body = after.strip_prefix('"')?;
    Some(prefix.len() + 1 + closing(body, b'"').unwrap_or(body.len()))
}

/// The length of the character literal at the start, if the quote does not begin a lifetime.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let first = body.chars().next()?;
    if first == '\\' {
        return closing(body, b'\'').map(|length| 1 + length);
    }
    body[first.len_utf8()..]
        .starts_with('\'')
        .then(|| 1 + first.len_utf8() + 1)
}

/// The length up to and with the first `quote` that no backslash escapes.
fn closing(body: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (i, byte) in body.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return Some(i + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        lex(source).tokens.iter().map(|t| t.text).collect()
    }

    #[test]
    fn code_is_split_into_words_and_marks() {
        assert_eq!(
            texts("let x: a::b = 1_000;"),
            ["let", "x", ":", "a", "::", "b", "=", "1_000", ";"]
        );
        assert_eq!(texts("r#type.r"), ["r#type", ".", "r"]);
        assert_eq!(texts("brute(c, b)"), ["brute", "(", "c", ",", "b", ")"]);
    }

    #[test]
    fn strings_and_characters_are_one_token() {
        assert_eq!(texts(r#""a { \" b" }"#), [r#""a { \" b""#, "}"]);
        assert_eq!(texts(r##"r#"say "}" "# ;"##), [r##"r#"say "}" "#"##, ";"]);
        assert_eq!(texts(r#"br"\" {"#), [r#"br"\""#, "{"]);
        assert_eq!(
            texts(r"'{' '\'' '\\' b'}' 'é'"),
            ["'{'", r"'\''", r"'\\'", "b'}'", "'é'"]
        );
        assert_eq!(texts("\"never closed {"), ["\"never closed {"]);
    }

    #[test]
    fn lifetimes_are_not_characters() {
        assert_eq!(
            texts("&'a str, 'static {"),
            ["&", "'a", "str", ",", "'static", "{"]
        );
        assert_eq!(
            texts("f::<'_>('x')"),
            ["f", "::", "<", "'_", ">", "(", "'x'", ")"]
        );
    }

    #[test]
    fn comments_are_kept_apart_with_their_lines() {
        let lexed = lex("a // one {\n/* two /* nested */\n still */ b\n");
        let comments: Vec<_> = lexed.comments.iter().map(|c| (c.line, c.text)).collect();
        assert_eq!(
            comments,
            [(1, "// one {"), (2, "/* two /* nested */\n still */")]
        );
        let lines: Vec<_> = lexed.tokens.iter().map(|t| (t.line, t.text)).collect();
        assert_eq!(lines, [(1, "a"), (3, "b")]);
    }

    #[test]
    fn a_lone_quote_at_the_end_is_survived() {
        assert_eq!(texts("'"), ["'"]);
        assert_eq!(texts("b'"), ["b", "'"]);
        assert_eq!(texts("/* open"), Vec::<&str>::new());
    }
}
