//! Waiting for what shows itself only to those who look again.

use std::time::Duration;

use thiserror::Error;
use tokio::time::{Instant, sleep};

/// Longest time that anything here is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// First pause between two looks; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// It did not happen.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("waited {} s in vain until {what}", .limit.as_secs())]
pub struct InVain {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub limit: Duration,
}

/// Looks until there is something to see, at most [`PATIENCE`].
///
/// # Errors
/// If there was nothing to see in time.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> Result<T, InVain> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(seen) = look().await {
            return Ok(seen);
        }
        if Instant::now() >= deadline {
            return Err(InVain {
                what: what.to_owned(),
                limit: PATIENCE,
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_looks_again_and_gives_up_in_the_end() {
        let mut looks = 0;
        let seen = until("the third look", async || {
            looks += 1;
            (looks == 3).then_some(looks)
        })
        .await;
        assert_eq!(seen, Ok(3));
        let error = until("never", async || None::<()>).await.unwrap_err();
        assert_eq!(error.to_string(), "waited 60 s in vain until never");
    }
}
