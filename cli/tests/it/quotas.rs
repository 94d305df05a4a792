//! Quotas: what is asked, and how the answers look.

use api_client::types::{ProblemCode, Quota, QuotaKind, QuotaKindChoice, QuotaPage, QuotaUse};

use crate::{
    fixtures::{self, problem},
    orch::{Orch, Ran},
    script::Script,
    server::Server,
};

/// A quota with every limit, or a key's with one.
pub(crate) fn of(kind: &QuotaKindChoice, id: &str) -> Quota {
    let tenant = *kind == QuotaKindChoice::Tenant;
    Quota {
        kind: if tenant {
            QuotaKind::Tenant
        } else {
            QuotaKind::Key
        },
        id: id.to_owned(),
        revision: 4,
        tasks_live_max: Some(100),
        requests_per_s: tenant.then_some(50),
        burst: tenant.then_some(80),
        tokens_per_min: tenant.then_some(100_000),
        kv_mb_max: tenant.then_some(2_000),
        weight: tenant.then_some(3),
        used: QuotaUse {
            tasks_live: 7,
            requests_left: tenant.then_some(79),
            tokens_reserved: 1_200,
            tokens_used: 34_567,
            kv_mb_reserved: tenant.then_some(12),
        },
        put_at_ms: tenant.then(|| fixtures::days_ago(40)),
        put_by: tenant.then(|| "1d20c4ef7a90b6e3".to_owned()),
    }
}

pub(crate) fn page() -> QuotaPage {
    QuotaPage {
        quotas: vec![
            of(&QuotaKindChoice::Key, "5f0c9a3be1d27448"),
            of(&QuotaKindChoice::Tenant, "acme"),
        ],
        next_cursor: Some("tenant-acme".to_owned()),
    }
}

async fn run(args: &[&str]) -> (Ran, Vec<String>) {
    let server = Server::start(Script::default()).await;
    let ran = Orch::at(&server.url).run(args).await;
    (ran, server.calls())
}

#[tokio::test]
async fn a_quota_shows_what_is_used_of_it() {
    let (ran, calls) = run(&["quota", "get", "--tenant", "acme"]).await;
    insta::assert_snapshot!("quota_get", ran.shown());
    assert_eq!(calls, ["quota_get tenant acme"]);
    let (ran, calls) = run(&["quota", "get", "--key", "5f0c9a3be1d27448"]).await;
    insta::assert_snapshot!("quota_get_key", ran.shown());
    assert_eq!(calls, ["quota_get key 5f0c9a3be1d27448"]);
    let (ran, _) = run(&["-o", "json", "quota", "get", "--tenant", "acme"]).await;
    let shown: Quota = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(shown.used, of(&QuotaKindChoice::Tenant, "acme").used);
}

#[tokio::test]
async fn quotas_are_listed_in_a_table() {
    let (ran, calls) = run(&["quota", "list", "--limit", "2", "--cursor", "x"]).await;
    insta::assert_snapshot!("quota_list", ran.shown());
    assert_eq!(calls, [r#"quota_list Some(2) Some("x")"#]);
}

#[tokio::test]
async fn a_put_takes_the_place_of_what_there_is_or_of_the_revision_that_is_named() {
    let (ran, calls) = run(&["quota", "put", "--tenant", "acme", "--tasks-live-max", "9"]).await;
    insta::assert_snapshot!("quota_put", ran.shown());
    assert_eq!(
        calls,
        [
            "quota_get tenant acme",
            r#"quota_put tenant acme {"revision":4,"tasks_live_max":9}"#
        ]
    );
    let (_, calls) = run(&[
        "quota",
        "put",
        "--tenant",
        "acme",
        "--requests-per-s",
        "5",
        "--burst",
        "6",
        "--tokens-per-min",
        "7",
        "--kv-mb-max",
        "8",
        "--weight",
        "2",
        "--revision",
        "0",
    ])
    .await;
    assert_eq!(
        calls,
        [
            r#"quota_put tenant acme {"revision":0,"requests_per_s":5,"burst":6,"tokens_per_min":7,"kv_mb_max":8,"weight":2}"#
        ]
    );
}

#[tokio::test]
async fn whose_quota_must_be_said_and_a_burst_needs_a_rate() {
    for args in [
        &["quota", "get"][..],
        &["quota", "get", "--tenant", "a", "--key", "5f0c9a3be1d27448"],
        &["quota", "put", "--tenant", "a", "--burst", "1"],
        &["quota", "put", "--key", "5f0c9a3be1d27448", "--weight", "1"],
    ] {
        let (ran, calls) = run(args).await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(calls.is_empty(), "{calls:?}");
    }
}

#[tokio::test]
async fn who_is_over_a_quota_is_told_which_and_for_how_long() {
    let mut refusal = problem(
        ProblemCode::QuotaExceeded,
        429,
        "A quota is used up",
        "tokens_per_min of the tenant is 600, of which 0 are left, and this takes 266 tokens; try again later, or have it raised",
    );
    refusal.limit_name = Some("tokens_per_min".to_owned());
    refusal.retry_after_ms = Some(26_600);
    let script = Script {
        create_refusal: Some(refusal),
        ..Script::default()
    };
    let server = Server::start(script).await;
    let ran = Orch::at(&server.url)
        .run(&["task", "create", "Write."])
        .await;
    assert_eq!(ran.code, Some(7), "{ran:?}");
    insta::assert_snapshot!("over_a_quota", ran.shown());
}
