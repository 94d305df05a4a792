//! Reads the part of TOML that manifests here are written in.
//!
//! Tables, keys, and values on one line or in brackets over several: that is all the house uses, and the
//! rules report what they cannot read rather than pass over it.

/// One `key = value`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The table's header without its brackets, quotes kept; empty before the first.
    pub(crate) table: String,
    pub(crate) key: String,
    /// The value as written, comments removed, several lines joined by a space.
    pub(crate) value: String,
    pub(crate) line: usize,
}

/// All entries of a TOML text, in order. Lines that are neither table, key nor comment are skipped.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut table = String::new();
    let mut open = 0_i32;
    for (i, raw) in text.lines().enumerate() {
        let line = without_comment(raw).trim();
        if open > 0 {
            if let Some(entry) = entries.last_mut() {
                entry.value.push(' ');
                entry.value.push_str(line);
            }
            open += depth(line);
        } else if line.starts_with('[') {
            table = line.trim_matches(['[', ']']).trim().to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            open = depth(value);
            entries.push(Entry {
                table: table.clone(),
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
                line: i + 1,
            });
        }
    }
    entries
}

/// Every quoted string in a value, quotes removed.
pub(crate) fn strings(value: &str) -> Vec<&str> {
    value.split('"').skip(1).step_by(2).collect()
}

/// The string that `key` has inside an inline table, such as `path` in `{ path = "a" }`.
pub(crate) fn inline<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    let fields = value.trim().strip_prefix('{')?.strip_suffix('}')?;
    let at = fields.match_indices(key).find(|(at, _)| {
        let before = fields[..*at].trim_end();
        let after = fields[at + key.len()..].trim_start();
        (before.is_empty() || before.ends_with(',')) && after.starts_with('=')
    })?;
    strings(&fields[at.0..]).first().copied()
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (i, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..i],
            _ => {}
        }
    }
    line
}

fn depth(value: &str) -> i32 {
    let outside = value.split('"').step_by(2);
    outside
        .flat_map(str::chars)
        .map(|c| match c {
            '[' | '{' => 1,
            ']' | '}' => -1,
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keys_and_long_arrays_are_read() {
        let text = "a = 1 # one\n\n[b.'c(d)'.e]\nf.workspace = true\n[[g]]\nh = [\n  \"x#y\", # z\n  \"w\",\n]\ni = \"]\"\n";
        let read: Vec<_> = entries(text)
            .into_iter()
            .map(|e| (e.line, e.table, e.key, e.value))
            .collect();
        let own = |line, table: &str, key: &str, value: &str| {
            (line, table.to_owned(), key.to_owned(), value.to_owned())
        };
        assert_eq!(
            read,
            [
                own(1, "", "a", "1"),
                own(4, "b.'c(d)'.e", "f.workspace", "true"),
                own(6, "g", "h", "[ \"x#y\", \"w\", ]"),
                own(10, "g", "i", "\"]\""),
            ]
        );
    }

    #[test]
    fn strings_are_taken_out_of_values() {
        assert_eq!(strings("[ \"a\", \"b c\", ]"), ["a", "b c"]);
        assert_eq!(strings("true"), Vec::<&str>::new());
        assert_eq!(
            inline("{ version = \"1\", path = \"p/q\" }", "path"),
            Some("p/q")
        );
        assert_eq!(inline("{ a_path = \"x\" }", "path"), None);
        assert_eq!(inline("\"1\"", "path"), None);
    }
}
