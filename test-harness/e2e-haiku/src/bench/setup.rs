//! The daemon that is measured.

use std::path::{Path, PathBuf};
use std::time::Duration;

use api_client::{Client, Options};
use test_harness_support::{Daemon, DaemonOptions, find_program};

use super::args::BenchError;
use crate::wait::until;

/// Which programs are measured.
pub(super) struct Setup {
    /// The daemon's program; the engine's lies beside it.
    pub(super) daemon: PathBuf,
}

/// A daemon that is ready, and a client of it.
pub(super) struct Subject {
    pub(super) daemon: Daemon,
    pub(super) client: Client,
}

impl Setup {
    pub(super) fn new(binaries: Option<&Path>) -> Result<Self, BenchError> {
        let daemon = match binaries {
            None => find_program("orchestratord").unwrap_or_else(|missing| missing.path),
            Some(dir) => dir.join(format!("orchestratord{}", std::env::consts::EXE_SUFFIX)),
        };
        match daemon.canonicalize() {
            Ok(daemon) => Ok(Self { daemon }),
            Err(_) => Err(BenchError::NothingThere(daemon)),
        }
    }

    /// The engine's program, which lies beside the daemon's.
    pub(super) fn engine(&self) -> PathBuf {
        let name = format!("orch-engine{}", std::env::consts::EXE_SUFFIX);
        self.daemon.with_file_name(name)
    }

    /// A daemon with this configuration, once it is ready.
    pub(super) async fn start(&self, config: &str) -> Result<Subject, BenchError> {
        let subject = self.listening(config).await?;
        until("the daemon is ready", async || {
            subject.client.readiness_get().await.ok()
        })
        .await?;
        Ok(subject)
    }

    /// A daemon with this configuration that listens, and may not be ready.
    pub(super) async fn listening(&self, config: &str) -> Result<Subject, BenchError> {
        let options = DaemonOptions {
            program: Some(self.daemon.clone()),
            config: Some(config.to_owned()),
            ..DaemonOptions::default()
        };
        let daemon = Daemon::try_start(options)?;
        let options = Options {
            silence_timeout: Duration::from_secs(120),
            ..Options::default()
        };
        let client = Client::with_options(daemon.url(), options)?;
        Ok(Subject { daemon, client })
    }
}
