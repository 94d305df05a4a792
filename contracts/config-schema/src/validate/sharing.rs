//! Faults of pools that share engines.

use std::collections::BTreeMap;

use super::Faults;
use crate::config::{EngineKind, Pool};

impl Faults {
    pub(super) fn sharing(&mut self, pools: &[Pool]) {
        for (index, pool) in pools.iter().enumerate() {
            if let Some(owner) = &pool.shares_engines_with
                && pool.engine == EngineKind::Embedded
            {
                let at = format!("/pool/{index}");
                self.shared_engines(&at, pool, owner, pools);
                self.said_twice(&at, pool, owner);
            }
        }
        self.models_of_pools(pools);
        self.models_of_servers(pools);
    }

    /// Whose engines they are.
    fn shared_engines(&mut self, at: &str, pool: &Pool, owner: &str, pools: &[Pool]) {
        let at = format!("{at}/shares_engines_with");
        let hint = "name an embedded pool that has engines of its own, or leave it out";
        let Some(other) = pools.iter().find(|other| other.id == owner) else {
            return self.add(&at, format!("there is no pool `{owner}`"), hint);
        };
        let what = if owner == pool.id {
            "a pool shares nothing with itself".to_owned()
        } else if other.engine == EngineKind::Llamacpp {
            format!("the engines of pool `{owner}` are not started by the daemon")
        } else if let Some(further) = &other.shares_engines_with {
            format!("pool `{owner}` has no engines of its own: it shares those of `{further}`")
        } else {
            return;
        };
        self.add(&at, what, hint);
    }

    /// What the other pool says of the engines they share.
    fn said_twice(&mut self, at: &str, pool: &Pool, owner: &str) {
        let said = [
            ("replicas", pool.replicas.is_some()),
            ("threads", pool.threads.is_some()),
            (
                "max_tokens_per_second",
                pool.max_tokens_per_second.is_some(),
            ),
            ("engine_binary", pool.engine_binary.is_some()),
        ];
        for (field, _) in said.into_iter().filter(|(_, said)| *said) {
            self.add(
                &format!("{at}/{field}"),
                format!("{field} is for pool `{owner}` to say, whose engines these are"),
                "leave it out here",
            );
        }
    }

    /// Embedded pools: one process knows a model by its name.
    fn models_of_pools(&mut self, pools: &[Pool]) {
        let mut taken = BTreeMap::new();
        let embedded = |(_, pool): &(usize, &Pool)| pool.engine == EngineKind::Embedded;
        for (index, pool) in pools.iter().enumerate().filter(embedded) {
            let key = (pool.engines_of(), pool.model_name());
            let earlier = taken.insert(key, pool);
            // Two pools of the same name are another fault.
            if let Some(earlier) = earlier
                && earlier.id != pool.id
            {
                self.add(
                    &format!("/pool/{index}/model_ref"),
                    format!(
                        "the model `{}` is on these engines already, by pool `{}`",
                        pool.model_name(),
                        earlier.id
                    ),
                    "share engines with another model, or give this one another name",
                );
            }
        }
    }

    /// Pools of servers that run already: one server knows a model by its name, and each is named.
    fn models_of_servers(&mut self, pools: &[Pool]) {
        let mut by_server: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
        for (index, pool) in pools.iter().enumerate() {
            for (nth, server) in pool.servers().enumerate() {
                by_server.entry(server).or_default().push((index, nth));
            }
        }
        for places in by_server.into_values().filter(|places| places.len() > 1) {
            for (n, &(index, nth)) in places.iter().enumerate() {
                let pool = &pools[index];
                let earlier = places[..n].iter().map(|&(other, _)| &pools[other]);
                let same = |other: &&Pool| other.model_ref == pool.model_ref;
                match (&pool.model_ref, earlier.clone().find(same)) {
                    (Some(model), Some(other)) => self.add(
                        &format!("/pool/{index}/urls/{nth}"),
                        format!(
                            "the model `{model}` is on this server already, by pool `{}`",
                            other.id
                        ),
                        "name a server once for a model; the server says itself how many slots it has",
                    ),
                    (None, _) => self.add(
                        &format!("/pool/{index}/urls/{nth}"),
                        "this server is named more than once, and the model is not".to_owned(),
                        "set model_ref to the name that the server knows the model by",
                    ),
                    (Some(_), None) => {}
                }
            }
        }
    }
}
