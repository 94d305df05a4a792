//! Which engine processes there are, and which replicas live in each.

use std::collections::BTreeMap;

use config_schema::{EngineKind, Pool};
use orchestrator_core::id::{ProcessName, ReplicaName};
use orchestrator_core::placement::ReplicaConfig;

/// One engine process. Where several replicas live in it, each is another model, and they take turns.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineProcess<'a> {
    /// Its name: that of its first replica, or of the server that pools share.
    pub name: ProcessName,
    /// Where it listens, if somebody else runs it.
    pub url: Option<&'a str>,
    /// The replicas that live in it, with their pools; the first is of the pool whose engine it is.
    pub replicas: Vec<(ReplicaName, &'a Pool)>,
}

impl EngineProcess<'_> {
    /// Whether its replicas take turns.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.replicas.len() > 1
    }
}

/// The processes of all pools, in the order in which they are first named.
#[must_use]
pub fn engine_processes(pools: &[Pool]) -> Vec<EngineProcess<'_>> {
    let mut processes = Vec::new();
    let mut by_server = BTreeMap::new();
    for pool in pools {
        match pool.engine {
            // It is listed with the pool whose engines they are.
            EngineKind::Embedded if pool.shares_engines_with.is_some() => {}
            EngineKind::Embedded => processes.extend(started(pool, pools)),
            EngineKind::Llamacpp => attach(pool, &mut processes, &mut by_server),
        }
    }
    processes
}

/// The processes that the daemon starts for a pool, with those that share them.
fn started<'a>(pool: &'a Pool, pools: &'a [Pool]) -> impl Iterator<Item = EngineProcess<'a>> {
    let count = pool.replicas.unwrap_or(1) as usize;
    (0..count).map(move |index| {
        let shares = |other: &&Pool| {
            other.engine == EngineKind::Embedded
                && other.shares_engines_with.as_ref() == Some(&pool.id)
        };
        let living = [pool].into_iter().chain(pools.iter().filter(shares));
        EngineProcess {
            name: ProcessName::new(replica_name(pool, index).as_str()),
            url: None,
            replicas: living.map(|it| (replica_name(it, index), it)).collect(),
        }
    })
}

/// Adds the servers of a pool, or the pool to servers that are there already: `by_server` says where.
fn attach<'a>(
    pool: &'a Pool,
    processes: &mut Vec<EngineProcess<'a>>,
    by_server: &mut BTreeMap<String, usize>,
) {
    for (index, (url, server)) in pool.urls.iter().zip(pool.servers()).enumerate() {
        let replica = (replica_name(pool, index), pool);
        let known = by_server.get(&server).and_then(|&at| processes.get_mut(at));
        if let Some(process) = known {
            process.name = ProcessName::new(server);
            process.replicas.push(replica);
            continue;
        }
        by_server.insert(server, processes.len());
        processes.push(EngineProcess {
            name: ProcessName::new(replica.0.as_str()),
            url: Some(url),
            replicas: vec![replica],
        });
    }
}

/// The replicas of one pool, each with the process that it lives in.
#[must_use]
pub fn replicas_of(pool: &Pool, processes: &[EngineProcess<'_>]) -> Vec<ReplicaConfig> {
    let of_pool = |process: &EngineProcess<'_>| {
        let own = process
            .replicas
            .iter()
            .filter(|(_, other)| other.id == pool.id);
        own.map(|(name, _)| ReplicaConfig {
            name: name.clone(),
            process: process.name.clone(),
        })
        .collect::<Vec<_>>()
    };
    let mut replicas: Vec<_> = processes.iter().flat_map(of_pool).collect();
    // A server may have been named by an earlier pool, in another order.
    replicas.sort_by_key(|replica| number_of(&replica.name));
    replicas
}

/// Names of a pool's replicas: the pool's name and a number from 0.
fn replica_name(pool: &Pool, index: usize) -> ReplicaName {
    ReplicaName::new(format!("{}-{index}", pool.id))
}

fn number_of(name: &ReplicaName) -> usize {
    let number = name.as_str().rsplit('-').next();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What an operator is told of processes that pools share, a line for each.
#[must_use]
pub fn shared(pools: &[Pool]) -> Vec<String> {
    let processes = engine_processes(pools);
    let shared = processes.iter().filter(|process| process.is_shared());
    let line = |process: &EngineProcess<'_>| {
        let models: Vec<_> = process
            .replicas
            .iter()
            .map(|(_, pool)| format!("{} ({})", pool.model_name(), pool.id))
            .collect();
        format!(
            "engine {}: one at a time of {}",
            process.name,
            models.join(", ")
        )
    };
    shared.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools(text: &str) -> Vec<Pool> {
        let parsed = config_schema::parse(text);
        parsed.expect("the configuration is right").pools
    }

    /// `process @ url: replica, replica` of every process.
    fn told(pools: &[Pool]) -> String {
        let line = |process: &EngineProcess<'_>| {
            let names: Vec<_> = process
                .replicas
                .iter()
                .map(|(name, _)| name.to_string())
                .collect();
            let url = process.url.map_or(String::new(), |url| format!(" @ {url}"));
            format!("{}{url}: {}", process.name, names.join(", "))
        };
        let processes = engine_processes(pools);
        processes.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    const SHARED: &str = r#"
[[pool]]
id = "second"
shares_engines_with = "first"
model_ref = "b"

[[pool]]
id = "first"
model_ref = "a"
replicas = 2

[[pool]]
id = "alone"

[[pool]]
id = "big"
engine = "llamacpp"
model_ref = "c"
urls = ["http://127.0.0.1:1", "http://127.0.0.1:2/"]

[[pool]]
id = "other"
engine = "llamacpp"
model_ref = "d"
urls = ["http://127.0.0.1:3", "http://127.0.0.1:2", "http://127.0.0.1:1"]
"#;

    #[test]
    fn replicas_live_where_their_pools_say() {
        insta::assert_snapshot!(told(&pools(SHARED)), @r"
        first-0: first-0, second-0
        first-1: first-1, second-1
        alone-0: alone-0
        http://127.0.0.1:1 @ http://127.0.0.1:1: big-0, other-2
        http://127.0.0.1:2 @ http://127.0.0.1:2/: big-1, other-1
        other-0 @ http://127.0.0.1:3: other-0
        ");
    }

    #[test]
    fn a_pool_names_its_replicas_in_order_with_their_processes() {
        let pools = pools(SHARED);
        let processes = engine_processes(&pools);
        let line = |pool: &Pool| {
            let replicas = replicas_of(pool, &processes).into_iter();
            let replicas = replicas.map(|it| format!("{} in {}", it.name, it.process));
            replicas.collect::<Vec<_>>().join(", ")
        };
        let lines: Vec<_> = pools.iter().map(line).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        second-0 in first-0, second-1 in first-1
        first-0 in first-0, first-1 in first-1
        alone-0 in alone-0
        big-0 in http://127.0.0.1:1, big-1 in http://127.0.0.1:2
        other-0 in other-0, other-1 in http://127.0.0.1:2, other-2 in http://127.0.0.1:1
        ");
    }

    #[test]
    fn what_is_shared_is_told() {
        insta::assert_snapshot!(shared(&pools(SHARED)).join("\n"), @r"
        engine first-0: one at a time of a (first), b (second)
        engine first-1: one at a time of a (first), b (second)
        engine http://127.0.0.1:1: one at a time of c (big), d (other)
        engine http://127.0.0.1:2: one at a time of c (big), d (other)
        ");
    }
}
