//! One client, doing one thing after the other.

use std::time::Duration;

use test_harness_history::{Answer, State, TaskId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::asker::Asker;
use super::body::Body;
use super::reading::{Pace, Reading, Source, Way};
use crate::dice::Dice;

/// Pause before a broken connection is made again.
const COMEBACK: Duration = Duration::from_millis(60);
/// Tries of a submission whose outcome is not known.
const TRIES: u32 = 60;
/// Connections of one reader before it gives up; whoever sweeps up afterwards continues it.
const CONNECTIONS: u32 = 400;

/// What a client does next.
#[derive(Clone, Copy, Debug)]
enum Habit {
    /// Lists what there is, or looks at the meter.
    Audit,
    /// Reads a task while somebody cancels it.
    CancelMidStream,
    /// Cancels what was just accepted.
    CancelAtOnce,
    /// Several read one task.
    Crowd,
    /// Hands over the same twice at once, and something else under the same id.
    Duplicate,
    /// Hands over many at once and reads none.
    Flood,
    /// Hands one over and goes.
    Forget,
    /// Reads slowly.
    Linger,
    /// Looks again at a task of anybody's, however old.
    Revisit,
    /// Hands over turn after turn of a session, until there are no more.
    Session,
    /// Reads to the end, leaving and coming back on the way.
    Watch,
    /// Reads one that is cancelled when its reader stays away.
    WhileRead,
}

const HABITS: [(Habit, u64); 12] = [
    (Habit::Audit, 3),
    (Habit::CancelMidStream, 14),
    (Habit::CancelAtOnce, 5),
    (Habit::Crowd, 12),
    (Habit::Duplicate, 12),
    (Habit::Flood, 5),
    (Habit::Forget, 8),
    (Habit::Linger, 8),
    (Habit::Revisit, 10),
    (Habit::Session, 6),
    (Habit::Watch, 26),
    (Habit::WhileRead, 4),
];

/// One client.
pub(super) struct Client {
    pub(super) asker: Asker,
    pub(super) source: Source,
    pub(super) dice: Dice,
}

impl Client {
    /// Does one thing after the other until it is told to stop; what it has begun it ends.
    pub(super) async fn live(mut self, stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let habit = self.dice.weighed(&HABITS);
            self.act(habit).await;
            sleep(Duration::from_millis(self.dice.range(0, 120))).await;
        }
    }

    async fn act(&mut self, habit: Habit) {
        match habit {
            Habit::Audit => self.audit().await,
            Habit::CancelMidStream => self.cancel_mid_stream().await,
            Habit::CancelAtOnce => {
                let body = self.draw(20, 60);
                if let Some(task) = self.submit(&body).await {
                    self.cancel(task).await;
                }
            }
            Habit::Crowd => self.crowd().await,
            Habit::Duplicate => self.duplicate().await,
            Habit::Flood => self.flood().await,
            Habit::Forget => {
                let body = self.draw(1, 20);
                self.submit(&body).await;
            }
            Habit::Linger => {
                let body = self.draw(10, 30);
                let pause_ms = self.dice.range(10, 60);
                self.submit_and_read(&body, pause_ms).await;
            }
            Habit::Revisit => self.revisit().await,
            Habit::Session => self.session().await,
            Habit::Watch => {
                let most = self.dice.weighed(&[(20, 4), (60, 4), (150, 1)]);
                let body = self.draw(1, most);
                self.submit_and_read(&body, 0).await;
            }
            Habit::WhileRead => {
                let body = self.draw(5, 30).while_read();
                self.submit_and_read(&body, 0).await;
            }
        }
    }

    fn draw(&mut self, least: u64, most: u64) -> Body {
        Body::draw(&mut self.dice, &self.source.recorder, least, most)
    }

    /// Hands a task over, mostly under an id of its own. With one, it asks until it is answered.
    async fn submit(&mut self, body: &Body) -> Option<TaskId> {
        if self.dice.percent(75) {
            let own = TaskId(self.dice.id());
            self.submit_as(own, body).await
        } else {
            match self.asker.submit(None, body).await {
                Answer::Accepted { task, .. } => Some(task),
                _ => None,
            }
        }
    }

    async fn submit_as(&self, own: TaskId, body: &Body) -> Option<TaskId> {
        for _ in 0..TRIES {
            match self.asker.submit(Some(own), body).await {
                Answer::Accepted { task, .. } => return Some(task),
                Answer::Refused {
                    applied: test_harness_history::Applied::No,
                    ..
                } => return None,
                _ => sleep(COMEBACK).await,
            }
        }
        None
    }

    async fn submit_and_read(&mut self, body: &Body, pause_ms: u64) {
        if let Some(task) = self.submit(body).await {
            let leaves = self.dice.percent(50);
            let reading = Reading::new(&self.source.recorder, task, body.tokens);
            self.read(reading, pause_ms, leaves).await;
            if self.dice.percent(50) {
                self.asker.result(task).await;
            }
        }
    }

    /// Reads to the end, however often the connection breaks, and leaves at times without need.
    async fn read(&mut self, mut reading: Reading, pause_ms: u64, leaves: bool) {
        for _ in 0..CONNECTIONS {
            let leave_after = (leaves && self.dice.percent(60)).then(|| self.dice.range(1, 12));
            let pace = Pace {
                pause_ms,
                leave_after,
            };
            match reading.connect(&self.source, pace).await {
                Way::Ended => return,
                Way::Left => {}
                Way::Broken | Way::Refused => sleep(COMEBACK).await,
                Way::Silent => self.look_after(reading.task).await,
            }
        }
    }

    /// A parked task waits for a person, who cancels it here.
    async fn look_after(&mut self, task: TaskId) {
        if let Answer::Record(record) = self.asker.record(task).await
            && record.state == State::Parked
        {
            self.cancel(task).await;
        }
    }

    /// Cancels until that is answered.
    async fn cancel(&mut self, task: TaskId) {
        for _ in 0..TRIES {
            match self.asker.cancel(task).await {
                Answer::InDoubt | Answer::Refused { .. } => sleep(COMEBACK).await,
                _ => break,
            }
        }
        if self.dice.percent(30) {
            self.asker.record(task).await;
        }
    }

    async fn cancel_mid_stream(&mut self) {
        let body = self.draw(20, 60);
        let Some(task) = self.submit(&body).await else {
            return;
        };
        let mut reading = Reading::new(&self.source.recorder, task, body.tokens);
        let mut other = reading.clone();
        other.reader = self.source.recorder.next_reader();
        let some = Pace {
            pause_ms: 0,
            leave_after: Some(self.dice.range(1, 15)),
        };
        reading.connect(&self.source, some).await;
        let (source, whole) = (self.source.clone(), WHOLE);
        tokio::join!(self.cancel(task), other.connect(&source, whole));
        self.read(reading, 0, false).await;
        self.read(other, 0, false).await;
    }

    async fn crowd(&mut self) {
        let body = self.draw(10, 40);
        let Some(task) = self.submit(&body).await else {
            return;
        };
        let source = self.source.clone();
        let fresh = || Reading::new(&source.recorder, task, body.tokens);
        let (mut one, mut two, mut three) = (fresh(), fresh(), fresh());
        let slow = Pace {
            pause_ms: self.dice.range(5, 40),
            leave_after: None,
        };
        tokio::join!(
            one.connect(&source, WHOLE),
            two.connect(&source, slow),
            three.connect(&source, WHOLE),
        );
        for reading in [one, two, three] {
            if !reading.ended {
                self.read(reading, 0, false).await;
            }
        }
    }

    async fn duplicate(&mut self) {
        let body = self.draw(5, 30);
        let own = TaskId(self.dice.id());
        let (one, two) = tokio::join!(self.submit_as(own, &body), self.submit_as(own, &body));
        let other = body.clone().longer();
        if self.dice.percent(60) {
            // Another payload under the same id is refused, now and after the end.
            self.asker.submit(Some(own), &other).await;
        }
        if let Some(task) = one.or(two) {
            let reading = Reading::new(&self.source.recorder, task, body.tokens);
            self.read(reading, 0, false).await;
            self.submit_as(own, &body).await;
            self.asker.submit(Some(own), &other).await;
        }
    }

    async fn flood(&mut self) {
        let bodies: Vec<Body> = (0..self.dice.range(8, 20))
            .map(|_| self.draw(1, 8))
            .collect();
        let mut flood = JoinSet::new();
        for body in bodies {
            let asker = self.asker.clone();
            let own = TaskId(self.dice.id());
            flood.spawn(async move { asker.submit(Some(own), &body).await });
        }
        // Whatever is not answered stays in doubt.
        while flood.join_next().await.is_some() {}
    }

    async fn audit(&mut self) {
        match self.dice.range(0, 2) {
            0 => self.asker.census(None).await,
            1 => {
                let state = self.dice.pick(&State::ALL);
                self.asker.census(Some(state)).await
            }
            _ => self.asker.meter().await,
        };
    }

    async fn revisit(&mut self) {
        let accepted = self.source.recorder.accepted();
        let last = accepted.len().saturating_sub(1) as u64;
        let at = usize::try_from(self.dice.range(0, last)).unwrap_or(0);
        let Some(task) = accepted.into_iter().nth(at) else {
            return;
        };
        self.asker.record(task).await;
        self.asker.result(task).await;
        if self.dice.percent(40) {
            // What it was to be long is not known here, so its last token is not told apart.
            let reading = Reading::new(&self.source.recorder, task, u64::MAX);
            self.read(reading, 0, false).await;
        }
    }

    async fn session(&mut self) {
        let session = self.dice.id();
        for _ in 0..self.dice.range(2, 6) {
            let body = self.draw(1, 12).in_session(session);
            self.submit_and_read(&body, 0).await;
        }
    }
}

/// Reads as fast as it can and stays.
const WHOLE: Pace = Pace {
    pause_ms: 0,
    leave_after: None,
};
