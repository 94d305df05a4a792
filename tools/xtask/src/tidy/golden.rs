//! Golden tables: what the house tolerates or decided, one row a line, columns apart by two spaces.
//!
//! A table is compared both ways. A row that is missing is a change that nobody decided; a row too many
//! is a decision that nothing needs any more.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::tree::Tree;

/// A table in the repository.
pub(crate) struct Golden {
    /// Where it lies.
    pub(crate) path: &'static str,
    /// The comment on top, one sentence a line, without the comment mark.
    pub(crate) header: &'static [&'static str],
}

/// The rows of a table, each with the line it stands on.
pub(crate) type Rows = BTreeMap<Vec<String>, usize>;

impl Golden {
    /// The rows as they are in the tree. A table that is not there has none.
    pub(crate) fn read(&self, tree: &Tree) -> Rows {
        let text = tree.text(self.path).unwrap_or_default();
        text.lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
            .map(|(i, line)| (columns(line), i + 1))
            .collect()
    }

    /// The whole text of the table with these rows.
    pub(crate) fn render(&self, rows: impl IntoIterator<Item = Vec<String>>) -> String {
        let mut text = String::new();
        for line in self.header {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str("# Written by `cargo xtask tidy --bless`.\n\n");
        let mut rows: Vec<_> = rows.into_iter().collect();
        rows.sort();
        for row in rows {
            text.push_str(&row.join("  "));
            text.push('\n');
        }
        text
    }

    /// Findings for rows that nothing needs.
    pub(crate) fn stale<'a>(
        &'a self,
        rows: &'a Rows,
        needed: impl Fn(&[String]) -> bool + 'a,
    ) -> impl Iterator<Item = Finding> + 'a {
        rows.iter()
            .filter(move |(row, _)| !needed(row))
            .map(|(row, line)| {
                Finding::new(
                    self.path,
                    *line,
                    format!("nothing needs `{}` any more", row.join("  ")),
                    "remove the row, or run `cargo xtask tidy --bless`",
                )
            })
    }
}

fn columns(line: &str) -> Vec<String> {
    line.split("  ")
        .map(str::trim)
        .filter(|column| !column.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: Golden = Golden {
        path: "t.txt",
        header: &["What it is."],
    };

    #[test]
    fn what_is_written_is_read_again() {
        let rows = [
            vec!["b".to_owned()],
            vec!["a -> c".to_owned(), "7".to_owned()],
        ];
        let text = TABLE.render(rows.clone());
        assert_eq!(
            text,
            "# What it is.\n# Written by `cargo xtask tidy --bless`.\n\na -> c  7\nb\n"
        );
        let read = TABLE.read(&Tree::of(&[("t.txt", &text)]));
        assert_eq!(read[&rows[1]], 4);
        assert_eq!(read[&rows[0]], 5);
        assert_eq!(TABLE.read(&Tree::default()).len(), 0);
    }

    #[test]
    fn stale_rows_are_found() {
        let tree = Tree::of(&[("t.txt", "a   1\n\n# b\nc\n")]);
        let rows = TABLE.read(&tree);
        let stale: Vec<_> = TABLE
            .stale(&rows, |row| row[0] == "a")
            .map(|f| f.to_string())
            .collect();
        assert_eq!(
            stale,
            [
                "t.txt:4: nothing needs `c` any more; remove the row, or run `cargo xtask tidy --bless`"
            ]
        );
    }
}
