//! One page of text for people: lines, fields, tables.
//!
//! Columns are as wide as their widest cell and are never cut: a terminal wraps what is too long, and a
//! pipe gets all of it.

use super::{Style, Tone, visible};

/// One piece of text with its tone. Whatever it is made from is made visible.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(crate) fn new(tone: Tone, text: impl AsRef<str>) -> Self {
        Self {
            text: visible(text.as_ref()).into_owned(),
            tone,
        }
    }

    /// A value that may be absent; absence is a dash.
    pub(crate) fn maybe<T: ToString>(value: Option<T>) -> Self {
        match value {
            Some(value) => value.to_string().into(),
            None => Self::new(Tone::Dim, "-"),
        }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(Tone::Plain, text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(Tone::Plain, text)
    }
}

macro_rules! from_number {
    ($($number:ty),*) => {$(
        impl From<$number> for Cell {
            fn from(number: $number) -> Self {
                Self::new(Tone::Plain, number.to_string())
            }
        }
    )*};
}

from_number!(u32, u64, usize);

/// A page that grows from top to bottom.
#[derive(Debug)]
pub(crate) struct Page {
    style: Style,
    text: String,
}

impl Page {
    pub(crate) fn new(style: Style) -> Self {
        Self {
            style,
            text: String::new(),
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// One line.
    pub(crate) fn line(&mut self, cell: impl Into<Cell>) {
        let Cell { text, tone } = cell.into();
        self.text.push_str(&self.style.paint(tone, &text));
        self.text.push('\n');
    }

    /// An empty line, unless the page is empty so far.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Names and values, one pair a line, values below each other.
    pub(crate) fn fields<const N: usize>(&mut self, fields: [(&str, Cell); N]) {
        self.pairs(fields.into());
    }

    /// As [`Self::fields`], for any number of them.
    pub(crate) fn pairs(&mut self, fields: Vec<(&str, Cell)>) {
        let rows = fields
            .into_iter()
            .map(|(name, value)| vec![Cell::new(Tone::Dim, name), value]);
        self.rows(rows.collect());
    }

    /// Rows below a heading.
    pub(crate) fn table<const N: usize>(&mut self, heading: [&str; N], rows: Vec<[Cell; N]>) {
        let heading = heading.map(|name| Cell::new(Tone::Strong, name));
        let rows = std::iter::once(heading).chain(rows).map(Vec::from);
        self.rows(rows.collect());
    }

    fn rows(&mut self, rows: Vec<Vec<Cell>>) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                rows.iter()
                    .filter_map(|row| row.get(column))
                    .map(Cell::width)
                    .max()
            })
            .map(Option::unwrap_or_default)
            .collect();
        for row in &rows {
            let mut line = String::new();
            let mut pending = 0;
            for (cell, width) in row.iter().zip(&widths) {
                // Blanks are held back until something follows, so that no line ends in them.
                if cell.width() > 0 {
                    line.extend(std::iter::repeat_n(' ', pending));
                    line.push_str(&self.style.paint(cell.tone, &cell.text));
                    pending = 0;
                }
                pending += width - cell.width() + 2;
            }
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_their_widest_cell_and_lines_end_without_blanks() {
        let mut page = Page::new(Style::PLAIN);
        page.gap();
        page.table(
            ["A", "LONG NAME", "LAST"],
            vec![
                ["ä-wide".into(), 7u32.into(), "x".into()],
                ["b".into(), "".into(), Cell::maybe(None::<u32>)],
                ["c".into(), 1u64.into(), "".into()],
            ],
        );
        page.gap();
        page.fields([("name", "value\nsecond".into()), ("n", "".into())]);
        insta::assert_snapshot!(page.into_text(), @r"
        A       LONG NAME  LAST
        ä-wide  7          x
        b                  -
        c       1

        name  value second
        n
        ");
    }
}
