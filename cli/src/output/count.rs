//! Numbers of things.

/// A number and what it counts: `1 token`, `2 tokens`.
pub(crate) fn counted(number: impl Into<u64>, thing: &str) -> String {
    match number.into() {
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one() {
        assert_eq!(
            [0u32, 1, 2].map(|number| counted(number, "task")),
            ["0 tasks", "1 task", "2 tasks"]
        );
    }
}
