//! Problems of quotas.

use api_types::{Problem, ProblemCode};
use orchestrator_core::id::PoolName;
use orchestrator_core::quota::{QuotaLimit, QuotaOf, QuotaRefusal, QuotaSubject};

use super::problem;

/// The problem of something that was refused for the sake of a quota.
pub(super) fn of_refusal(refusal: &QuotaRefusal, correlation_id: &str) -> Problem {
    let answer = |status, code| problem(status, code, reason(refusal), correlation_id);
    match refusal {
        QuotaRefusal::Conflict { .. } => answer(409, ProblemCode::QuotaConflict),
        QuotaRefusal::Exceeded {
            subject: _,
            limit,
            max,
            left,
            asked: _,
            window_s,
            retry_after_ms,
        } => Problem {
            retriable: true,
            retry_after_ms: Some(*retry_after_ms),
            limit_name: Some(limit.name().to_owned()),
            limit_max: Some(*max),
            limit_left: Some(*left),
            limit_window_s: *window_s,
            ..answer(429, ProblemCode::QuotaExceeded)
        },
        QuotaRefusal::Unenforceable { .. } => Problem {
            limit_name: Some(QuotaLimit::KvMbMax.name().to_owned()),
            ..answer(409, ProblemCode::QuotaUnenforceable)
        },
        QuotaRefusal::Unmeetable { limit, max, .. } => Problem {
            limit_name: Some(limit.name().to_owned()),
            limit_max: Some(*max),
            ..answer(422, ProblemCode::QuotaUnmeetable)
        },
    }
}

/// Where in the request the fault lies, if it lies in a field.
pub(super) fn pointer(refusal: &QuotaRefusal) -> Option<&'static str> {
    match refusal {
        QuotaRefusal::Conflict { .. } => Some("/revision"),
        QuotaRefusal::Exceeded { .. } => None,
        QuotaRefusal::Unenforceable { .. } => Some("/kv_mb_max"),
        QuotaRefusal::Unmeetable { asked, .. } => asked.map(|_| "/max_tokens"),
    }
}

/// What was refused, and what to do, with the figures.
pub(super) fn reason(refusal: &QuotaRefusal) -> String {
    match refusal {
        QuotaRefusal::Conflict {
            of,
            asked,
            revision,
        } => {
            let whose = match of {
                QuotaOf::Key(key) => format!("key {key}"),
                QuotaOf::Tenant(tenant) => format!("tenant {}", tenant.name()),
            };
            format!(
                "the quota of {whose} is at revision {revision}, and revision {asked} was to be replaced; read it again and put what you want in its place"
            )
        }
        QuotaRefusal::Exceeded {
            subject,
            limit,
            max,
            left,
            asked,
            ..
        } => {
            let whose = whose(*subject);
            let wait = match limit {
                QuotaLimit::RequestsPerS | QuotaLimit::TokensPerMin => {
                    "try again later, or have it raised"
                }
                QuotaLimit::KvMbMax | QuotaLimit::TasksLiveMax => {
                    "wait for a task to end or cancel one, or have it raised"
                }
            };
            let (unit, one) = units(*limit);
            let unit_asked = if *asked == 1 { one } else { unit };
            format!(
                "{} of {whose} is {max}, of which {left} are left, and this takes {asked} {unit_asked}; {wait}",
                named(*limit)
            )
        }
        QuotaRefusal::Unenforceable { pools } => {
            let pools: Vec<&str> = pools.iter().map(PoolName::as_str).collect();
            format!(
                "nothing could hold kv_mb_max, since these pools do not tell how much cache a token takes: {}; give them kv_bytes_per_token in the configuration, or leave kv_mb_max out",
                pools.join(", ")
            )
        }
        QuotaRefusal::Unmeetable {
            subject,
            limit,
            max,
            asked,
        } => {
            let whose = whose(*subject);
            match asked {
                Some(asked) => format!(
                    "this takes {asked} {}, and {} of {whose} is {max}, so that no wait helps; lower max_tokens, shorten the prompt, or have the quota raised",
                    units(*limit).0,
                    limit.name()
                ),
                None => format!(
                    "a pool that may run this does not tell how much cache a token takes, and {} of {whose} is {max}; ask for another model, or have kv_bytes_per_token of the pool set",
                    limit.name()
                ),
            }
        }
    }
}

fn whose(subject: QuotaSubject) -> String {
    match subject {
        QuotaSubject::Key(key) => format!("key {key}"),
        QuotaSubject::Tenant(_) => "the tenant".to_owned(),
    }
}

/// The limit, with what its figure is.
fn named(limit: QuotaLimit) -> &'static str {
    match limit {
        QuotaLimit::RequestsPerS => "the burst beside requests_per_s",
        QuotaLimit::KvMbMax | QuotaLimit::TasksLiveMax | QuotaLimit::TokensPerMin => limit.name(),
    }
}

/// Many and one of what a limit counts.
fn units(limit: QuotaLimit) -> (&'static str, &'static str) {
    match limit {
        QuotaLimit::KvMbMax => ("megabytes", "megabyte"),
        QuotaLimit::RequestsPerS => ("requests", "request"),
        QuotaLimit::TasksLiveMax => ("tasks", "task"),
        QuotaLimit::TokensPerMin => ("tokens", "token"),
    }
}
