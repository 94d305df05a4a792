//! Text from elsewhere, made fit for a terminal.
//!
//! Names, messages and above all a model's own words may hold escape sequences, which a terminal would
//! obey: move the cursor, recolour, set its title, even answer as if somebody typed.

use std::borrow::Cow;

/// One line: line breaks and tabs become blanks, other control characters `�`.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    without(text, char::is_control)
}

/// Any number of lines: each control character but line feed and tab becomes `�`.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    without(text, |c| c.is_control() && !matches!(c, '\n' | '\t'))
}

fn without(text: &str, unwanted: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.contains(&unwanted) {
        let replace = |c| match c {
            c if !unwanted(c) => c,
            '\n' | '\t' => ' ',
            _ => char::REPLACEMENT_CHARACTER,
        };
        Cow::Owned(text.chars().map(replace).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_nothing_to_obey() {
        assert_eq!(visible("a\x1b[2Jb\nc\u{9b}d"), "a�[2Jb c�d");
        assert_eq!(printable("a\n\tb\x1b]0;x\x07\r"), "a\n\tb�]0;x��");
        assert!(matches!(printable("täglich\n"), Cow::Borrowed(_)));
    }
}
