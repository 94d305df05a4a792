//! The engine as a whole: a listener, a thread that generates, and one that brings models in.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::gguf::{ModelError, Source};
use crate::holder::run_loader;
use crate::http::{App, router};
use crate::model::{KnownDigest, ModelFile};
use crate::slot::run_worker;
use crate::threads::become_worker;
use crate::version::engine_version;

/// How long connections may take to end once the engine is told to.
const GRACE: Duration = Duration::from_secs(2);

/// How to run an engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The models, at least one, each with a name of its own. One of them is in memory at a time; the first
    /// is the one that comes first.
    pub models: Vec<ServedModel>,
    /// Host name or address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Threads for the arithmetic.
    pub threads: NonZeroUsize,
    /// Most tokens to generate in a second; must be positive.
    pub max_tokens_per_second: Option<f64>,
}

/// One model that an engine serves.
#[derive(Clone, Debug)]
pub struct ServedModel {
    /// Where its bytes come from.
    pub source: Source,
    /// Context in tokens; `None` takes the one that the model was trained with.
    pub ctx_size: Option<NonZeroUsize>,
    /// Its name in requests and replies.
    pub alias: String,
}

impl ServedModel {
    fn open(&self) -> Result<ModelFile, ModelError> {
        ModelFile::open(&self.source, self.ctx_size)
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
    /// A thread could not be started, or has died.
    #[error("a thread of the engine: {0}")]
    Thread(String),
}

/// An engine whose model files were checked and whose port is open.
pub struct Engine {
    settings: Settings,
    listener: TcpListener,
    address: SocketAddr,
}

impl Engine {
    /// Checks the model files and opens the port. Connections queue up until [`serve`](Self::serve).
    ///
    /// # Errors
    ///
    /// If a model cannot be used or the address cannot be listened on.
    pub async fn bind(settings: Settings) -> Result<Self, EngineError> {
        for model in &settings.models {
            // Each by itself, and let go again: a vocabulary alone may take many megabytes.
            drop(model.open()?);
        }
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
            listener,
            address,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Loads the first model and serves requests until `shutdown` completes.
    ///
    /// Until that model is loaded, requests are answered 503. At the end, generations are cut off (a stream
    /// without its last frame), and connections get two seconds to close.
    ///
    /// # Errors
    ///
    /// If the first model cannot be loaded, or a thread of the engine or the listener dies.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), EngineError> {
        let models = self.settings.models;
        let app = Arc::new(App {
            aliases: models.iter().map(|model| model.alias.clone()).collect(),
            created: seconds_since_1970(),
            engine_version: engine_version(),
            holder: Arc::default(),
            slot: Arc::default(),
        });
        let (slot, holder) = (Arc::clone(&app.slot), Arc::clone(&app.holder));
        let threads = self.settings.threads;
        let rate = self.settings.max_tokens_per_second;
        let generation_died = spawn("engine-generate", {
            let slot = Arc::clone(&slot);
            move || {
                let _pool = become_worker(threads).map_err(EngineError::Thread)?;
                run_worker(&slot, rate);
                Ok(())
            }
        })?;
        let loading_died = spawn("engine-load", {
            let holder = Arc::clone(&holder);
            let mut known: Vec<_> = models.iter().map(|_| KnownDigest::default()).collect();
            move || {
                let load = |index: usize| models[index].open()?.load_with(&mut known[index]);
                Ok(run_loader(&holder, load)?)
            }
        })?;
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
            reason = death(generation_died) => Err(reason),
            reason = death(loading_died) => Err(reason),
        };
        slot.close();
        holder.close();
        drop(stop);
        // Whether they all closed in time makes no difference: the engine ends.
        _ = tokio::time::timeout(GRACE, serving).await;
        outcome
    }
}

/// Starts a thread. The receiver hears why it ended, which it does by itself only if something is wrong.
fn spawn(
    name: &str,
    work: impl FnOnce() -> Result<(), EngineError> + Send + 'static,
) -> Result<oneshot::Receiver<EngineError>, EngineError> {
    let (died, death) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            if let Err(error) = work() {
                _ = died.send(error);
            }
        })
        .map_err(|error| EngineError::Thread(error.to_string()))?;
    Ok(death)
}

/// Why a thread has ended.
async fn death(died: oneshot::Receiver<EngineError>) -> EngineError {
    died.await
        .unwrap_or_else(|_| EngineError::Thread("it panicked; see standard error".to_owned()))
}

pub(crate) fn seconds_since_1970() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
