//! Puts the parts together, serves, and takes them apart in order.

mod bodies;
mod data;
mod descriptors;
mod door;
mod end;
mod repoll;
mod socket;

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config_schema::{Config, Pool, TenantQuota};
use orchestrator_core::attempt::RetryLimits;
use orchestrator_core::id::PoolName;
use orchestrator_core::key::Keys;
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::placement::Policy;
use orchestrator_core::quota::{QuotaLimits, RequestRate};
use pool_managerd::LocateError;
use store::{OpenError, ReadError};
use store_sqlite::SqliteStore;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::watch;

use self::data::DataDir;
use self::descriptors::OpenFiles;
use self::door::{Bounds, Door};
use self::end::until_told;
use crate::app::{App, ClassOffer, Limit, Refusals, Tallies, class_configs};
use crate::http::{Host, full_router, router};
use crate::keys::{Gate, KeysError, ServerKey, ServerKeyError, check_start};
use crate::owner::{self, Clock, Dice, Owner, OwnerLimits, SystemClock};
use crate::run::attempt::Follower;
use crate::run::attempts::Attempts;
use crate::run::engine::EngineRunner;
use crate::run::fleet::Fleet;
use crate::run::outlet::RunOutlet;
use crate::run::pool::pool_configs;
use crate::run::replicas::Replicas;
use crate::run::reports::OwnerReporter;
use crate::run::supervision::Supervision;
use crate::settings::Settings;
use crate::stream::StreamHub;
use crate::telemetry::{Meter, init_log};

/// A commit that takes as long as this is not quick any more. A thread of the runtime does nothing else meanwhile.
const STAND_IN_COMMIT_US: u64 = 1_000;

/// Why the daemon does not serve.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address cannot be had.
    #[error(
        "cannot listen on {address}: {source}; is another daemon there? Choose another address with --listen, or port 0 for a free one"
    )]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The data directory cannot be made.
    #[error(
        "{path}: {source}; let the user that runs the daemon write there, or give it another data directory with --data-dir"
    )]
    DataDir {
        /// Which.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The owner has ended although nobody stopped it: a bug. What was acknowledged is in the store.
    #[error(
        "a part of the daemon has failed; its log says more. Nothing acknowledged is lost: start it again, and please report the log"
    )]
    OwnerLost,
    /// The owner cannot start.
    #[error(transparent)]
    Owner(#[from] ReadError),
    /// The engine's program is nowhere.
    #[error(transparent)]
    Engine(#[from] LocateError),
    /// It must not serve with the keys that there are.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The daemon's own key cannot be had.
    #[error(transparent)]
    ServerKey(#[from] ServerKeyError),
    /// The log or the metrics cannot be set up.
    #[error("{0}")]
    Telemetry(String),
    /// The runtime or the server failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Serves until it is told to end.
///
/// # Errors
/// Why it does not serve, or could not go on.
pub fn serve(settings: Settings) -> Result<(), ServeError> {
    let server = &settings.config.server;
    init_log(&server.log, server.log_format).map_err(ServeError::Telemetry)?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve_on(settings));
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve_on(settings: Settings) -> Result<(), ServeError> {
    let Settings {
        listen,
        data,
        exit_on_stdin_eof,
        config,
    } = settings;
    let ended = until_told(exit_on_stdin_eof)?;
    take_a_full_file_as_an_error();
    // Held to the end of all parts, as a temporary one goes with it.
    let data_dir = DataDir::made(&data)?;
    let (store, server_key) = opened(data_dir.path(), listen)?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|source| ServeError::Listen {
            address: listen,
            source,
        })?;
    let address = listener.local_addr()?;
    store.note().set(&holder(address))?;
    let meter = Meter::install().map_err(ServeError::Telemetry)?;
    let open_files = descriptors::raised();
    let parts = Parts::start(store, server_key, &config, meter.clone(), open_files)?;
    let host = Arc::new(Host::new(Arc::clone(&parts.app)));
    let bounds = bounds(&config, open_files);
    let routes = router(&host);
    let door = Door {
        listener,
        refusing: full_router(&routes, bounds.connections),
        routes,
        bounds,
        meter: meter.clone(),
    };
    say_where(address);
    tracing::info!(%address, data_dir = %data_dir.path().display(), connections_max = bounds.connections, "serving");
    let closing = parts.app.closing.clone();
    let closes = async move {
        ended.await;
        tracing::info!("ending: streams are closed, and resume when the daemon is back");
        closing.send_replace(true);
        std::future::pending::<Infallible>().await
    };
    let grace = Duration::from_millis(config.server.shutdown_grace_ms);
    let mut told = parts.app.closing.subscribe();
    let overdue = async {
        let _gone = told.wait_for(|closing| *closing).await;
        tokio::time::sleep(grace).await;
    };
    let owner_ended = parts.app.owner.ended();
    let mut outcome = Ok(());
    tokio::select! {
        () = door.serve(parts.app.closing.subscribe()) => {}
        never = closes => match never {},
        () = owner_ended => outcome = Err(ServeError::OwnerLost),
        () = overdue => tracing::warn!(grace_ms = config.server.shutdown_grace_ms, "connections are cut off"),
        never = meter.keep_small() => match never {},
    }
    parts.stop(grace).await;
    outcome
}

/// The store, and what keys are checked under, if the daemon may serve there with the keys that it has. Nobody can
/// connect before that is known.
fn opened(
    data_dir: &Path,
    listen: SocketAddr,
) -> Result<(SqliteStore, Option<ServerKey>), ServeError> {
    let store = SqliteStore::open(data_dir, &holder(listen))?;
    let server_key = ServerKey::find(data_dir)?;
    let keys = Keys::from_iter(store.keys()?);
    let now = SystemClock::default().now().wall;
    if let Some(concern) = check_start(listen, &keys, server_key.as_ref(), now)? {
        tracing::warn!("{concern}");
    }
    Ok((store, server_key))
}

/// What whoever finds the directory taken is told.
fn holder(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// What connections may take, by the configuration and by what the operating system allows.
fn bounds(config: &Config, open_files: OpenFiles) -> Bounds {
    let server = &config.server;
    let replicas = config.pools.iter().map(replicas_of).sum();
    let (connections, concern) = descriptors::connections(server, replicas, open_files.now);
    if let Some(concern) = concern {
        tracing::warn!("{concern}");
    }
    Bounds {
        connections,
        head: Duration::from_millis(server.head_timeout_ms),
        body: Duration::from_millis(server.body_timeout_ms),
        stall: Duration::from_millis(server.stall_timeout_ms),
    }
}

fn replicas_of(pool: &Pool) -> u64 {
    let own = u64::from(pool.replicas.unwrap_or(1));
    own.max(pool.urls.len() as u64)
}

/// Tells whoever started the daemon where it listens. If nobody reads that, it serves all the same.
fn say_where(address: SocketAddr) {
    let mut out = io::stdout().lock();
    let said = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
    if let Err(error) = said {
        tracing::debug!(%error, "standard output takes nothing");
    }
}

/// Everything that runs.
struct Parts {
    app: Arc<App>,
    owner: Owner<SqliteStore>,
    fleet: Fleet,
}

impl Parts {
    fn start(
        store: SqliteStore,
        server_key: Option<ServerKey>,
        config: &Config,
        meter: Meter,
        open_files: OpenFiles,
    ) -> Result<Self, ServeError> {
        let reads: Arc<dyn store::ReadStore> = Arc::new(store.reader());
        let streams = Arc::new(StreamHub::default());
        let replicas = Arc::new(Replicas::default());
        let reporter = Arc::new(OwnerReporter::default());
        let follower = Follower {
            reporter: Arc::clone(&reporter),
            reads: Arc::clone(&reads),
            runner: EngineRunner::default(),
            replicas: Arc::clone(&replicas),
        };
        let runtime = runtime::Handle::current();
        let attempts = Attempts::new(follower, Arc::clone(&streams), runtime.clone());
        let outlet = RunOutlet::new(attempts, meter.clone(), runtime.clone());
        let owner = owner::spawn(
            store,
            machine_config(config),
            owner_limits(&runtime),
            SystemClock::default(),
            Dice::from_os(),
            outlet,
        )?;
        let handle = owner.handle();
        reporter.set(handle.clone());
        let supervision = Supervision::default();
        let fleet = Fleet::start(
            &config.pools,
            replicas,
            supervision.clone(),
            meter.clone(),
            reporter,
            open_files.at_start,
        )?;
        let app = App {
            owner: handle,
            reads,
            gate: Gate::new(server_key),
            streams,
            meter,
            supervision,
            refusals: Refusals::new(config.refusals.kept_max, config.refusals.kept_ms),
            tallies: Tallies::default(),
            classes: ClassOffer::of(&config.queue),
            limits: Limit::all(config),
            closing: watch::Sender::new(false),
        };
        Ok(Self {
            app: Arc::new(app),
            owner,
            fleet,
        })
    }

    /// Ends everything in order: what is decided becomes durable, then the engines go.
    async fn stop(self, grace: Duration) {
        let Self { app, owner, fleet } = self;
        drop(app);
        let stopping = tokio::task::spawn_blocking(move || drop(owner.stop()));
        let stopped = tokio::time::timeout(grace + Duration::from_secs(1), stopping).await;
        match stopped {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => tracing::error!(%panic, "the owner has ended by a fault of its own"),
            Err(_) => tracing::warn!(
                "the owner did not end in time; what it had not committed is as after a crash"
            ),
        }
        fleet.stop().await;
        tracing::info!("ended");
    }
}

/// Whoever asks may do so small a thing itself as long as the runtime has another thread for everybody else.
fn owner_limits(runtime: &runtime::Handle) -> OwnerLimits {
    let others = runtime.metrics().num_workers() > 1;
    OwnerLimits {
        stand_in_commit_us: if others { STAND_IN_COMMIT_US } else { 0 },
        ..OwnerLimits::default()
    }
}

/// The configuration in the machine's words.
fn machine_config(config: &Config) -> MachineConfig {
    let Config {
        server: _,
        queue,
        placement,
        quota,
        refusals: _,
        session,
        idempotency,
        retry,
        pools,
    } = config;
    MachineConfig {
        classes: class_configs(queue),
        ageing_ms: queue.age_after_ms,
        scheduled_max: queue.scheduled_max,
        tenant_limits: tenant_limits(quota.tenant),
        deadline_confidence_permille: queue.deadline_confidence_permille,
        retry: RetryLimits {
            failures: retry.failures_max,
            interruptions: retry.interruptions_max,
            backoff_base_ms: retry.backoff_base_ms,
            backoff_cap_ms: retry.backoff_cap_ms,
        },
        prices: pools.iter().map(price).collect(),
        policy: Policy {
            model_run_tokens_max: placement.model_run_tokens_max,
            ..Policy::default()
        },
        session_ttl_ms: session.ttl_ms,
        session_turns_max: session.turns_max,
        idempotency_retention_ms: idempotency.retention_ms,
        idempotency_keys_max: idempotency.keys_max,
        ..MachineConfig::for_pools(pool_configs(pools))
    }
}

fn tenant_limits(quota: TenantQuota) -> QuotaLimits {
    let TenantQuota {
        tasks_live_max,
        requests_per_s,
        burst,
        tokens_per_min,
        kv_mb_max,
    } = quota;
    QuotaLimits {
        tasks_live_max,
        requests: requests_per_s.map(|per_s| RequestRate {
            per_s,
            burst: burst.unwrap_or(per_s),
        }),
        tokens_per_min,
        kv_mb_max,
    }
}

fn price(pool: &Pool) -> (PoolName, u64) {
    (
        PoolName::new(pool.id.as_str()),
        pool.price_micros_per_ktoken,
    )
}

/// By default a process ends when it writes a file beyond the size that its user is allowed. From here on that
/// is an error of the write, like that of a full disk, and is dealt with where the write is.
fn take_a_full_file_as_an_error() {
    use tokio::signal::unix::{SignalKind, signal};

    let beyond_the_size = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    if let Err(error) = signal(beyond_the_size) {
        tracing::debug!(%error, "a file that may not grow will end the daemon");
    }
}
