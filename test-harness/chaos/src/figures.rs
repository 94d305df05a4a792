//! What a history amounts to, in numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use test_harness_history::{
    Answer, Ask, Event, Frame, GenerationEvent, Harm, Observation, Process, ProcessEvent, ReadFrom,
    ReaderEvent, RequestId, State, TaskId, Violation,
};

/// What a history amounts to, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Submissions, repeats included.
    pub submitted: u64,
    /// Tasks that were acknowledged.
    pub acknowledged: u64,
    /// Repeats that found their task.
    pub replayed: u64,
    /// Questions that were left in doubt.
    pub in_doubt: u64,
    /// Refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// Acknowledged tasks by how they ended.
    pub ended: BTreeMap<String, u64>,
    /// Cancels that were acknowledged.
    pub cancels: u64,
    /// Tasks that were found parked, before a person cancelled them.
    pub parked: u64,
    /// Attempts of all tasks beyond each one's first.
    pub further_attempts: u64,
    /// Connections of readers.
    pub connections: u64,
    /// Those that came back to a place in the text.
    pub resumes: u64,
    /// Frames that readers were sent.
    pub frames: u64,
    /// Readers that were told that their text is not the task's.
    pub diverged: u64,
    /// Generations that attached engines were asked for.
    pub generations: u64,
    /// Violations by harm.
    pub harms: BTreeMap<String, u64>,
    /// Things that were seen.
    pub observations: u64,
}

impl Figures {
    /// Those of a history.
    pub(crate) fn of(history: &[Observation], violations: &[Violation]) -> Self {
        let mut count = Counting::default();
        for seen in history {
            count.see(&seen.event);
        }
        let mut figures = count.figures;
        figures.observations = history.len() as u64;
        figures.acknowledged = count.accepted.len() as u64;
        figures.parked = count.parked.len() as u64;
        for task in &count.accepted {
            let (state, code, attempts) = match count.standing.get(task) {
                Some((state, code, attempts)) => (state.name(), code.as_deref(), *attempts),
                None => ("unknown", None, 0),
            };
            figures.further_attempts += u64::from(attempts.saturating_sub(1));
            let how = match code {
                Some(code) => format!("{state}: {code}"),
                None => state.to_owned(),
            };
            *figures.ended.entry(how).or_default() += 1;
        }
        for harm in Harm::ALL {
            let of_harm = violations.iter().filter(|it| it.property.harm == harm);
            figures
                .harms
                .insert(harm.name().to_owned(), of_harm.count() as u64);
        }
        figures
    }

    /// Adds those of another history.
    pub(crate) fn add(&mut self, other: Self) {
        let Self {
            submitted,
            acknowledged,
            replayed,
            in_doubt,
            refused,
            ended,
            cancels,
            parked,
            further_attempts,
            connections,
            resumes,
            frames,
            diverged,
            generations,
            harms,
            observations,
        } = other;
        self.submitted += submitted;
        self.acknowledged += acknowledged;
        self.replayed += replayed;
        self.in_doubt += in_doubt;
        self.cancels += cancels;
        self.parked += parked;
        self.further_attempts += further_attempts;
        self.connections += connections;
        self.resumes += resumes;
        self.frames += frames;
        self.diverged += diverged;
        self.generations += generations;
        self.observations += observations;
        for (mine, theirs) in [
            (&mut self.refused, refused),
            (&mut self.ended, ended),
            (&mut self.harms, harms),
        ] {
            for (key, count) in theirs {
                *mine.entry(key).or_default() += count;
            }
        }
    }
}

/// How long it took from each kill of a daemon to the next token that a reader saw; kills in a row count as one,
/// from the first.
pub(crate) fn from_kill_to_token(history: &[Observation]) -> Vec<Duration> {
    let mut killed_at = None;
    let mut ready = false;
    let mut times = Vec::new();
    for Observation { at_ms, event } in history {
        match event {
            Event::Process {
                process: Process::Daemon(_),
                event,
            } => {
                // What was on its way when it was killed does not count, so it has to be ready first.
                ready = *event == ProcessEvent::Ready;
                if *event == ProcessEvent::Killed && killed_at.is_none() {
                    killed_at = Some(*at_ms);
                }
            }
            Event::Reader {
                event: ReaderEvent::Frame(Frame::Token { .. }),
                ..
            } if ready => {
                let time = killed_at.take().map(|killed_at| at_ms - killed_at);
                times.extend(time.map(Duration::from_millis));
            }
            _ => {}
        }
    }
    times
}

/// Figures under way.
#[derive(Default)]
struct Counting {
    figures: Figures,
    asked: BTreeMap<RequestId, Ask>,
    accepted: BTreeSet<TaskId>,
    parked: BTreeSet<TaskId>,
    standing: BTreeMap<TaskId, (State, Option<String>, u32)>,
}

impl Counting {
    fn see(&mut self, event: &Event) {
        match event {
            Event::Asked { request, ask, .. } => {
                self.figures.submitted += u64::from(matches!(ask, Ask::Submit { .. }));
                self.asked.insert(*request, ask.clone());
            }
            Event::Answered { request, answer } => {
                if let Some(ask) = self.asked.remove(request) {
                    self.answered(&ask, answer);
                }
            }
            Event::Reader { event, .. } => self.reader(event),
            Event::Generation {
                event: GenerationEvent::Begun { .. },
                ..
            } => self.figures.generations += 1,
            _ => {}
        }
    }

    fn answered(&mut self, ask: &Ask, answer: &Answer) {
        match (ask, answer) {
            (_, Answer::Accepted { task, replayed, .. }) => {
                self.accepted.insert(*task);
                self.figures.replayed += u64::from(*replayed);
            }
            (_, Answer::InDoubt) => self.figures.in_doubt += 1,
            (_, Answer::Refused { code, .. }) => {
                *self.figures.refused.entry(code.clone()).or_default() += 1;
            }
            (Ask::Cancel { .. }, Answer::Cancelled(_)) => self.figures.cancels += 1,
            (_, Answer::Census(listed)) => {
                let parked = listed.iter().filter(|row| row.state == State::Parked);
                self.parked.extend(parked.map(|row| row.task));
            }
            (Ask::Record { task }, Answer::Record(record)) => {
                if record.state == State::Parked {
                    self.parked.insert(*task);
                }
                let reason = record.reason.clone().filter(|_| record.state.is_at_rest());
                let standing = (record.state, reason, record.attempts);
                self.standing.insert(*task, standing);
            }
            _ => {}
        }
    }

    fn reader(&mut self, event: &ReaderEvent) {
        match event {
            ReaderEvent::Opened { from, .. } => {
                self.figures.connections += 1;
                self.figures.resumes += u64::from(matches!(from, ReadFrom::After(_)));
            }
            ReaderEvent::Frame(frame) => {
                self.figures.frames += 1;
                let diverged = matches!(frame, Frame::Error { place: None, .. });
                self.figures.diverged += u64::from(diverged);
            }
            _ => {}
        }
    }
}
