//! Colours.

use std::env;

/// What a piece of text is to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// Headings and names.
    Strong,
    /// What is there for completeness.
    Dim,
    /// All is well.
    Good,
    /// Something goes on.
    Busy,
    /// Something is wrong.
    Bad,
}

/// Whether one of the two outputs takes colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    colour: bool,
}

impl Style {
    /// No colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colour: false };

    /// Colours if somebody sees them, and has not said (<https://no-color.org>) that they are unwanted.
    pub(crate) fn of(terminal: bool) -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        let dumb = set("TERM").is_some_and(|kind| kind == "dumb");
        Self {
            colour: terminal && !dumb && set("NO_COLOR").is_none(),
        }
    }

    /// The text in the colour of its tone.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Dim => "2",
            Tone::Good => "32",
            Tone::Busy => "33",
            Tone::Bad => "31",
        };
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_only_put_where_they_are_seen() {
        assert_eq!(Style::PLAIN.paint(Tone::Bad, "x"), "x");
        let seen = Style { colour: true };
        assert_eq!(seen.paint(Tone::Bad, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(seen.paint(Tone::Plain, "x"), "x");
        assert_eq!(seen.paint(Tone::Bad, ""), "");
    }
}
