//! Samples do not pile up.

use tokio::time::timeout;

use super::*;

#[tokio::test(start_paused = true)]
async fn samples_are_cleared_whether_or_not_anybody_reads_them() {
    let mut cleared = 0;
    let minute = Duration::from_secs(60);
    let kept = timeout(minute, every(UPKEEP_PERIOD, || cleared += 1)).await;
    assert!(kept.is_err(), "it never ends");
    assert!((12..=13).contains(&cleared), "{cleared} times in a minute");
}
