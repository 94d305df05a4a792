//! Single figures out of the metrics, which are in Prometheus' text format.

/// Value and one label of each sample of a metric.
pub(super) fn by_label(text: &str, metric: &str, label: &str) -> Vec<(String, f64)> {
    text.lines()
        .filter_map(|line| sample(line, metric, label))
        .collect()
}

fn sample(line: &str, metric: &str, label: &str) -> Option<(String, f64)> {
    let rest = line.strip_prefix(metric)?.strip_prefix('{')?;
    let mut found = None;
    let mut rest = rest;
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(value) = rest.strip_prefix('}') {
            return Some((found?, value.split_whitespace().next()?.parse().ok()?));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let (value, after) = unquote(quoted)?;
        if name.trim() == label {
            found = Some(value);
        }
        rest = after;
    }
}

/// The text up to the closing quote, without its escapes, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(match chars.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            (_, c) => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_told_from_comments_other_metrics_and_other_labels() {
        let text = "# HELP queue_depth Tasks.\n# TYPE queue_depth gauge\n\
            queue_depth{engine=\"any\",priority=\"batch\"} 12\n\
            queue_depth{engine=\"any\", priority=\"a\\\"b}\\\\\"} 1.5 1700000000\n\
            queue_depth{engine=\"any\"} 7\nqueue_depth_max{priority=\"x\"} 9\nqueue_depth 4\n\
            queue_depth{priority=\"torn";
        assert_eq!(
            by_label(text, "queue_depth", "priority"),
            [("batch".to_owned(), 12.0), ("a\"b}\\".to_owned(), 1.5)]
        );
    }
}
