//! The engine as a whole: a listener, a model, a generation thread.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::gguf::{ModelError, Source};
use crate::http::{App, router};
use crate::model::ModelFile;
use crate::slot::run_worker;
use crate::threads::become_worker;
use crate::version::engine_version;

/// How long connections may take to end once the engine is told to.
const GRACE: Duration = Duration::from_secs(2);

/// How to run an engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The model.
    pub source: Source,
    /// Host name or address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Threads for the arithmetic.
    pub threads: NonZeroUsize,
    /// Context in tokens; `None` takes the one that the model was trained with.
    pub ctx_size: Option<NonZeroUsize>,
    /// Most tokens to generate in a second; must be positive.
    pub max_tokens_per_second: Option<f64>,
    /// The model's name in replies.
    pub alias: String,
}

impl Settings {
    /// One thread, a free port of the loopback address, the model's own context and name, no throttle.
    pub fn new(source: Source) -> Self {
        Self {
            alias: source.default_alias(),
            source,
            host: "127.0.0.1".to_owned(),
            port: 0,
            threads: NonZeroUsize::MIN,
            ctx_size: None,
            max_tokens_per_second: None,
        }
    }
}

/// Why an engine did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}; choose another --port, or 0 for a free one")]
    Listen {
        /// Host and port as they were given.
        address: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// The listener failed.
    #[error("cannot accept connections: {0}")]
    Serve(io::Error),
    /// The thread that generates could not be started, or has died.
    #[error("the generation thread: {0}")]
    Thread(String),
}

/// An engine whose model file was checked and whose port is open.
pub struct Engine {
    settings: Settings,
    file: ModelFile,
    listener: TcpListener,
    address: SocketAddr,
}

impl Engine {
    /// Checks the model file and opens the port. Connections queue up until [`serve`](Self::serve).
    ///
    /// # Errors
    ///
    /// If the model cannot be used or the address cannot be listened on.
    pub async fn bind(settings: Settings) -> Result<Self, EngineError> {
        let file = ModelFile::open(&settings.source, settings.ctx_size)?;
        let refused = |error| EngineError::Listen {
            address: format!("{}:{}", settings.host, settings.port),
            error,
        };
        let listener = TcpListener::bind((settings.host.as_str(), settings.port))
            .await
            .map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self {
            settings,
            file,
            listener,
            address,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Loads the model and serves requests until `shutdown` completes.
    ///
    /// While the model is being loaded, requests are answered 503. At the end, generations are cut
    /// off (a stream without its last frame), and connections get two seconds to close.
    ///
    /// # Errors
    ///
    /// If the model cannot be loaded, or the generation thread or the listener dies.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), EngineError> {
        let app = Arc::new(App {
            alias: self.settings.alias.clone(),
            created: seconds_since_1970(),
            engine_version: engine_version(),
            model: OnceLock::new(),
            slot: Arc::default(),
        });
        let slot = Arc::clone(&app.slot);
        let died = spawn_generation(self.file, &self.settings, Arc::clone(&app))?;
        // A token is a small packet that the reader waits for.
        let listener = self.listener.tap_io(|stream| _ = stream.set_nodelay(true));
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(listener, router(app))
            .with_graceful_shutdown(async { _ = stopped.await })
            .into_future();
        let mut serving = std::pin::pin!(serving);
        let outcome = tokio::select! {
            served = &mut serving => return served.map_err(EngineError::Serve),
            () = shutdown => Ok(()),
            reason = died => Err(reason.unwrap_or_else(|_| {
                EngineError::Thread("it panicked; see standard error".to_owned())
            })),
        };
        slot.close();
        drop(stop);
        // Whether they all closed in time makes no difference: the engine ends.
        _ = tokio::time::timeout(GRACE, serving).await;
        outcome
    }
}

/// Starts the thread that loads the model and then generates. The receiver hears why it ended, which
/// it does by itself only if something is wrong.
fn spawn_generation(
    file: ModelFile,
    settings: &Settings,
    app: Arc<App>,
) -> Result<oneshot::Receiver<EngineError>, EngineError> {
    let threads = settings.threads;
    let rate = settings.max_tokens_per_second;
    let (died, death) = oneshot::channel();
    std::thread::Builder::new()
        .name("engine-generate".to_owned())
        .spawn(move || {
            if let Err(error) = load_and_generate(file, threads, rate, &app) {
                _ = died.send(error);
            }
        })
        .map_err(|error| EngineError::Thread(error.to_string()))?;
    Ok(death)
}

fn load_and_generate(
    file: ModelFile,
    threads: NonZeroUsize,
    rate: Option<f64>,
    app: &App,
) -> Result<(), EngineError> {
    let _pool = become_worker(threads).map_err(EngineError::Thread)?;
    let model = Arc::new(file.load()?);
    _ = app.model.set(Arc::clone(&model));
    run_worker(&model, &app.slot, rate);
    Ok(())
}

pub(crate) fn seconds_since_1970() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
