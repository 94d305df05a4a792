//! Does what the lifecycle says, to a real process and on a real clock.

mod waiting;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};

use crate::digest::Digests;
use crate::event::{News, SupervisorEvent};
use crate::lifecycle::{DownReason, Input, Lifecycle, Notice, Output};
use crate::output::{self, Tail};
use crate::process::Process;
use crate::readiness::{self, Progress, Proven};
use crate::spec::{EngineSpec, ReplicaSpec};
use waiting::{check, done, heard, reached};

/// How long the last lines of a process that has ended are waited for: something that it started itself may
/// hold its output open.
const LAST_LINES: Duration = Duration::from_millis(500);

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Starts the task of one supervised process.
pub(crate) fn spawn(
    spec: EngineSpec,
    replicas: Vec<ReplicaSpec>,
    events: mpsc::Sender<SupervisorEvent>,
    stop: oneshot::Receiver<()>,
) -> JoinHandle<()> {
    let driver = Driver {
        lifecycle: Lifecycle::new(spec.policy),
        spec,
        replicas,
        events,
        stop: Some(stop),
        epoch: Instant::now(),
        digests: Digests::default(),
        runs: 0,
        run: None,
        last_exit: None,
        last_failure: String::new(),
    };
    tokio::spawn(driver.supervise())
}

struct Driver {
    lifecycle: Lifecycle,
    spec: EngineSpec,
    /// Those that live in the process.
    replicas: Vec<ReplicaSpec>,
    events: mpsc::Sender<SupervisorEvent>,
    /// Gone once it was heard.
    stop: Option<oneshot::Receiver<()>>,
    epoch: Instant,
    digests: Digests,
    runs: u32,
    run: Option<Run>,
    last_exit: Option<ExitStatus>,
    /// The detail of the last `Down`.
    last_failure: String,
}

/// What belongs to one run of the process, and ends with it.
struct Run {
    process: Process,
    /// Read its output to the end.
    readers: JoinSet<()>,
    tail: Tail,
    progress: Progress,
    proof: Option<Work<Result<Vec<Proven>, String>>>,
    check: Option<Work<Result<(), String>>>,
    /// One for each replica, once the process is proven.
    proven: Option<Vec<Proven>>,
    /// What is wrong, found by the proof or by the last health check.
    fault: String,
}

/// What happened to a run.
enum Happened {
    Ended(io::Result<ExitStatus>),
    Proof(Result<Vec<Proven>, String>),
    Check(Result<(), String>),
}

impl Driver {
    async fn supervise(mut self) {
        self.step(Input::Start);
        loop {
            while let Some(output) = self.lifecycle.poll() {
                self.perform(output).await;
            }
            if self.lifecycle.is_over() {
                return;
            }
            if let Some(input) = self.next_input().await {
                self.step(input);
            }
        }
    }

    fn step(&mut self, input: Input) {
        let entropy = RandomState::new().hash_one(());
        self.lifecycle.step(self.epoch.elapsed(), entropy, input);
    }

    async fn perform(&mut self, output: Output) {
        match output {
            Output::Spawn => self.start(),
            Output::CloseStdin => {
                if let Some(run) = &mut self.run {
                    run.give_up();
                    run.process.close_stdin();
                }
            }
            Output::Kill => {
                if let Some(run) = &mut self.run {
                    run.give_up();
                    run.process.kill();
                }
            }
            Output::CheckHealth => self.check_health(),
            Output::Tell(notice) => self.tell(notice).await,
        }
    }

    fn start(&mut self) {
        self.runs += 1;
        match Process::start(&self.spec) {
            Ok((process, stdout, stderr)) => {
                let (url_sender, url) = oneshot::channel();
                let name = || self.spec.process.clone();
                let (tail, progress) = (Tail::default(), Progress::new());
                let mut readers = JoinSet::new();
                readers.spawn(output::watch_stdout(name(), stdout, url_sender));
                readers.spawn(output::watch_stderr(name(), stderr, tail.clone()));
                self.run = Some(Run {
                    process,
                    readers,
                    proof: Some(Box::pin(readiness::prove(
                        url,
                        self.replicas.clone(),
                        self.digests.clone(),
                        progress.clone(),
                    ))),
                    tail,
                    progress,
                    check: None,
                    proven: None,
                    fault: String::new(),
                });
                self.step(Input::Spawned);
            }
            Err(error) => {
                self.last_exit = None;
                self.last_failure = format!(
                    "{} cannot be started: {error}; check that the path is right and that the file may be executed",
                    self.spec.command.display()
                );
                self.step(Input::SpawnFailed);
            }
        }
    }

    fn check_health(&mut self) {
        let timeout_after = self.spec.policy.watch.timeout;
        if let Some(run) = &mut self.run
            && let Some(first) = run.proven.as_ref().and_then(|proven| proven.first())
        {
            // The health of one is that of the process.
            let adapter = Arc::clone(&first.adapter);
            run.check = Some(Box::pin(check(adapter, timeout_after)));
        }
    }

    /// Waits for the next thing that happens; `None` if it means nothing for the lifecycle.
    async fn next_input(&mut self) -> Option<Input> {
        let wake = self.lifecycle.next_wake().map(|wake| self.epoch + wake);
        let happened = tokio::select! {
            biased;
            () = heard(&mut self.stop) => {
                self.stop = None;
                return Some(Input::Stop);
            }
            happened = happened(&mut self.run) => happened,
            () = reached(wake) => return Some(Input::Wake),
        };
        let run = self.run.as_mut()?;
        match happened {
            Happened::Ended(exit) => {
                self.note_exit(exit).await;
                Some(Input::Exited)
            }
            Happened::Proof(Ok(proven)) => {
                run.proven = Some(proven);
                Some(Input::Proved)
            }
            Happened::Proof(Err(fault)) => {
                run.fault = fault;
                Some(Input::Unproved)
            }
            Happened::Check(Ok(())) => Some(Input::HealthGood),
            Happened::Check(Err(fault)) => {
                tracing::warn!(
                    process = self.spec.process,
                    "a health check failed: {fault}"
                );
                run.fault = fault;
                Some(Input::HealthMissed)
            }
        }
    }

    /// The process has ended: takes its last lines and forgets it.
    async fn note_exit(&mut self, exit: io::Result<ExitStatus>) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        // A time-out only means that the last lines are incomplete.
        let _ = timeout(LAST_LINES, async {
            while run.readers.join_next().await.is_some() {}
        })
        .await;
        let when = if run.proven.is_some() {
            ""
        } else {
            " before it was ready"
        };
        let how = match &exit {
            Ok(status) => status.to_string(),
            Err(error) => format!("in a way that cannot be told: {error}"),
        };
        self.last_exit = exit.ok();
        self.last_failure = format!(
            "{} (pid {}) ended{when}: {how}{}",
            self.spec.command.display(),
            run.process.pid(),
            run.tail.as_suffix()
        );
    }

    /// Tells it of every replica of the process, unless it is stopped meanwhile.
    async fn tell(&mut self, notice: Notice) {
        for (replica, news) in self.news(notice) {
            tracing::debug!(replica, run = self.runs, "{news:?}");
            let event = SupervisorEvent {
                replica,
                run: self.runs,
                news,
            };
            tokio::select! {
                biased;
                () = heard(&mut self.stop) => {
                    self.stop = None;
                    return self.step(Input::Stop);
                }
                // A reader that is gone wants to know nothing.
                _ = self.events.send(event) => {}
            }
        }
    }

    /// What a notice means for each replica.
    fn news(&mut self, notice: Notice) -> Vec<(String, News)> {
        let pid = self.run.as_ref().map(|run| run.process.pid());
        match notice {
            Notice::Starting => {
                let Some(pid) = pid else { return Vec::new() };
                self.of_each(|_| News::Starting { pid })
            }
            Notice::Ready => self.run.as_ref().map(Run::ready).unwrap_or_default(),
            Notice::Down(reason) => {
                let down = self.down(reason);
                self.of_each(|_| down.clone())
            }
            Notice::GaveUp => self.of_each(|replica| self.gave_up(replica)),
        }
    }

    fn of_each(&self, news: impl Fn(&str) -> News) -> Vec<(String, News)> {
        let each = self.replicas.iter();
        each.map(|replica| (replica.name.clone(), news(&replica.name)))
            .collect()
    }

    fn down(&mut self, reason: DownReason) -> News {
        let policy = &self.spec.policy;
        let what = match (reason, &self.run) {
            (DownReason::NotReadyInTime, Some(run)) => Some(format!(
                "was not ready after {} ms (give it longer if it is only slow): {}",
                policy.ready_timeout.as_millis(),
                run.progress.clause()
            )),
            (DownReason::Unproved, Some(run)) => Some(format!("cannot be used: {}", run.fault)),
            (DownReason::Unhealthy, Some(run)) => Some(format!(
                "missed {} health checks in a row; the last: {}",
                policy.watch.misses, run.fault
            )),
            // Told when it was noted.
            _ => None,
        };
        if let (Some(what), Some(run)) = (what, &self.run) {
            self.last_exit = None;
            self.last_failure = format!(
                "{} (pid {}) {what}{}",
                self.spec.command.display(),
                run.process.pid(),
                run.tail.as_suffix()
            );
        }
        News::Down {
            detail: self.last_failure.clone(),
            exit: self.last_exit,
        }
    }

    fn gave_up(&self, replica: &str) -> News {
        let budget = self.spec.policy.budget;
        let why = match budget.restarts {
            0 => "it failed, and no restarts are allowed".to_owned(),
            restarts => format!(
                "it failed again after {restarts} restarts within {} s",
                budget.window.as_secs()
            ),
        };
        News::GaveUp {
            detail: format!(
                "replica {replica} stays down: {why}; mend the cause and start it again. The last failure: {}",
                self.last_failure
            ),
        }
    }
}

impl Run {
    /// Forgets what is asked of the process, which is about to end.
    fn give_up(&mut self) {
        self.proof = None;
        self.check = None;
    }

    fn ready(&self) -> Vec<(String, News)> {
        let proven = self.proven.iter().flatten();
        let ready = |one: &Proven| News::Ready {
            url: one.url.clone(),
            facts: one.facts.clone(),
            adapter: Arc::clone(&one.adapter),
        };
        proven
            .map(|one| (one.replica.clone(), ready(one)))
            .collect()
    }
}

/// What happens next to a run; nothing where there is none.
async fn happened(run: &mut Option<Run>) -> Happened {
    let Some(run) = run else {
        return std::future::pending().await;
    };
    tokio::select! {
        biased;
        exit = run.process.ended() => Happened::Ended(exit),
        proof = done(&mut run.proof) => Happened::Proof(proof),
        check = done(&mut run.check) => Happened::Check(check),
    }
}
