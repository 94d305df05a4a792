//! What the tour writes: calm, aligned, coloured only where somebody sees it.

use std::env;
use std::io::{self, IsTerminal, Write};

/// Columns that a label takes.
const LABEL_COLUMNS: usize = 14;

/// Blanks before the text of the model.
const TEXT_INDENT: &str = "    ";

/// How something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// A heading.
    Strong,
    /// What can be skipped.
    Quiet,
    /// What the model said.
    Text,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Quiet => "2",
            Self::Text => "36",
            Self::Good => "32",
            Self::Bad => "31",
        }
    }
}

/// Standard output, as the tour uses it.
pub(super) struct Page {
    coloured: bool,
    at_line_start: bool,
}

impl Page {
    /// Colours are for terminals, unless `NO_COLOR` is set.
    pub(super) fn new() -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            coloured: io::stdout().is_terminal() && !refused,
            at_line_start: true,
        }
    }

    /// Text in a tone.
    pub(super) fn tone(&self, tone: Tone, text: &str) -> String {
        if self.coloured && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code())
        } else {
            text.to_owned()
        }
    }

    /// A line.
    pub(super) fn line(&mut self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// A heading, with air around it.
    pub(super) fn heading(&mut self, text: &str) {
        let text = self.tone(Tone::Strong, text);
        self.line(&format!("\n{text}\n"));
    }

    /// A fact under its label.
    pub(super) fn fact(&mut self, label: &str, text: &str) {
        let label = self.tone(Tone::Quiet, &format!("{label:<LABEL_COLUMNS$}"));
        self.line(&format!("  {label}{text}"));
    }

    /// The next piece of the model's text, as it comes.
    pub(super) fn piece(&mut self, text: &str) {
        let mut shown = String::new();
        for part in text.split_inclusive('\n') {
            if self.at_line_start && part != "\n" {
                shown.push_str(TEXT_INDENT);
            }
            let (words, line_ends) = match part.strip_suffix('\n') {
                Some(words) => (words, true),
                None => (part, false),
            };
            shown.push_str(&self.tone(Tone::Text, words));
            if line_ends {
                shown.push('\n');
            }
            self.at_line_start = line_ends;
        }
        self.write(&shown);
    }

    /// Ends the model's text.
    pub(super) fn end_text(&mut self) {
        if !self.at_line_start {
            self.write("\n");
        }
        self.at_line_start = true;
        self.write("\n");
    }

    /// A reader that is gone wants to know nothing.
    fn write(&self, text: &str) {
        let mut out = io::stdout().lock();
        let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}
