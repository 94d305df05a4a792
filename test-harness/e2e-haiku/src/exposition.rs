//! Reads metrics in the Prometheus text format.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

/// A line is none of the format.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("not a line of the Prometheus text format: {line}")]
pub struct NotMetrics {
    /// The line.
    pub line: String,
}

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its name, with the suffix that histograms give to their parts.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// All metrics of one scrape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    /// Kind of each metric, by its name.
    pub kinds: BTreeMap<String, String>,
    /// Help of each metric, by its name.
    pub helps: BTreeMap<String, String>,
    /// The numbers, in their order.
    pub samples: Vec<Sample>,
}

impl Exposition {
    /// Reads a scrape.
    ///
    /// # Errors
    /// The first line that is none of the format.
    pub fn parse(text: &str) -> Result<Self, NotMetrics> {
        let mut all = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let wrong = || NotMetrics {
                line: line.to_owned(),
            };
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').ok_or_else(wrong)?;
                all.kinds.insert(name.to_owned(), kind.to_owned());
            } else if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').ok_or_else(wrong)?;
                all.helps.insert(name.to_owned(), help.to_owned());
            } else if !line.starts_with('#') {
                all.samples.push(sample(line).ok_or_else(wrong)?);
            }
        }
        Ok(all)
    }

    /// The sum of a metric over all its labels; 0 if it was never fed.
    #[must_use]
    pub fn sum(&self, name: &str) -> f64 {
        sum(self.of(name))
    }

    /// The sum of a metric over all samples that have this label.
    #[must_use]
    pub fn sum_where(&self, name: &str, label: &str, value: &str) -> f64 {
        let has_it = |it: &&Sample| it.labels.get(label).is_some_and(|it| it == value);
        sum(self.of(name).filter(has_it))
    }

    /// The samples of a metric.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |it| it.name == name)
    }

    /// The sets of label names that a metric of this kind comes with. The bounds of buckets are no label of
    /// its own.
    #[must_use]
    pub fn label_sets(&self, name: &str) -> BTreeSet<BTreeSet<String>> {
        let parts: Vec<String> = match self.kinds.get(name).map(String::as_str) {
            Some("histogram") => ["_bucket", "_sum", "_count"]
                .map(|part| format!("{name}{part}"))
                .to_vec(),
            _ => vec![name.to_owned()],
        };
        let of_it = self.samples.iter().filter(|it| parts.contains(&it.name));
        of_it
            .map(|sample| {
                let names = sample.labels.keys().filter(|label| *label != "le");
                names.cloned().collect()
            })
            .collect()
    }
}

/// Of no samples it is 0, and not the -0 that floats begin a sum with.
fn sum<'a>(samples: impl Iterator<Item = &'a Sample>) -> f64 {
    samples.fold(0.0, |sum, sample| sum + sample.value)
}

fn sample(line: &str) -> Option<Sample> {
    let (head, value) = line.rsplit_once(' ')?;
    let (name, labels) = match head.split_once('{') {
        None => (head, BTreeMap::new()),
        Some((name, rest)) => (name, labels(rest.strip_suffix('}')?)?),
    };
    Some(Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().ok()?,
    })
}

/// Labels as they stand between the braces.
fn labels(text: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next()?.1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        labels.insert(name.to_owned(), value);
        rest = after[end + 1..].trim_start_matches(',');
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRAPE: &str = "# HELP a_total Things, by kind.\n# TYPE a_total counter\n\
        a_total{kind=\"x, \\\"y\\\"\\n\",of=\"z\"} 3\na_total{kind=\"w\",of=\"z\"} 4\n\n\
        # TYPE h_ms histogram\nh_ms_bucket{p=\"q\",le=\"10\"} 1\nh_ms_bucket{p=\"q\",le=\"+Inf\"} 1\n\
        h_ms_sum{p=\"q\"} 2.5\nh_ms_count{p=\"q\"} 1\n\n# TYPE bare gauge\nbare 0\n";

    #[test]
    fn names_kinds_labels_and_values_are_read() {
        let all = Exposition::parse(SCRAPE).unwrap();
        assert_eq!(all.kinds["h_ms"], "histogram");
        assert_eq!(all.helps["a_total"], "Things, by kind.");
        assert_eq!(all.sum("a_total"), 7.0);
        assert_eq!(all.sum_where("a_total", "kind", "x, \"y\"\n"), 3.0);
        assert_eq!(all.sum("never"), 0.0);
        let own = |name: &str| {
            all.label_sets(name)
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        assert_eq!(own("h_ms"), ["p"]);
        assert_eq!(own("a_total"), ["kind", "of"]);
        assert_eq!(own("bare"), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_metric_is_refused() {
        for line in ["<html>", "a{b=\"c} 1", "a{b=\"c\"} x", "# TYPE a"] {
            assert!(Exposition::parse(line).is_err(), "{line}");
        }
    }
}
