//! Waits until the daemon can do its job, and shows what is missing meanwhile.

use api_client::types::ProblemCode;
use api_client::{ApiError, Client};

use super::page::Page;
use crate::wait::{InVain, until};

/// Waits until the daemon is ready.
///
/// # Errors
/// What was missing last, if it was not ready in time.
pub(super) async fn until_ready(client: &Client, page: &mut Page) -> Result<(), InVain> {
    let mut told = String::new();
    let ready = until("the daemon is ready", async || {
        let missing = match client.readiness_get().await {
            Ok(_) => return Some(()),
            Err(error) => missing(&error),
        };
        if missing != told {
            page.fact("waits for", &missing);
            told = missing;
        }
        None
    });
    let outcome = ready.await;
    outcome.map_err(|in_vain| InVain {
        what: format!("{}; it waited for: {told}", in_vain.what),
        ..in_vain
    })
}

fn missing(error: &ApiError) -> String {
    let not_ready = error
        .problem()
        .filter(|problem| problem.code == ProblemCode::NotReady);
    let faults = not_ready.and_then(|problem| problem.errors.as_deref());
    let texts: Option<Vec<String>> = faults.map(|faults| {
        let each = faults.iter();
        each.map(|fault| format!("{}: {}", fault.pointer, fault.detail))
            .collect()
    });
    texts.map_or_else(|| error.to_string(), |texts| texts.join("; "))
}
