//! After the chaos: waits until everything is at rest, and looks at everything once more.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use test_harness_history::{Answer, Event, Phase, State, TaskId};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::load::{Asker, Crowd, Pace, Reading, Source, Way};
use crate::recorder::Recorder;
use crate::round::RoundError;
use crate::world::World;

/// How long clients may take to end what they have begun once everything works again, and then the rest of
/// the queue to come to rest. Whatever takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(45);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// Looks and readers under way at once.
const SIDE_BY_SIDE: usize = 16;
/// Connections that a reader may need in quiet.
const CONNECTIONS: u32 = 5;

/// Reads to the end without a pause.
const WHOLE: Pace = Pace {
    pause_ms: 0,
    leave_after: None,
};

/// Looks at everything.
pub(crate) struct Sweep<'a> {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) world: &'a mut World,
    pub(crate) crowd: &'a mut Crowd,
    pub(crate) asker: Asker,
}

impl Sweep<'_> {
    /// Heals, waits, and looks at everything twice, with a restart in between.
    pub(crate) async fn run(mut self) -> Result<(), RoundError> {
        self.heal().await?;
        // Where something is broken already, there is nothing to wait for.
        let patience = match self.recorder.broken() {
            true => Duration::ZERO,
            false => PATIENCE,
        };
        self.crowd.disperse(patience).await;
        self.until_at_rest(patience).await;
        self.recorder.see(Event::Phase(Phase::Over));
        let tasks = self.tasks().await;
        self.look_at_all(&tasks).await;
        self.read_all(&tasks).await;
        answered(&self.recorder, &self.asker.meter().await);
        self.world.restart_in_order()?;
        self.look_at_all(&tasks).await;
        for state in State::ALL.into_iter().map(Some).chain([None]) {
            answered(&self.recorder, &self.asker.census(state).await);
        }
        Ok(())
    }

    /// Everything works from now on.
    async fn heal(&mut self) -> Result<(), RoundError> {
        self.world.look_after();
        for engine in &mut self.world.attached {
            engine.revive()?;
        }
        self.recorder.see(Event::Phase(Phase::Healed));
        if !until_ready(&self.asker).await {
            self.recorder
                .odd("everything works, and the daemon is not ready".to_owned());
        }
        Ok(())
    }

    /// Waits until no task moves any more. Parked ones wait for a person, who cancels them.
    async fn until_at_rest(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            let listed = match self.asker.census(None).await {
                Answer::Census(listed) => listed,
                _ => Vec::new(),
            };
            let parked = listed.iter().filter(|row| row.state == State::Parked);
            for row in parked {
                self.asker.cancel(row.task).await;
            }
            if !listed.is_empty() && listed.iter().all(|row| row.state.is_final()) {
                return;
            }
            sleep(PAUSE).await;
        }
    }

    /// Every task that there is.
    async fn tasks(&self) -> BTreeSet<TaskId> {
        match self.asker.census(None).await {
            Answer::Census(listed) => listed.iter().map(|row| row.task).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Reads record and result of every task, those that were acknowledged and are not listed included.
    async fn look_at_all(&self, listed: &BTreeSet<TaskId>) {
        let mut looks = JoinSet::new();
        let tasks: BTreeSet<TaskId> = self.recorder.accepted().union(listed).copied().collect();
        for task in tasks {
            let asker = self.asker.clone();
            looks.spawn(async move {
                answered(&asker.recorder, &asker.record(task).await);
                answered(&asker.recorder, &asker.result(task).await);
            });
            if looks.len() >= SIDE_BY_SIDE {
                looks.join_next().await;
            }
        }
        while looks.join_next().await.is_some() {}
    }

    /// Lets every reader that was interrupted read on, and a new one read every text.
    async fn read_all(&self, tasks: &BTreeSet<TaskId>) {
        let unfinished = self.crowd.readings.unfinished();
        let fresh = tasks
            .iter()
            .map(|task| Reading::new(&self.recorder, *task, u64::MAX));
        let mut readers = JoinSet::new();
        for reading in unfinished.into_iter().chain(fresh) {
            readers.spawn(read(self.crowd.source(), reading));
            if readers.len() >= SIDE_BY_SIDE {
                readers.join_next().await;
            }
        }
        while readers.join_next().await.is_some() {}
    }
}

/// Waits until the daemon is ready, and says whether it is.
pub(crate) async fn until_ready(asker: &Asker) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !asker.ready().await {
        if Instant::now() >= deadline {
            return false;
        }
        sleep(PAUSE).await;
    }
    true
}

/// In quiet every question is answered.
fn answered(recorder: &Recorder, answer: &Answer) {
    if matches!(answer, Answer::InDoubt | Answer::Refused { .. }) {
        recorder.odd(format!("asked in quiet, the daemon gave {answer}"));
    }
}

/// Reads to the end.
async fn read(source: Source, mut reading: Reading) {
    for _ in 0..CONNECTIONS {
        match reading.connect(&source, WHOLE).await {
            Way::Ended => return,
            Way::Broken | Way::Left | Way::Refused | Way::Silent => sleep(PAUSE).await,
        }
    }
    let Reading { reader, task, .. } = reading;
    source.recorder.odd(format!(
        "reader {reader} of {task} was not told of the end in quiet"
    ));
}
