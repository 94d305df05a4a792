//! What a driver waits for, each for ever where it is not there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};
use worker_adapter::{Adapter, Health};

use super::Work;

/// The outcome of work, once; nothing where there is none.
pub(super) async fn done<T>(work: &mut Option<Work<T>>) -> T {
    let Some(running) = work else {
        return std::future::pending().await;
    };
    let outcome = running.await;
    *work = None;
    outcome
}

pub(super) async fn heard(stop: &mut Option<oneshot::Receiver<()>>) {
    match stop {
        // A sender that is gone wants it stopped too.
        Some(stop) => drop(stop.await),
        None => std::future::pending().await,
    }
}

pub(super) async fn reached(wake: Option<Instant>) {
    match wake {
        Some(wake) => sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

pub(super) async fn check(adapter: Arc<dyn Adapter>, limit: Duration) -> Result<(), String> {
    match timeout(limit, adapter.health()).await {
        Ok(Ok(Health::Ready)) => Ok(()),
        Ok(Ok(Health::Loading)) => Err("it loads its model".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} ms", limit.as_millis())),
    }
}
