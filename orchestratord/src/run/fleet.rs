//! The engines of every pool: started, watched, and told of.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use config_schema::Pool;
use orchestrator_core::id::{Digest, ModelRef, PoolName, ReplicaName};
use orchestrator_core::input::Report;
use orchestrator_core::placement::ReplicaFacts;
use orchestrator_core::task::PROFILE_V1;
use pool_managerd::{
    Attached, AttachedHandle, LocateError, News, Policy, Supervisor, SupervisorEvent,
    SupervisorHandle,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use worker_adapter::{Adapter, EngineFacts};

use super::pool::{engine_of, engine_spec, replica_specs};
use super::process::{EngineProcess, engine_processes, replicas_of};
use super::replicas::{Replica, Replicas};
use super::supervision::Supervision;
use crate::telemetry::{Meter, ReplicaLabels};

/// Events of supervisors that may wait to be read.
const EVENTS_WAITING_MAX: usize = 64;

/// Takes what replicas report.
pub trait FleetReporter: Send + Sync + 'static {
    /// Takes one report; resolves when there is room for the next.
    fn report(&self, report: Report) -> impl Future<Output = ()> + Send;
}

/// The engines of every pool. Dropping it ends them at once; [`Fleet::stop`] in order.
pub struct Fleet {
    supervised: Vec<SupervisorHandle>,
    attached: Vec<AttachedHandle>,
    teller: JoinHandle<()>,
}

impl Fleet {
    /// Starts the engines of all pools, each of which may have `open_files_max` files open, and goes on telling
    /// `reporter` what they do.
    ///
    /// # Errors
    /// If the embedded engine's program is nowhere.
    pub fn start<R: FleetReporter>(
        pools: &[Pool],
        replicas: Arc<Replicas>,
        supervision: Supervision,
        meter: Meter,
        reporter: Arc<R>,
        open_files_max: u64,
    ) -> Result<Self, LocateError> {
        let (events, told) = mpsc::channel(EVENTS_WAITING_MAX);
        let mut supervised = Vec::new();
        let mut attached = Vec::new();
        let processes = engine_processes(pools);
        for process in &processes {
            if process.is_shared() {
                for (name, _) in &process.replicas {
                    supervision.shares(name, &process.name);
                }
            }
            let specs = replica_specs(process);
            let Some(url) = process.url else {
                if let Some(spec) = engine_spec(process, open_files_max)? {
                    supervised.push(Supervisor::start(spec, specs, events.clone()));
                }
                continue;
            };
            let watch = Policy::default().watch;
            let handle = Attached::start(url.to_owned(), watch, specs, events.clone());
            for (name, _) in &process.replicas {
                replicas.watched(name.clone(), handle.suspicion());
            }
            attached.push(handle);
        }
        let teller = Teller {
            members: members(pools, &processes),
            replicas,
            supervision,
            meter,
            reporter,
            ready: HashMap::new(),
        };
        Ok(Self {
            supervised,
            attached,
            teller: tokio::spawn(teller.tell(told)),
        })
    }

    /// Ends every engine in order, and waits until they are gone.
    pub async fn stop(self) {
        drop(self.attached);
        let stops: Vec<_> = self
            .supervised
            .into_iter()
            .map(|handle| tokio::spawn(handle.stop()))
            .collect();
        for stop in stops {
            if let Err(error) = stop.await {
                tracing::warn!(%error, "an engine could not be stopped in order");
            }
        }
        self.teller.abort();
    }
}

/// A pool and the names of its replicas.
struct Member {
    pool: Pool,
    names: Vec<ReplicaName>,
}

/// The pool of every replica.
fn members(pools: &[Pool], processes: &[EngineProcess<'_>]) -> HashMap<ReplicaName, Arc<Member>> {
    let of_pool = |pool: &Pool| {
        let names = replicas_of(pool, processes).into_iter();
        let member = Arc::new(Member {
            pool: pool.clone(),
            names: names.map(|replica| replica.name).collect(),
        });
        let names = member.names.clone().into_iter();
        names.map(move |name| (name, Arc::clone(&member)))
    };
    pools.iter().flat_map(of_pool).collect()
}

/// Turns what supervisors tell into reports for the machine.
struct Teller<R> {
    members: HashMap<ReplicaName, Arc<Member>>,
    replicas: Arc<Replicas>,
    supervision: Supervision,
    meter: Meter,
    reporter: Arc<R>,
    ready: HashMap<ReplicaName, bool>,
}

impl<R: FleetReporter> Teller<R> {
    async fn tell(mut self, mut told: mpsc::Receiver<SupervisorEvent>) {
        while let Some(event) = told.recv().await {
            let name = ReplicaName::new(event.replica.as_str());
            let Some(member) = self.members.get(&name).map(Arc::clone) else {
                continue;
            };
            let pool = &member.pool;
            match event.news {
                News::Starting { pid } => self.starting(pool, &name, pid, event.run),
                News::Ready {
                    url,
                    facts,
                    adapter,
                } => {
                    self.replica_ready(&member, name, &url, facts, adapter)
                        .await
                }
                News::Down { detail, exit: _ } => self.down(&member, name, detail).await,
                News::GaveUp { detail } => self.given_up(&member, &name, detail).await,
            }
        }
    }

    fn starting(&self, pool: &Pool, name: &ReplicaName, pid: u32, run: u32) {
        tracing::info!(replica = %name, pid, run, "engine starts");
        if run > 1 {
            self.supervision.restarted(name, run - 1);
            self.meter
                .replica_restarted(engine_of(pool), &pool.id, name.as_str());
        }
    }

    async fn replica_ready(
        &mut self,
        member: &Member,
        name: ReplicaName,
        url: &str,
        facts: EngineFacts,
        adapter: Arc<dyn Adapter>,
    ) {
        let EngineFacts {
            engine_version,
            model_digest,
            model_path: _,
            ctx,
            slots,
        } = facts;
        let Some(digest) = model_digest.as_deref().and_then(parse_digest) else {
            let detail = format!(
                "its model digest `{}` is not sha256:<hex>",
                model_digest.unwrap_or_default()
            );
            return self.down(member, name, detail).await;
        };
        let pool = &member.pool;
        tracing::info!(replica = %name, url, engine_version, ctx, slots, "engine is ready");
        let wall_timeout = Duration::from_millis(pool.wall_timeout_ms);
        self.replicas.insert(
            name.clone(),
            Replica {
                adapter,
                wall_timeout,
            },
        );
        let labels = ReplicaLabels {
            engine: engine_of(pool),
            engine_version: engine_version.clone(),
            pool: pool.id.clone(),
        };
        self.meter.replica_ready(name.clone(), labels);
        self.set_ready(member, &name, true);
        let facts = ReplicaFacts {
            name,
            pool: PoolName::new(pool.id.as_str()),
            engine: engine_of(pool),
            engine_version,
            model_ref: ModelRef::new(pool.model_name().as_ref()),
            model_digest: digest,
            sampler_profile_version: PROFILE_V1.version.to_owned(),
            ctx,
            slots,
        };
        self.reporter
            .report(Report::ReplicaReady {
                facts: Box::new(facts),
            })
            .await;
    }

    async fn down(&mut self, member: &Member, name: ReplicaName, detail: String) {
        tracing::warn!(replica = %name, detail, "engine is down");
        self.replicas.remove(&name);
        self.set_ready(member, &name, false);
        self.reporter
            .report(Report::ReplicaDown {
                replica: name,
                detail,
            })
            .await;
    }

    /// A pool gives up when its last replica does.
    async fn given_up(&self, member: &Member, name: &ReplicaName, detail: String) {
        tracing::error!(replica = %name, detail, "engine is given up");
        self.supervision.gave_up(name, detail.clone());
        if self.supervision.all_gave_up(&member.names) {
            self.reporter
                .report(Report::PoolUnavailable {
                    pool: PoolName::new(member.pool.id.as_str()),
                    detail,
                })
                .await;
        }
    }

    fn set_ready(&mut self, member: &Member, name: &ReplicaName, ready: bool) {
        self.ready.insert(name.clone(), ready);
        let pool = &member.pool;
        let count = member
            .names
            .iter()
            .filter(|one| self.ready.get(*one).copied().unwrap_or(false))
            .count();
        self.meter.replicas_ready(engine_of(pool), &pool.id, count);
    }
}

/// Reads `sha256:<64 hex digits>`.
fn parse_digest(text: &str) -> Option<Digest> {
    let hex = text.strip_prefix("sha256:")?;
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Reports(Mutex<Vec<Report>>);

    impl Reports {
        /// Which pools gave up, and why.
        fn given_up(&self) -> Vec<(PoolName, String)> {
            let pool = |report: &Report| match report {
                Report::PoolUnavailable { pool, detail } => (pool.clone(), detail.clone()),
                other => panic!("no report of a pool: {other:?}"),
            };
            self.0.lock().unwrap().iter().map(pool).collect()
        }
    }

    impl FleetReporter for Reports {
        async fn report(&self, report: Report) {
            self.0.lock().unwrap().push(report);
        }
    }

    #[tokio::test]
    async fn a_replica_that_stays_down_is_known_and_a_pool_gives_up_with_its_last() {
        let pool = Pool {
            replicas: Some(2),
            ..Pool::embedded_default()
        };
        let pools = [pool.clone()];
        let members = members(&pools, &engine_processes(&pools));
        let member = Arc::clone(members.values().next().expect("there are two"));
        let names = &member.names;
        let supervision = Supervision::default();
        let reporter = Arc::new(Reports::default());
        let teller = Teller {
            members,
            replicas: Arc::default(),
            supervision: supervision.clone(),
            meter: Meter::detached(),
            reporter: Arc::clone(&reporter),
            ready: HashMap::new(),
        };
        teller.starting(&pool, &names[0], 1, 3);
        teller
            .given_up(&member, &names[1], "one is broken".to_owned())
            .await;
        let known = supervision.snapshot();
        assert_eq!(known[&names[0]].restarts, 2);
        assert_eq!(known[&names[0]].gave_up, None);
        assert_eq!(known[&names[1]].gave_up.as_deref(), Some("one is broken"));
        assert_eq!(reporter.given_up(), []);
        teller
            .given_up(&member, &names[0], "both are".to_owned())
            .await;
        let given_up = (PoolName::new(pool.id.as_str()), "both are".to_owned());
        assert_eq!(reporter.given_up(), [given_up]);
    }

    #[test]
    fn a_digest_reads_back_as_written() {
        let digest = Digest([0xa5; 32]);
        assert_eq!(parse_digest(&digest.to_string()), Some(digest));
        for text in [
            "",
            "sha256:",
            "sha256:zz",
            "md5:00",
            &format!("sha256:{}", "é".repeat(32)),
        ] {
            assert_eq!(parse_digest(text), None, "{text}");
        }
    }
}
