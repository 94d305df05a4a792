//! Hints drawn from what the parser expected.

/// Suggests the nearest of the names that `message` says were expected, or lists them.
///
/// The parser's message reads: unknown field `x`, expected one of `a`, `b` (or: unknown variant …).
pub(crate) fn from_message(message: &str) -> Option<String> {
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

    #[test]
    fn near_name_is_suggested() {
        let message = "unknown field `replica`, expected one of `id`, `replicas`, `threads`";
        assert_eq!(
            from_message(message).as_deref(),
            Some("did you mean `replicas`?")
        );
    }

    #[test]
    fn far_name_lists_what_is_known() {
        let message = "unknown variant `quantum`, expected `embedded` or `llamacpp`";
        assert_eq!(
            from_message(message).as_deref(),
            Some("one of: embedded, llamacpp")
        );
    }
}
