//! Scripts to supervise, an engine behind them, and the events.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use pool_managerd::{
    AdapterFactory, Backoff, EngineSpec, News, Policy, ReplicaSpec, RestartBudget, Supervisor,
    SupervisorEvent, SupervisorHandle, Watch,
};
use tokio::sync::mpsc;
use worker_adapter::{
    Adapter, AdapterError, AdapterFuture, EngineFacts, Finish, Generation, GenerationEvent,
    GenerationStream, Health,
};

/// A script that behaves: it tells a URL and ends with its standard input.
pub(crate) const GOOD: &str = "echo listening on http://127.0.0.1:1; exec cat >/dev/null";

pub(crate) const HUNG_AFTER: Duration = Duration::from_secs(60);

/// Restarts at once, gives up only after two restarts, and never checks health by itself.
pub(crate) fn policy() -> Policy {
    Policy {
        ready_timeout: Duration::from_secs(60),
        stop_grace: Duration::from_secs(60),
        backoff: Backoff {
            first: Duration::from_millis(1),
            most: Duration::from_millis(1),
        },
        budget: RestartBudget {
            restarts: 2,
            window: Duration::from_secs(3_600),
            stable_after: Duration::from_secs(3_600),
        },
        watch: Watch {
            interval: Duration::from_secs(3_600),
            timeout: Duration::from_secs(60),
            misses: 2,
        },
    }
}

/// `sh -c script`.
pub(crate) fn script(script: &str) -> EngineSpec {
    let mut spec = EngineSpec::new("r0", "/bin/sh");
    spec.args = vec!["-c".into(), script.into()];
    spec.policy = policy();
    spec
}

/// A supervised process and what it tells.
pub(crate) struct Watched {
    pub(crate) handle: SupervisorHandle,
    events: mpsc::Receiver<SupervisorEvent>,
}

impl Watched {
    pub(crate) fn start(spec: EngineSpec, adapters: AdapterFactory) -> Self {
        let replica = ReplicaSpec::new(spec.process.clone(), adapters);
        Self::start_with(spec, vec![replica])
    }

    /// A process in which these replicas live.
    pub(crate) fn start_with(spec: EngineSpec, replicas: Vec<ReplicaSpec>) -> Self {
        let (sender, events) = mpsc::channel(4);
        Self {
            handle: Supervisor::start(spec, replicas, sender),
            events,
        }
    }

    /// The next event, of whatever replica.
    pub(crate) async fn any(&mut self) -> SupervisorEvent {
        let event = tokio::time::timeout(HUNG_AFTER, self.events.recv()).await;
        event.expect("no event after a minute").expect("no event")
    }

    pub(crate) async fn next(&mut self) -> SupervisorEvent {
        let event = self.any().await;
        assert_eq!(event.replica, self.handle.process());
        event
    }

    pub(crate) async fn starting(&mut self) -> u32 {
        match self.next().await.news {
            News::Starting { pid } => pid,
            other => panic!("not starting but {other:?}"),
        }
    }

    pub(crate) async fn ready(&mut self) -> (String, EngineFacts, Arc<dyn Adapter>) {
        match self.next().await.news {
            News::Ready {
                url,
                facts,
                adapter,
            } => (url, facts, adapter),
            other => panic!("not ready but {other:?}"),
        }
    }

    /// The detail with the process id and the exit told as words.
    pub(crate) async fn down(&mut self, pid: u32) -> String {
        match self.next().await.news {
            News::Down { detail, exit } => {
                let exit = exit.map_or("still there".to_owned(), |exit| exit.to_string());
                format!("[{exit}] {}", detail.replace(&pid.to_string(), "PID"))
            }
            other => panic!("not down but {other:?}"),
        }
    }

    pub(crate) async fn gave_up(&mut self) -> String {
        match self.next().await.news {
            News::GaveUp { detail } => detail,
            other => panic!("not given up but {other:?}"),
        }
    }

    /// True if nothing more will ever be told.
    pub(crate) async fn is_over(&mut self) -> bool {
        let end = tokio::time::timeout(HUNG_AFTER, self.events.recv()).await;
        end.expect("no end after a minute").is_none()
    }
}

/// An engine without a process, to stand behind a script.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    pub(crate) sick: AtomicBool,
    pub(crate) loading: AtomicUsize,
    pub(crate) checks: AtomicUsize,
    pub(crate) generations: AtomicUsize,
    /// A generation takes this long to begin.
    pub(crate) slow: Mutex<Duration>,
    /// Answers a generation with this error.
    pub(crate) refuses: Mutex<Option<AdapterError>>,
    pub(crate) model_path: Mutex<Option<String>>,
}

impl Engine {
    pub(crate) fn factory(self: &Arc<Self>) -> AdapterFactory {
        let engine = Arc::clone(self);
        Arc::new(move |_| Ok(Arc::new(Face(Arc::clone(&engine)))))
    }
}

pub(crate) const DIGEST: &str =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

struct Face(Arc<Engine>);

impl Adapter for Face {
    fn health(&self) -> AdapterFuture<'_, Health> {
        let engine = &self.0;
        engine.checks.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let loads = |left: usize| left.checked_sub(1);
            if engine.sick.load(Ordering::SeqCst) {
                Err(AdapterError::Reset("it is sick".to_owned()))
            } else if engine
                .loading
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, loads)
                .is_ok()
            {
                Ok(Health::Loading)
            } else {
                Ok(Health::Ready)
            }
        })
    }

    fn facts(&self) -> AdapterFuture<'_, EngineFacts> {
        let model_path = self.0.model_path.lock().unwrap().clone();
        let model_digest = model_path.is_none().then(|| DIGEST.to_owned());
        Box::pin(async {
            Ok(EngineFacts {
                engine_version: "1".to_owned(),
                model_digest,
                model_path,
                ctx: 64,
                slots: 1,
            })
        })
    }

    fn generate(&self, generation: Generation) -> AdapterFuture<'_, GenerationStream> {
        self.0.generations.fetch_add(1, Ordering::SeqCst);
        let refuses = self.0.refuses.lock().unwrap().clone();
        let slow = *self.0.slow.lock().unwrap();
        Box::pin(async move {
            tokio::time::sleep(slow).await;
            if let Some(error) = refuses {
                return Err(error);
            }
            let tokens = (0..generation.max_tokens).map(|_| GenerationEvent::Token("a".to_owned()));
            let end = GenerationEvent::End {
                finish: Finish::Length,
                tokens_in: 1,
                tokens_out: u64::from(generation.max_tokens),
            };
            let events: Vec<_> = tokens.chain([end]).map(Ok).collect();
            Ok(Box::pin(stream::iter(events)) as GenerationStream)
        })
    }
}

/// Sends a signal to one process.
pub(crate) fn kill(pid: u32) {
    let status = Command::new("/bin/sh")
        .args(["-c", &format!("kill -9 {pid}")])
        .status();
    assert!(status.unwrap().success());
}

/// True while a process runs; one that has ended and is not yet collected does not.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = Path::new("/proc").join(pid.to_string()).join("stat");
    std::fs::read_to_string(stat).is_ok_and(|stat| {
        let state = stat.rsplit(") ").next().unwrap_or_default();
        !state.starts_with(['Z', 'X'])
    })
}

/// Waits for a process to have ended, by looking again and again: it is no child of this program.
pub(crate) fn wait_for_end(pid: u32) {
    let began = std::time::Instant::now();
    while runs(pid) {
        assert!(began.elapsed() < HUNG_AFTER, "process {pid} still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}
