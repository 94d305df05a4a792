//! The slowest tests, read from the report that nextest leaves behind.

use std::time::Duration;

/// One finished test.
#[derive(Debug, PartialEq)]
pub(super) struct TestTime {
    pub(super) name: String,
    pub(super) time: Duration,
}

/// The `count` slowest test cases of a JUnit report, slowest first.
pub(super) fn slowest(junit: &str, count: usize) -> Vec<TestTime> {
    let mut tests: Vec<TestTime> = junit
        .split("<testcase ")
        .skip(1)
        .filter_map(|rest| test_case(rest.split('>').next()?))
        .collect();
    tests.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.name.cmp(&b.name)));
    tests.truncate(count);
    tests
}

fn test_case(attributes: &str) -> Option<TestTime> {
    let seconds: f64 = attribute(attributes, "time")?.parse().ok()?;
    Some(TestTime {
        name: format!(
            "{} {}",
            attribute(attributes, "classname")?,
            attribute(attributes, "name")?
        ),
        time: Duration::try_from_secs_f64(seconds).ok()?,
    })
}

/// The value of one attribute; entities stay as they are, because test names hold none but `&lt;`.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    attributes.split_whitespace().find_map(|pair| {
        pair.strip_prefix(name)?
            .strip_prefix("=\"")?
            .split('"')
            .next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_come_first() {
        let junit = r#"<?xml version="1.0"?><testsuites name="run" time="9.0"><testsuite name="a">
            <testcase name="quick" classname="a" timestamp="2026-01-01T00:00:00" time="0.010"></testcase>
            <testcase name="kill::slow" classname="b::it" time="2.500"><failure/></testcase>
            <testcase name="middle" classname="a" time="0.900"/>
            </testsuite></testsuites>"#;
        let names: Vec<_> = slowest(junit, 2).into_iter().map(|t| t.name).collect();
        assert_eq!(names, ["b::it kill::slow", "a middle"]);
        assert_eq!(slowest(junit, 9).len(), 3);
        assert_eq!(slowest("", 9), []);
    }
}
