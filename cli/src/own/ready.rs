//! Waiting until the model is loaded.

use std::time::Duration;

use api_client::{ApiError, Client, types::PoolHealth};
use tokio::time::{Instant, sleep};

use super::{ModelFile, config};
use crate::{
    error::Failure,
    output::{counted, span},
};

/// First pause between two looks; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How often somebody who waits is told that it goes on.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Waits until the daemon's engine has loaded the model and decoded with it, and says how it goes.
///
/// # Errors
///
/// What the engine says of the model if it cannot serve it, or why the daemon does not answer.
pub(crate) async fn wait_until_ready(
    client: &Client,
    model: &ModelFile,
    mut say: impl FnMut(&str),
) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut told = begun;
    let mut pause = FIRST_PAUSE;
    let so_far = || span(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
    loop {
        let health = client.pool_health(config::POOL).await;
        match standing(health.map(api_client::Reply::into_body))? {
            Standing::Failed(detail) => {
                return Err(Failure::Model {
                    detail: format!("{}\n{detail}", model.path.display()),
                });
            }
            Standing::Ready { ctx } => {
                let threads = counted(config::threads() as u64, "thread");
                let ctx = ctx.map_or_else(String::new, |ctx| format!(", context {ctx} tokens"));
                say(&format!(
                    "ready after {}: the embedded engine on the CPU, {threads}{ctx}",
                    so_far()
                ));
                return Ok(());
            }
            Standing::Loading => {}
        }
        if told.elapsed() >= TOLD_EVERY {
            told = Instant::now();
            say(&format!("loading the model, {} so far", so_far()));
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// How it stands with the only pool.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Loading,
    Ready { ctx: Option<u32> },
    Failed(String),
}

fn standing(health: Result<PoolHealth, ApiError>) -> Result<Standing, ApiError> {
    let health = match health {
        Ok(health) => health,
        // It listens before its own parts are ready, and says so.
        Err(ApiError::Problem { problem, .. }) if problem.retriable => {
            return Ok(Standing::Loading);
        }
        Err(error) => return Err(error),
    };
    if health.ready {
        let ctx = health.replicas.iter().find_map(|replica| replica.ctx_max);
        return Ok(Standing::Ready { ctx });
    }
    if health.live {
        return Ok(Standing::Loading);
    }
    let faults = health.replicas.into_iter();
    let fault = faults.filter_map(|replica| replica.last_error).next_back();
    Ok(Standing::Failed(fault.unwrap_or_else(|| {
        "its engine does not run, and the daemon says nothing of why".to_owned()
    })))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn seen(live: bool, ready: bool, replica: Value) -> Standing {
        let mut one = json!({
            "replica": "default-0", "state": "starting", "restarts": 0, "slots_total": 1, "slots_free": 1,
        });
        let members = one.as_object_mut().unwrap();
        members.extend(replica.as_object().unwrap().clone());
        let health = serde_json::from_value(json!({
            "pool": "default", "live": live, "ready": ready, "paused": false, "state": "starting", "slots_total": 1,
            "slots_free": 1,
            "replicas": [one],
        }));
        standing(Ok(health.unwrap())).unwrap()
    }

    #[test]
    fn a_pool_that_has_given_up_says_why_and_one_that_lives_is_waited_for() {
        let fault = json!({ "last_error": "no GGUF" });
        assert_eq!(seen(true, false, json!({})), Standing::Loading);
        assert_eq!(seen(true, false, fault.clone()), Standing::Loading);
        assert_eq!(
            seen(false, false, fault),
            Standing::Failed("no GGUF".to_owned())
        );
        assert_eq!(
            seen(true, true, json!({ "ctx_max": 512 })),
            Standing::Ready { ctx: Some(512) }
        );
        let Standing::Failed(why) = seen(false, false, json!({})) else {
            panic!("it lives");
        };
        assert!(why.contains("says nothing"), "{why}");
    }

    #[test]
    fn a_daemon_that_is_not_ready_itself_is_waited_for_and_another_fault_is_told() {
        let problem = |retriable: bool| {
            let problem = serde_json::from_value(json!({
                "type": "urn:orchestrator:problem:not-ready", "title": "Not ready", "status": 503, "detail": "",
                "code": "NOT_READY", "retriable": retriable, "correlation_id": "c",
            }));
            ApiError::Problem {
                status: 503,
                problem: Box::new(problem.unwrap()),
                retry_after: None,
            }
        };
        assert_eq!(standing(Err(problem(true))).unwrap(), Standing::Loading);
        assert!(standing(Err(problem(false))).is_err());
    }
}
