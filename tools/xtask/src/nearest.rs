//! Which known name a mistyped one was meant to be.

/// The candidate closest to `name`, if it is close enough to be a slip of the finger.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= candidate.len().max(name.len()) / 3 + 1)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words: insertions, deletions, replacements, each one step.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_edits() {
        for (a, b, edits) in [
            ("", "", 0),
            ("tidy", "tidy", 0),
            ("tdy", "tidy", 1),
            ("tidyy", "tidy", 1),
            ("tody", "tidy", 1),
            ("", "tidy", 4),
            ("tset", "test", 2),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn far_words_have_no_neighbour() {
        assert_eq!(nearest("deploy", ["test", "tidy"].into_iter()), None);
        assert_eq!(nearest("tdy", ["test", "tidy"].into_iter()), Some("tidy"));
    }
}
