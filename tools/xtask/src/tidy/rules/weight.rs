//! Git keeps every byte for ever, so big files are models or nothing.

use crate::tidy::finding::Finding;
use crate::tidy::house::House;

/// What a file may weigh outside `models/`.
const MAX_BYTES: u64 = 2 * 1024 * 1024;

pub(crate) fn check(house: &House<'_>) -> Vec<Finding> {
    house
        .tree
        .files()
        .filter(|(path, file)| file.bytes > MAX_BYTES && !path.starts_with("models/"))
        .map(|(path, file)| {
            Finding::new(
                path,
                1,
                format!("{} bytes, more than {MAX_BYTES}", file.bytes),
                "make it smaller, generate it in the test, or keep it out of the repository",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::said;
    use super::*;

    #[test]
    fn only_models_are_heavy() {
        let heavy = "x".repeat(2 * 1024 * 1024 + 1);
        let files = [
            ("models/a/b.gguf", heavy.as_str()),
            ("docs/c.txt", &heavy),
            ("d", ""),
        ];
        assert_eq!(
            said(check, &files),
            [
                "docs/c.txt:1: 2097153 bytes, more than 2097152; make it smaller, generate it in the test, or keep it out of the repository"
            ]
        );
    }
}
