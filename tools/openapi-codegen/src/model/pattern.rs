//! The regular expressions that a contract may use.

/// Refuses what JSON Schema's dialect (ECMA-262) and the `regex` crate read differently: the
/// fast path checks with one, the schema validator with the other, and both must agree.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped) if !escaped.is_ascii_alphanumeric() => {}
                _ => {
                    return Err(
                        "only punctuation may be escaped; write a class such as [0-9] instead of \\d"
                            .to_owned(),
                    );
                }
            },
            '[' if !in_class => in_class = true,
            '[' | '&' | '~' if in_class => {
                return Err(format!("`{c}` inside a class must be escaped"));
            }
            ']' => in_class = false,
            '.' if !in_class => {
                return Err("`.` differs between dialects; write a class instead".to_owned());
            }
            '(' if !in_class && chars.peek() == Some(&'?') => {
                return Err("`(?` differs between dialects; use plain groups".to_owned());
            }
            _ => {}
        }
    }
    regex::Regex::new(pattern)
        .map(drop)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn plain_patterns_pass_and_ambiguous_ones_do_not() {
        for pattern in [
            "^[0-9]{1,9}-[0-9a-f]{16}$",
            "^[a-z.]+$",
            "^a\\.b$",
            "^(a|b)$",
        ] {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
        for pattern in ["^\\d$", "a.b", "(?=a)", "[a&&b]", "[", "\\bx"] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
