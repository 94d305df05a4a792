//! An engine that no daemon supervises.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use test_harness_history::{Event, LinkEvent, Process, ProcessEvent};
use test_harness_support::{MissingProgram, Signal, find_program, signal};
use thiserror::Error;

use crate::proxy::{Generations, Link};
use crate::recorder::Recorder;
use crate::strike::Break;

/// Why an engine does not run.
#[derive(Debug, Error)]
pub enum EngineError {
    /// Its program was not built.
    #[error(transparent)]
    Missing(#[from] MissingProgram),
    /// The operating system refused something.
    #[error("an engine cannot be started: {0}")]
    NotStarted(#[from] io::Error),
    /// It said something else than where it listens.
    #[error("an engine said `{0}` instead of where it listens")]
    Silent(String),
}

/// An engine that no daemon supervises, behind a link that keeps its address.
pub(crate) struct Engine {
    name: String,
    recorder: Arc<Recorder>,
    tokens_per_second: u32,
    pub(crate) link: Link,
    child: Option<Child>,
}

impl Engine {
    /// Starts one.
    pub(crate) async fn start(
        recorder: &Arc<Recorder>,
        name: String,
        tokens_per_second: u32,
    ) -> Result<Self, EngineError> {
        let generations = Generations {
            recorder: Arc::clone(recorder),
            engine: name.clone(),
        };
        let link = Link::new(Some(Arc::new(generations))).await?;
        let mut engine = Self {
            name,
            recorder: Arc::clone(recorder),
            tokens_per_second,
            link,
            child: None,
        };
        engine.revive()?;
        Ok(engine)
    }

    /// Starts it again, unless it runs.
    pub(crate) fn revive(&mut self) -> Result<(), EngineError> {
        if self.child.is_some() {
            return Ok(());
        }
        self.tell(ProcessEvent::Started { epoch: None });
        let mut child = Command::new(find_program("orch-engine")?)
            .args(["--port", "0"])
            .args([
                "--max-tokens-per-second",
                &self.tokens_per_second.to_string(),
            ])
            // Its standard input ends with this process, and so it does.
            .arg("--exit-on-stdin-eof")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        let said = child.stdout.take().expect("standard output is a pipe");
        let read = BufReader::new(said).read_line(&mut line);
        self.child = Some(child);
        read?;
        let address = line.trim().strip_prefix("listening on http://");
        let address: Option<SocketAddr> = address.and_then(|text| text.parse().ok());
        let address = address.ok_or_else(|| EngineError::Silent(line.trim().to_owned()))?;
        self.link.lead_to(Some(address));
        self.tell(ProcessEvent::Ready);
        Ok(())
    }

    /// Kills it, if it runs.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        self.tell(ProcessEvent::Killed);
        // A child of ours that has ended already is as dead.
        let _gone = child.kill();
        let _reaped = child.wait();
        self.link.lead_to(None);
    }

    /// Lets it stand still, or go on.
    pub(crate) fn pause(&self, paused: bool) {
        let Some(child) = &self.child else { return };
        let (event, told) = match paused {
            true => (ProcessEvent::Paused, Signal::Stop),
            false => (ProcessEvent::Resumed, Signal::Continue),
        };
        self.tell(event);
        if let Err(error) = signal(child.id(), told) {
            self.recorder.odd(format!("engine {}: {error}", self.name));
        }
    }

    /// Breaks the link between the daemon and it.
    pub(crate) fn sever(&self, how: Break) {
        let event = match how {
            Break::Cut | Break::Close => LinkEvent::Cut,
            Break::HalfClose => LinkEvent::HalfClosed,
            Break::Stall => LinkEvent::Stalled,
        };
        self.tell_link(event);
        self.link.sever(how);
    }

    /// Lets everything pass again.
    pub(crate) fn restore(&self) {
        self.tell_link(LinkEvent::Restored);
        self.link.restore();
    }

    fn tell(&self, event: ProcessEvent) {
        self.recorder.see(Event::Process {
            process: Process::Engine(self.name.clone()),
            event,
        });
    }

    fn tell_link(&self, event: LinkEvent) {
        self.recorder.see(Event::Link {
            from: Process::Daemon(0),
            to: Process::Engine(self.name.clone()),
            event,
        });
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _gone = child.kill();
            let _reaped = child.wait();
        }
    }
}
