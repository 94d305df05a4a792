//! Tests that passed because a real part was not there, read from the report that nextest leaves behind.

use std::collections::BTreeMap;

/// What such a test writes to standard error, before the reason.
const MARK: &str = "skipped: ";

/// One line for each reason, with the number of tests that it kept from proving anything.
pub(super) fn skipped(junit: &str) -> Vec<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for test in junit.split("<testcase ").skip(1) {
        // A test may ask twice; it is one test all the same.
        if let Some(reason) = test.lines().find_map(reason) {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let line = |(reason, tests)| format!("{tests} tests skipped: {reason}");
    reasons.into_iter().map(line).collect()
}

/// The reason in a line of output; the first line follows a tag, and the last one may end in one.
fn reason(line: &str) -> Option<&str> {
    let (_, text) = line.split_once("<system-err>").unwrap_or(("", line));
    text.split('<').next()?.strip_prefix(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_counted_by_reason() {
        let junit = r#"<testsuites name="run"><testsuite name="a">
            <testcase name="one" classname="a"><system-err>skipped: no engine here
</system-err></testcase>
            <testcase name="two" classname="a"><system-err>a log line
skipped: no engine here
skipped: no client here
</system-err></testcase>
            <testcase name="three" classname="a"><system-err>nothing was skipped: all ran</system-err></testcase>
            <testcase name="four" classname="a"><system-err>skipped: no client here</system-err></testcase>
            </testsuite></testsuites>"#;
        assert_eq!(
            skipped(junit),
            [
                "1 tests skipped: no client here",
                "2 tests skipped: no engine here"
            ]
        );
        assert_eq!(skipped(""), Vec::<String>::new());
    }
}
