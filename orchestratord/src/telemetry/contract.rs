//! The metrics contract, as the daemon reads it.

use serde::Deserialize;

/// The file, compiled in.
const FILE: &str = include_str!("../../../contracts/metrics/orchestratord.json");

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricKind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts by bucket.
    Histogram,
}

/// One metric.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricContract {
    /// Its name.
    pub name: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: MetricKind,
    /// Unit of its values.
    pub unit: String,
    /// Names of its labels, all of them on every series.
    pub labels: Vec<String>,
    /// What it counts.
    pub help: String,
    /// Upper bounds of a histogram's buckets.
    #[serde(default)]
    pub buckets: Vec<f64>,
}

#[derive(Deserialize)]
struct File {
    metrics: Vec<MetricContract>,
}

/// Every metric of the contract.
///
/// # Panics
/// If the compiled-in file is not a contract, which the test of this module rules out.
#[must_use]
pub fn contract() -> Vec<MetricContract> {
    let file: File = serde_json::from_str(FILE)
        .expect("the compiled-in metrics contract is valid; a test holds it");
    file.metrics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_named_once_in_order_and_histograms_have_rising_buckets() {
        let metrics = contract();
        assert!(
            metrics.windows(2).all(|pair| pair[0].name < pair[1].name),
            "keep the list sorted by name"
        );
        for metric in metrics {
            let rising = metric.buckets.windows(2).all(|pair| pair[0] < pair[1]);
            assert_eq!(
                metric.kind == MetricKind::Histogram,
                !metric.buckets.is_empty(),
                "{}",
                metric.name
            );
            assert!(rising, "{}", metric.name);
            assert_eq!(
                metric.kind == MetricKind::Counter,
                metric.name.ends_with("_total"),
                "{}",
                metric.name
            );
        }
    }
}
