//! Range and relation faults, which the types alone cannot refuse.

mod pool;
mod queue;
mod sharing;

use std::net::SocketAddr;

use crate::config::{Config, Pool};
use crate::fault::ConfigFault;
use crate::quota::TenantQuota;

/// Everything that is out of range or at odds with something else, without lines.
#[must_use]
pub fn check(config: &Config) -> Vec<ConfigFault> {
    let mut found = Faults(Vec::new());
    found.server(config);
    found.queue(&config.queue);
    found.range(
        "/refusals/kept_max",
        config.refusals.kept_max.into(),
        0,
        1_000_000,
    );
    found.range(
        "/refusals/kept_ms",
        config.refusals.kept_ms,
        1_000,
        2_592_000_000,
    );
    found.range("/session/ttl_ms", config.session.ttl_ms, 1_000, 86_400_000);
    found.range(
        "/session/turns_max",
        config.session.turns_max.into(),
        1,
        10_000,
    );
    found.idempotency(config);
    found.placement(config);
    found.quota(config);
    found.retry(config);
    found.pools(&config.pools);
    found.0
}

struct Faults(Vec<ConfigFault>);

impl Faults {
    fn add(&mut self, pointer: &str, what: String, hint: &str) {
        self.0.push(ConfigFault {
            line: None,
            pointer: pointer.to_owned(),
            what,
            hint: Some(hint.to_owned()),
        });
    }

    fn idempotency(&mut self, config: &Config) {
        let kept = &config.idempotency;
        self.range(
            "/idempotency/retention_ms",
            kept.retention_ms,
            1_000,
            1_209_600_000,
        );
        self.range(
            "/idempotency/keys_max",
            kept.keys_max.into(),
            1,
            100_000_000,
        );
    }

    fn placement(&mut self, config: &Config) {
        self.range(
            "/placement/model_run_tokens_max",
            config.placement.model_run_tokens_max.into(),
            0,
            10_000_000,
        );
    }

    fn range(&mut self, pointer: &str, value: u64, least: u64, most: u64) {
        if !(least..=most).contains(&value) {
            self.add(
                pointer,
                format!("{value} is out of range"),
                &format!("use a value from {least} to {most}"),
            );
        }
    }

    fn server(&mut self, config: &Config) {
        let server = &config.server;
        match server.listen.parse::<SocketAddr>() {
            Ok(_) => {}
            Err(_) => self.add(
                "/server/listen",
                format!("`{}` is not an address with a port", server.listen),
                "write it like 127.0.0.1:8484, or with port 0 for a free one",
            ),
        }
        if server.store != "sqlite:" {
            self.add(
                "/server/store",
                format!("`{}` names no store that this daemon has", server.store),
                "use `sqlite:`, and data_dir for the place",
            );
        }
        self.range(
            "/server/shutdown_grace_ms",
            server.shutdown_grace_ms,
            0,
            600_000,
        );
        self.range(
            "/server/connections_max",
            server.connections_max.unwrap_or(1).into(),
            1,
            1_000_000,
        );
        for (pointer, ms) in [
            ("/server/head_timeout_ms", server.head_timeout_ms),
            ("/server/body_timeout_ms", server.body_timeout_ms),
            ("/server/stall_timeout_ms", server.stall_timeout_ms),
        ] {
            self.range(pointer, ms, 100, 3_600_000);
        }
    }

    fn quota(&mut self, config: &Config) {
        let TenantQuota {
            tasks_live_max,
            requests_per_s,
            burst,
            tokens_per_min,
            kv_mb_max,
        } = config.quota.tenant;
        let ranges = [
            (
                "tasks_live_max",
                tasks_live_max.map(u64::from),
                1_000_000_000,
            ),
            ("requests_per_s", requests_per_s.map(u64::from), 1_000_000),
            ("burst", burst.map(u64::from), 1_000_000),
            ("tokens_per_min", tokens_per_min, 1_000_000_000_000),
            ("kv_mb_max", kv_mb_max, 1_000_000_000),
        ];
        for (field, value, most) in ranges {
            let value = value.unwrap_or(1);
            self.range(&format!("/quota/tenant/{field}"), value, 1, most);
        }
        if burst.is_some() && requests_per_s.is_none() {
            self.add(
                "/quota/tenant/burst",
                "a burst belongs to a rate".to_owned(),
                "set requests_per_s as well, or leave burst out",
            );
        }
        let silent = |pool: &&Pool| pool.kv_bytes_per_token.is_none();
        let silent = config.pools.iter().find(silent).map(|pool| &pool.id);
        if kv_mb_max.is_some() && (config.pools.is_empty() || silent.is_some()) {
            self.add(
                "/quota/tenant/kv_mb_max",
                format!(
                    "pool `{}` does not tell how much cache a token takes, so nothing could hold this",
                    silent.map_or("default", String::as_str)
                ),
                "set kv_bytes_per_token of every pool, or leave kv_mb_max out",
            );
        }
    }

    fn retry(&mut self, config: &Config) {
        let retry = &config.retry;
        self.range("/retry/failures_max", retry.failures_max.into(), 1, 100);
        self.range(
            "/retry/interruptions_max",
            retry.interruptions_max.into(),
            1,
            1_000,
        );
        self.range(
            "/retry/backoff_base_ms",
            retry.backoff_base_ms,
            1,
            3_600_000,
        );
        self.range("/retry/backoff_cap_ms", retry.backoff_cap_ms, 1, 3_600_000);
        if retry.backoff_base_ms > retry.backoff_cap_ms {
            self.add(
                "/retry/backoff_base_ms",
                format!(
                    "{} is above backoff_cap_ms, {}",
                    retry.backoff_base_ms, retry.backoff_cap_ms
                ),
                "lower the base or raise the cap",
            );
        }
    }
}
