//! Faults of pools.

use std::collections::BTreeSet;

use super::Faults;
use crate::config::{EngineKind, Pool};

impl Faults {
    pub(super) fn pools(&mut self, pools: &[Pool]) {
        let mut names = BTreeSet::new();
        for (index, pool) in pools.iter().enumerate() {
            let at = format!("/pool/{index}");
            if !names.insert(pool.id.as_str()) {
                self.add(
                    &format!("{at}/id"),
                    format!("the name `{}` is taken by an earlier pool", pool.id),
                    "give each pool a name of its own",
                );
            }
            self.pool(&at, pool);
        }
        self.sharing(pools);
    }

    fn pool(&mut self, at: &str, pool: &Pool) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if pool.id.is_empty() || pool.id.len() > 64 || !pool.id.chars().all(plain) {
            self.add(
                &format!("{at}/id"),
                format!("`{}` is not a name", pool.id),
                "use 1 to 64 letters, digits, dashes and underscores",
            );
        }
        self.pool_model(at, pool);
        self.range(
            &format!("{at}/ctx_size"),
            pool.ctx_size.unwrap_or(1).into(),
            1,
            2_147_483_647,
        );
        self.range(
            &format!("{at}/kv_bytes_per_token"),
            pool.kv_bytes_per_token.unwrap_or(1),
            1,
            1_000_000_000,
        );
        self.range(
            &format!("{at}/replicas"),
            pool.replicas.unwrap_or(1).into(),
            1,
            64,
        );
        self.range(
            &format!("{at}/threads"),
            pool.threads.unwrap_or(1).into(),
            1,
            256,
        );
        if let Some(rate) = pool.max_tokens_per_second
            && !(rate.is_finite() && rate > 0.0)
        {
            self.add(
                &format!("{at}/max_tokens_per_second"),
                format!("{rate} is not a rate"),
                "use a number above 0, or leave it out for no throttle",
            );
        }
        self.pool_patience(at, pool);
        self.pool_engine(at, pool);
    }

    fn pool_patience(&mut self, at: &str, pool: &Pool) {
        self.range(
            &format!("{at}/price_micros_per_ktoken"),
            pool.price_micros_per_ktoken,
            0,
            1_000_000_000_000,
        );
        self.range(
            &format!("{at}/ready_timeout_ms"),
            pool.ready_timeout_ms,
            100,
            3_600_000,
        );
        self.range(
            &format!("{at}/restarts_max"),
            pool.restarts_max.into(),
            0,
            1_000,
        );
        self.range(
            &format!("{at}/restart_window_ms"),
            pool.restart_window_ms,
            1_000,
            86_400_000,
        );
        self.range(
            &format!("{at}/first_token_timeout_ms"),
            pool.first_token_timeout_ms,
            10,
            3_600_000,
        );
        self.range(
            &format!("{at}/idle_timeout_ms"),
            pool.idle_timeout_ms,
            10,
            3_600_000,
        );
        self.range(
            &format!("{at}/wall_timeout_ms"),
            pool.wall_timeout_ms,
            100,
            86_400_000,
        );
    }

    fn pool_model(&mut self, at: &str, pool: &Pool) {
        let model = pool.model_name();
        if model.is_empty() || model.len() > 256 {
            match pool.model_ref {
                Some(_) => self.add(
                    &format!("{at}/model_ref"),
                    "a model's name has 1 to 256 bytes".to_owned(),
                    "give the name that tasks use as model_ref",
                ),
                None => self.add(
                    &format!("{at}/model_file"),
                    "the path ends in no name that the model could have".to_owned(),
                    "name a GGUF file, or set model_ref as well",
                ),
            }
        }
    }

    fn pool_engine(&mut self, at: &str, pool: &Pool) {
        match pool.engine {
            EngineKind::Embedded => {
                if !pool.urls.is_empty() {
                    self.add(
                        &format!("{at}/urls"),
                        "the embedded engine is started by the daemon and has no urls".to_owned(),
                        "leave urls out, or set engine = \"llamacpp\"",
                    );
                }
            }
            EngineKind::Llamacpp => {
                if pool.urls.is_empty() {
                    self.add(
                        &format!("{at}/urls"),
                        "a llamacpp pool needs the urls of its servers".to_owned(),
                        "add urls = [\"http://127.0.0.1:8080\"]",
                    );
                }
                for (index, url) in pool.urls.iter().enumerate() {
                    if !url.starts_with("http://") {
                        self.add(
                            &format!("{at}/urls/{index}"),
                            format!("`{url}` is not an http URL"),
                            "write it like http://127.0.0.1:8080",
                        );
                    }
                }
                let started = [
                    ("model_file", pool.model_file.is_some()),
                    ("ctx_size", pool.ctx_size.is_some()),
                    ("shares_engines_with", pool.shares_engines_with.is_some()),
                    ("replicas", pool.replicas.is_some()),
                    ("threads", pool.threads.is_some()),
                    (
                        "max_tokens_per_second",
                        pool.max_tokens_per_second.is_some(),
                    ),
                    ("engine_binary", pool.engine_binary.is_some()),
                ];
                for (field, _) in started.into_iter().filter(|(_, set)| *set) {
                    self.add(
                        &format!("{at}/{field}"),
                        format!("{field} is for engines that the daemon starts"),
                        match field {
                            "shares_engines_with" => {
                                "leave it out for llamacpp, and name the same url in both pools"
                            }
                            _ => "leave it out for llamacpp",
                        },
                    );
                }
            }
        }
    }
}
