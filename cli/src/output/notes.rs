//! Long texts of a table.

use super::{Cell, Page, Tone};

/// Most characters of a text that a cell shows.
const SHOWN: usize = 48;

/// Keeps tables narrow: a cell shows the beginning of a long text, and the whole of it goes below the table.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    below: Vec<(String, String)>,
}

impl Notes {
    /// A cell that shows the first line of a text, or its beginning. `about` names the text below the table.
    pub(crate) fn cell(&mut self, tone: Tone, about: &str, text: &str) -> Cell {
        let text = text.trim();
        let first = text.lines().next().unwrap_or_default().trim_end();
        if first.len() == text.len() && first.chars().count() <= SHOWN {
            return Cell::new(tone, first);
        }
        self.below.push((about.to_owned(), text.to_owned()));
        let start: String = first.chars().take(SHOWN - 1).collect();
        Cell::new(tone, format!("{}…", start.trim_end()))
    }

    /// Writes the texts that the cells have cut.
    pub(crate) fn write(self, page: &mut Page) {
        for (about, text) in self.below {
            page.gap();
            page.line(Cell::new(Tone::Strong, format!("{about}:")));
            for line in text.lines() {
                page.line(format!("  {line}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    #[test]
    fn what_fits_stays_and_what_does_not_is_whole_below() {
        let fits = "x".repeat(SHOWN);
        let long = "ä".repeat(SHOWN + 1);
        let mut notes = Notes::default();
        let rows = [fits.as_str(), &long, "one\n\ttwo\n", ""]
            .map(|text| [notes.cell(Tone::Plain, "text", text)])
            .into();
        let mut page = Page::new(Style::PLAIN);
        page.table(["TEXT"], rows);
        notes.write(&mut page);
        let cut = format!("{}…", "ä".repeat(SHOWN - 1));
        assert_eq!(
            page.into_text(),
            format!("TEXT\n{fits}\n{cut}\none…\n\n\ntext:\n  {long}\n\ntext:\n  one\n   two\n")
        );
    }
}
