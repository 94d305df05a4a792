//! Standard output and standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::{Format, Page, Style, Tone};

/// The two outputs, and how things are to look on them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) format: Format,
    /// Whether standard output is a terminal.
    pub(crate) terminal: bool,
    /// Whether standard error is a terminal.
    pub(crate) terminal_err: bool,
    style: Style,
    style_err: Style,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        let terminal = io::stdout().is_terminal();
        let terminal_err = io::stderr().is_terminal();
        Self {
            format,
            terminal,
            terminal_err,
            style: Style::of(terminal),
            style_err: Style::of(terminal_err),
        }
    }

    /// Prints an answer of the API: itself as JSON, or a page about it for people.
    ///
    /// # Errors
    ///
    /// If standard output takes no more.
    pub(crate) fn show<T: Serialize>(
        self,
        answer: &T,
        describe: impl FnOnce(&mut Page),
    ) -> io::Result<()> {
        let text = match self.format {
            Format::Json => json(answer)?,
            Format::Table => {
                let mut page = Page::new(self.style);
                describe(&mut page);
                page.into_text()
            }
        };
        self.write(text.as_bytes())
    }

    /// Writes bytes to standard output, and makes sure that they have left.
    ///
    /// # Errors
    ///
    /// If standard output takes no more.
    pub(crate) fn write(self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// Tells people what goes on. Programs, which read JSON, are not told.
    pub(crate) fn say(self, tone: Tone, text: &str) {
        if self.format == Format::Table {
            let mut page = Page::new(self.style_err);
            page.line(super::Cell::new(tone, text));
            self.write_err(&page.into_text());
        }
    }

    /// A page for standard error.
    pub(crate) fn page_err(self) -> Page {
        Page::new(self.style_err)
    }

    /// Writes to standard error. Nobody can be told if that fails.
    pub(crate) fn write_err(self, text: &str) {
        let _nobody_listens = io::stderr().lock().write_all(text.as_bytes());
    }
}

/// One JSON document, in lines for whoever looks at it.
pub(crate) fn json<T: Serialize>(answer: &T) -> io::Result<String> {
    let mut text = serde_json::to_string_pretty(answer)?;
    text.push('\n');
    Ok(text)
}
