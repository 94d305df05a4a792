//! What can run here: capabilities, pools, replica sets, readiness, metrics.

use std::borrow::Cow;
use std::collections::HashMap;

use config_schema::Config;
use orchestrator_core::id::ReplicaName;
use orchestrator_core::placement::{PoolState, PoolView, ReplicaSetView, ReplicaViewState};
use orchestrator_core::queue::ClassName;

use super::App;
use super::trouble::{Missing, Prerequisite, Trouble};
use crate::owner::LiveView;
use crate::run::supervision::Supervised;

/// A limit that refusals name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Its name, as configuration and refusals have it.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: u64,
    /// Unit of the value.
    pub unit: &'static str,
}

impl Limit {
    /// Every limit of a configuration.
    #[must_use]
    pub fn all(config: &Config) -> Vec<Self> {
        let classes = config.queue.classes.iter().map(|class| Self {
            name: format!("queue.{}.capacity", class.name).into(),
            value: class.capacity.into(),
            unit: "tasks",
        });
        let others = [
            Self {
                name: "queue.scheduled_max".into(),
                value: config.queue.scheduled_max.into(),
                unit: "tasks",
            },
            Self {
                name: "session.ttl_ms".into(),
                value: config.session.ttl_ms,
                unit: "ms",
            },
            Self {
                name: "session.turns_max".into(),
                value: config.session.turns_max.into(),
                unit: "tasks",
            },
        ];
        classes.chain(others).collect()
    }
}

/// What the deployment can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The pools.
    pub pools: Vec<PoolView>,
    /// The classes with whether it is the default, the most urgent first.
    pub classes: Vec<(ClassName, bool)>,
    /// The limits.
    pub limits: Vec<Limit>,
}

/// Health of a pool.
#[derive(Clone, Debug)]
pub struct PoolHealth {
    /// How the machine sees it, with each replica that stays down as failed.
    pub view: PoolView,
    /// What has become of the engines of its replicas, and perhaps of others.
    pub supervised: HashMap<ReplicaName, Supervised>,
}

impl App {
    /// What the deployment can do.
    #[must_use]
    pub fn capabilities_get(&self) -> Capabilities {
        Capabilities {
            pools: self.owner.view().pools.clone(),
            classes: self
                .classes
                .names()
                .into_iter()
                .map(|class| (class, class == self.classes.by_default()))
                .collect(),
            limits: self.limits.clone(),
        }
    }

    /// Health of one pool.
    ///
    /// # Errors
    /// If there is no such pool.
    pub fn pool_health(&self, name: &str) -> Result<PoolHealth, Trouble> {
        let view = self.owner.view();
        let found = view
            .pools
            .iter()
            .find(|pool| pool.name.as_str() == name)
            .cloned();
        let found = found.ok_or_else(|| {
            if !view.serving {
                return Trouble::NotReady(vec![owner_reads()]);
            }
            let known = view
                .pools
                .iter()
                .map(|pool| pool.name.to_string())
                .collect();
            Trouble::Missing(Missing::Pool {
                name: name.to_owned(),
                known,
            })
        })?;
        let supervised = self.supervision.snapshot();
        Ok(PoolHealth {
            view: with_failures(found, &supervised),
            supervised,
        })
    }

    /// The replica sets.
    #[must_use]
    pub fn replicaset_list(&self) -> Vec<ReplicaSetView> {
        self.owner.view().replica_sets.clone()
    }

    /// The pools whose queues are held, or everything that is missing for the daemon to do its job.
    ///
    /// # Errors
    /// [`Trouble::NotReady`] with all of it.
    pub fn readiness_get(&self) -> Result<Vec<String>, Trouble> {
        let view = self.owner.view();
        let missing = missing(&view);
        if missing.is_empty() {
            let paused = view.pools.iter().filter(|pool| pool.paused);
            Ok(paused.map(|pool| pool.name.to_string()).collect())
        } else {
            Err(Trouble::NotReady(missing))
        }
    }

    /// The metrics as text.
    #[must_use]
    pub fn metrics_get(&self) -> String {
        let view = self.owner.view();
        self.meter.queue_depths(&view.queued);
        self.meter.render()
    }
}

/// The machine knows only when a whole pool stays down; a replica beside others that work may, too.
fn with_failures(mut view: PoolView, supervised: &HashMap<ReplicaName, Supervised>) -> PoolView {
    for replica in &mut view.replicas {
        let supervised = supervised.get(&replica.name);
        if let Some(detail) = supervised.and_then(|it| it.gave_up.as_ref()) {
            replica.state = ReplicaViewState::Failed;
            replica.last_error = Some(detail.clone());
        }
    }
    view
}

/// Everything that is missing.
fn missing(view: &LiveView) -> Vec<Prerequisite> {
    let mut missing = Vec::new();
    if let Some(detail) = &view.store_trouble {
        missing.push(Prerequisite {
            what: "store".to_owned(),
            detail: detail.clone(),
            hint: "look at the disk that holds the data directory, and at the daemon's log"
                .to_owned(),
        });
    } else if !view.serving {
        missing.push(owner_reads());
    }
    let any_ready = view.pools.iter().any(|pool| pool.state == PoolState::Ready);
    if !any_ready {
        missing.extend(view.pools.iter().map(missing_pool));
    }
    missing
}

/// A daemon listens before it has read what the store holds; until then it knows of no pool.
fn owner_reads() -> Prerequisite {
    Prerequisite {
        what: "owner".to_owned(),
        detail: "what the store holds is being read".to_owned(),
        hint: "wait; this ends by itself".to_owned(),
    }
}

fn missing_pool(pool: &PoolView) -> Prerequisite {
    let what = format!("pool/{}", pool.name);
    match &pool.gave_up {
        Some(detail) => Prerequisite {
            what,
            detail: format!("its engine does not come up: {detail}"),
            hint: "mend what the detail names, then restart the daemon".to_owned(),
        },
        None => {
            let trouble = pool
                .replicas
                .iter()
                .find_map(|replica| replica.last_error.clone());
            Prerequisite {
                what,
                detail: trouble.unwrap_or_else(|| "its engine is starting".to_owned()),
                hint: "wait; tasks are accepted meanwhile".to_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use orchestrator_core::id::{ModelRef, PoolName};
    use orchestrator_core::placement::ReplicaView;
    use orchestrator_core::task::Engine;

    use super::*;

    #[test]
    fn a_replica_that_stays_down_is_failed_while_its_pool_works() {
        let replica = |name: &str, state| ReplicaView {
            name: ReplicaName::new(name),
            state,
            facts: None,
            slots_total: 0,
            slots_free: 0,
            last_error: Some("it ended".to_owned()),
        };
        let view = PoolView {
            name: PoolName::new("p"),
            engine: Engine::Embedded,
            model_ref: ModelRef::new("m"),
            state: PoolState::Ready,
            ctx_max: None,
            slots_total: 0,
            slots_free: 0,
            kv_bytes_per_token: None,
            paused: false,
            gave_up: None,
            replicas: vec![
                replica("p-0", ReplicaViewState::Ready),
                replica("p-1", ReplicaViewState::Starting),
                replica("p-2", ReplicaViewState::Starting),
            ],
        };
        let supervised = |restarts, gave_up: Option<&str>| Supervised {
            restarts,
            gave_up: gave_up.map(str::to_owned),
            shares: None,
        };
        let known = HashMap::from([
            (ReplicaName::new("p-1"), supervised(1, None)),
            (
                ReplicaName::new("p-2"),
                supervised(5, Some("it stays down")),
            ),
        ]);
        let seen: Vec<_> = with_failures(view, &known)
            .replicas
            .into_iter()
            .map(|replica| (replica.state, replica.last_error.unwrap_or_default()))
            .collect();
        let ended = "it ended".to_owned();
        assert_eq!(
            seen,
            [
                (ReplicaViewState::Ready, ended.clone()),
                (ReplicaViewState::Starting, ended),
                (ReplicaViewState::Failed, "it stays down".to_owned()),
            ]
        );
    }

    #[test]
    fn who_knows_of_no_pool_yet_is_not_ready() {
        let fresh = missing(&LiveView::default());
        let what: Vec<&str> = fresh.iter().map(|it| it.what.as_str()).collect();
        assert_eq!(what, ["owner"]);
        let serving = LiveView {
            serving: true,
            ..LiveView::default()
        };
        assert_eq!(missing(&serving), []);
    }
}
