//! The real parts of a round: one daemon, its engines, engines that others run, and the links between them.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use test_harness_history::{ClientId, DaemonId, Event, LinkEvent, Process, ProcessEvent};
use test_harness_support::{Daemon, DaemonOptions, Signal, StartError, signal};
use thiserror::Error;

use crate::dice::Dice;
use crate::engine::{Engine, EngineError};
use crate::proxy::Link;
use crate::recorder::Recorder;
use crate::sabotage::Sabotage;
use crate::strike::Break;

/// The one daemon of a round.
const DAEMON: DaemonId = 0;
/// All clients, as one end of a link.
const CLIENTS: ClientId = 0;
/// Throttle of every engine: slow enough to be struck in the middle of a text.
const TOKENS_PER_SECOND: u32 = 120;
/// Engines that others run.
const ATTACHED: usize = 2;

/// Why the parts of a round do not work.
#[derive(Debug, Error)]
pub enum WorldError {
    /// A daemon did not come up although nobody did it any harm.
    #[error(transparent)]
    Daemon(#[from] StartError),
    /// An engine did not.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no port for a link.
    #[error("there is no port for a link: {0}")]
    Link(#[from] io::Error),
}

/// The real parts of a round. Dropping it ends them.
pub(crate) struct World {
    recorder: Arc<Recorder>,
    daemon: Daemon,
    /// From clients to the daemon.
    pub(crate) front: Link,
    pub(crate) attached: Vec<Engine>,
    /// How long the daemon took to accept requests, each time it was started.
    pub(crate) recoveries: Vec<Duration>,
    /// Whether the disk forgets.
    forgets: bool,
}

impl World {
    /// Starts everything. Limits are drawn.
    pub(crate) async fn start(
        recorder: &Arc<Recorder>,
        dice: &mut Dice,
        sabotage: Option<Sabotage>,
    ) -> Result<Self, WorldError> {
        let front = Link::new(None).await?;
        front.lie(sabotage == Some(Sabotage::LyingWire));
        let mut attached = Vec::new();
        for index in 0..ATTACHED {
            let name = format!("far-{index}");
            attached.push(Engine::start(recorder, name, TOKENS_PER_SECOND).await?);
        }
        let urls: Vec<String> = attached.iter().map(|engine| engine.link.url()).collect();
        let options = DaemonOptions {
            config: Some(config(dice, &urls)),
            apart: true,
            ..DaemonOptions::default()
        };
        tell(recorder, ProcessEvent::Started { epoch: None });
        let daemon = Daemon::try_start(options)?;
        let mut world = Self {
            recorder: Arc::clone(recorder),
            daemon,
            front,
            attached,
            recoveries: Vec::new(),
            forgets: sabotage == Some(Sabotage::ForgetfulDisk),
        };
        world.begin_anew(dice)?;
        Ok(world)
    }

    /// Begins with no data once more, and kills the daemon while it makes them.
    fn begin_anew(&mut self, dice: &mut Dice) -> Result<(), WorldError> {
        self.kill_daemon();
        fs::remove_dir_all(self.daemon.data_dir())?;
        for _ in 0..dice.range(0, 3) {
            self.revive_and_kill(Duration::from_millis(dice.range(1, 60)))?;
        }
        self.revive_daemon()
    }

    /// The daemon accepts requests.
    fn up(&mut self, since: Instant) {
        self.recoveries.push(since.elapsed());
        let address = self.daemon.url().strip_prefix("http://");
        let address: Option<SocketAddr> = address.and_then(|text| text.parse().ok());
        if address.is_none() {
            let url = self.daemon.url();
            self.recorder
                .odd(format!("the daemon says that it listens on {url}"));
        }
        self.front.lead_to(address);
        tell(&self.recorder, ProcessEvent::Ready);
    }

    /// Kills the daemon.
    pub(crate) fn kill_daemon(&mut self) {
        self.look_after();
        tell(&self.recorder, ProcessEvent::Killed);
        self.daemon.kill();
        self.front.lead_to(None);
        if self.forgets
            && let Err(error) = self.forget()
        {
            self.recorder
                .odd(format!("the disk could not be made to forget: {error}"));
        }
    }

    /// Puts the data back to what they were when the daemon was killed before, and keeps what they are now for
    /// the next time.
    fn forget(&self) -> io::Result<()> {
        let (data, before) = (self.daemon.data_dir(), self.daemon.dir().join("before"));
        let now = self.daemon.dir().join("now");
        copy_files(&data, &now)?;
        if before.exists() {
            fs::remove_dir_all(&data)?;
            copy_files(&before, &data)?;
            fs::remove_dir_all(&before)?;
        }
        fs::rename(now, before)
    }

    /// Starts the daemon again.
    pub(crate) fn revive_daemon(&mut self) -> Result<(), WorldError> {
        tell(&self.recorder, ProcessEvent::Started { epoch: None });
        let began = Instant::now();
        self.daemon.try_restart()?;
        self.up(began);
        Ok(())
    }

    /// Starts the daemon again and kills it after a time. True if it accepted requests by then.
    pub(crate) fn revive_and_kill(&mut self, after: Duration) -> Result<bool, WorldError> {
        tell(&self.recorder, ProcessEvent::Started { epoch: None });
        let ready = self.daemon.restart_and_kill(after)?;
        tell(&self.recorder, ProcessEvent::Killed);
        Ok(ready)
    }

    /// Asks the daemon to end, and starts it again.
    pub(crate) fn restart_in_order(&mut self) -> Result<(), WorldError> {
        let status = self.daemon.try_terminate()?;
        tell(&self.recorder, ProcessEvent::Ended);
        if !status.success() {
            self.recorder
                .odd(format!("asked to end, the daemon ended with {status}"));
        }
        self.revive_daemon()
    }

    /// Starts another daemon on the data of the one that runs, which must refuse to come up.
    pub(crate) fn rival(&self) {
        let options = DaemonOptions {
            apart: true,
            ..DaemonOptions::default().data_dir(&self.daemon.data_dir())
        };
        match Daemon::try_start(options) {
            Err(StartError::Ended { .. }) => {}
            Err(error) => self.recorder.odd(format!("another daemon: {error}")),
            Ok(_) => self
                .recorder
                .odd("two daemons came up on one set of data".to_owned()),
        }
    }

    /// Lets the daemon stand still, or go on.
    pub(crate) fn pause_daemon(&self, paused: bool) {
        let (event, told) = pausing(paused);
        tell(&self.recorder, event);
        if let Err(error) = signal(self.daemon.pid(), told) {
            self.recorder.odd(format!("the daemon: {error}"));
        }
    }

    /// Processes that the daemon has started at this moment.
    pub(crate) fn children(&self) -> Vec<u32> {
        self.daemon.engine_pids()
    }

    /// Tells an engine of the daemon something, if it still is one. The daemon sees to the rest.
    pub(crate) fn strike_child(&self, pid: u32, told: Signal) {
        if !self.children().contains(&pid) {
            return;
        }
        let event = match told {
            Signal::Continue => ProcessEvent::Resumed,
            Signal::Stop => ProcessEvent::Paused,
            Signal::Interrupt | Signal::Kill | Signal::Terminate => ProcessEvent::Killed,
        };
        self.recorder.see(Event::Process {
            process: Process::Engine(format!("near, process {pid}")),
            event,
        });
        // One that has ended in between is as dead.
        let _gone = signal(pid, told);
    }

    /// Breaks the link between clients and daemon.
    pub(crate) fn sever_front(&self, how: Break) {
        let event = match how {
            Break::Cut | Break::Close => LinkEvent::Cut,
            Break::HalfClose => LinkEvent::HalfClosed,
            Break::Stall => LinkEvent::Stalled,
        };
        self.tell_front(event);
        self.front.sever(how);
    }

    /// Lets everything pass again between clients and daemon.
    pub(crate) fn restore_front(&self) {
        self.tell_front(LinkEvent::Restored);
        self.front.restore();
    }

    fn tell_front(&self, event: LinkEvent) {
        self.recorder.see(Event::Link {
            from: Process::Client(CLIENTS),
            to: Process::Daemon(DAEMON),
            event,
        });
    }

    /// A daemon never ends by itself.
    pub(crate) fn look_after(&mut self) {
        if let Ok(Some(status)) = self.daemon.ended() {
            self.recorder
                .odd(format!("the daemon ended by itself: {status}"));
        }
    }

    /// Lines of the daemon's log that tell of a bug.
    pub(crate) fn alarms(&self) -> Vec<String> {
        let log = self.daemon.log();
        let alarming = |line: &&str| line.contains("panicked at") || line.contains(" ERROR ");
        log.lines().filter(alarming).map(str::to_owned).collect()
    }

    /// Ends everything and leaves the daemon's directory where it is.
    pub(crate) fn keep(self) -> PathBuf {
        self.daemon.keep()
    }
}

fn tell(recorder: &Recorder, event: ProcessEvent) {
    recorder.see(Event::Process {
        process: Process::Daemon(DAEMON),
        event,
    });
}

/// Copies the files of a folder into another one, which is made.
fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn pausing(paused: bool) -> (ProcessEvent, Signal) {
    match paused {
        true => (ProcessEvent::Paused, Signal::Stop),
        false => (ProcessEvent::Resumed, Signal::Continue),
    }
}

/// A configuration with small queues, short times and drawn limits.
fn config(dice: &mut Dice, urls: &[String]) -> String {
    let urls: Vec<String> = urls.iter().map(|url| format!("{url:?}")).collect();
    let times = "first_token_timeout_ms = 2000\nidle_timeout_ms = 1000\nready_timeout_ms = 20000\n";
    format!(
        "[queue]\nage_after_ms = 2000\n\n\
         [[queue.class]]\nname = \"interactive\"\ncapacity = {}\nweight = 8\n\n\
         [[queue.class]]\nname = \"batch\"\ncapacity = {}\nfull_policy = \"drop-lru\"\n\n\
         [session]\nturns_max = 4\nttl_ms = 3000\n\n\
         [retry]\nfailures_max = {}\ninterruptions_max = {}\nbackoff_base_ms = 50\nbackoff_cap_ms = 1000\n\n\
         [[pool]]\nid = \"near\"\nmodel_ref = \"near\"\nreplicas = 2\nmax_tokens_per_second = {TOKENS_PER_SECOND}\n\
         restarts_max = 1000\nrestart_window_ms = 1000\n{times}\n\
         [[pool]]\nid = \"far\"\nengine = \"llamacpp\"\nmodel_ref = \"far\"\nurls = [{}]\n{times}",
        dice.range(3, 30),
        dice.range(3, 20),
        dice.range(1, 5),
        dice.range(1, 8),
        urls.join(", "),
    )
}
