//! Hints drawn from what the parser expected.

/// What to do about the fault at `pointer` of which the parser says `message`.
///
/// Its messages read: unknown field `x`, expected one of `a`, `b` (or: unknown variant …); missing field `x`;
/// invalid type: integer `3`, expected a string (or: invalid value: …).
pub(crate) fn from_message(message: &str, pointer: &str) -> Option<String> {
    if let Some(rest) = message.strip_prefix("missing field ") {
        let field = quoted(rest).pop()?;
        return Some(format!("add it, such as {field} = \"…\""));
    }
    if message.starts_with("invalid ") {
        let (_, expected) = message.rsplit_once(", expected ")?;
        return of_type(expected, pointer);
    }
    if message.starts_with("wanted string") {
        return Some("write a name in quotes: \"…\"".to_owned());
    }
    class_table(message, pointer).or_else(|| nearest_name(message))
}

/// How a value of the expected type is written.
fn of_type(expected: &str, pointer: &str) -> Option<String> {
    let field = pointer.rsplit('/').next().unwrap_or_default();
    let hint = match expected {
        "u32" => format!(
            "write a whole number from 0 to {}, without quotes",
            u32::MAX
        ),
        "u64" => "write a whole number, 0 or more, without quotes".to_owned(),
        "f64" => "write a number, without quotes".to_owned(),
        "a string" | "path string" => "write a text in quotes: \"…\"".to_owned(),
        "a sequence" if matches!(field, "class" | "pool") => {
            let path = dotted(pointer);
            format!("write a table `[[{path}]]`, in two pairs of brackets, for each {field}")
        }
        "a sequence" => "write a list in brackets: [\"…\"]".to_owned(),
        _ if expected.starts_with("struct ") && field.parse::<usize>().is_ok() => {
            let list = pointer.strip_suffix(field).unwrap_or(pointer);
            let list = list.trim_end_matches('/');
            let one = list.rsplit('/').next().unwrap_or_default();
            format!("write a table `[[{}]]` for each {one}", dotted(list))
        }
        _ if expected.starts_with("struct ") => {
            let path = dotted(pointer);
            format!("write a table: `[{path}]`, and its fields on the lines below")
        }
        _ => return None,
    };
    Some(hint)
}

/// A pointer as TOML writes it in a table's head.
fn dotted(pointer: &str) -> String {
    pointer.trim_matches('/').replace('/', ".")
}

/// What the two classes were of which each had a table of its own, where those tables said nothing else.
const CLASSES_ONCE: &str = "
    [[queue.class]]
    name = \"interactive\"
    capacity = 1024
    full_policy = \"reject\"
    weight = 8

    [[queue.class]]
    name = \"batch\"
    capacity = 1024
    full_policy = \"drop-lru\"
    weight = 1";

/// What to write for a class that has a table of its own, as there were two once. Both are written out: a list of one
/// would be without the other, and what a class of the list leaves out is not what these had.
fn class_table(message: &str, pointer: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field ")?;
    let name = quoted(rest).into_iter().next()?;
    let in_queue = matches!(pointer.trim_end_matches(&format!("/{name}")), "/queue");
    (in_queue && matches!(name.as_str(), "batch" | "interactive")).then(|| {
        format!(
            "classes are a list, and a class that is not on it is not there; what `[queue.interactive]` and `[queue.batch]` stood for is written so, with what yours say in its place:{CLASSES_ONCE}"
        )
    })
}

/// Suggests the nearest of the names that were expected, or lists them.
fn nearest_name(message: &str) -> Option<String> {
    let (found, expected) = message.split_once(", expected ")?;
    let found = quoted(found).pop()?;
    let names = quoted(expected);
    let nearest = names.iter().min_by_key(|name| distance(&found, name))?;
    if distance(&found, nearest) <= 1 + found.len() / 3 {
        Some(format!("did you mean `{nearest}`?"))
    } else {
        Some(format!("one of: {}", names.join(", ")))
    }
}

fn quoted(text: &str) -> Vec<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// Edits between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Queue;

    #[test]
    fn the_tables_of_a_class_that_had_one_are_two_that_can_be_copied() {
        let once = crate::parse(CLASSES_ONCE).unwrap().queue;
        assert_eq!(once, Queue::default());
        let hint = from_message("unknown field `batch`, expected `class`", "/queue/batch");
        assert!(hint.unwrap().ends_with(CLASSES_ONCE));
    }

    #[test]
    fn near_name_is_suggested() {
        let message = "unknown field `replica`, expected one of `id`, `replicas`, `threads`";
        assert_eq!(
            from_message(message, "").as_deref(),
            Some("did you mean `replicas`?")
        );
    }

    #[test]
    fn far_name_lists_what_is_known() {
        let message = "unknown variant `quantum`, expected `embedded` or `llamacpp`";
        assert_eq!(
            from_message(message, "").as_deref(),
            Some("one of: embedded, llamacpp")
        );
    }
}
