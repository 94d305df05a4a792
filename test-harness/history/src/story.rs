//! Histories for the tests of checkers, told step by step.

use crate::conversation::{Answer, Ask};
use crate::frame::{ClosedBy, Frame, ReadFrom, ReaderEvent};
use crate::id::{DaemonId, ReaderId, RequestId, TaskId};
use crate::judge::{Checker, Judge};
use crate::observation::{Event, Observation, Phase};
use crate::standing::{Finish, Outcome, Payload, Record, State};
use crate::text::Text;
use crate::violation::Violation;

/// The task that stories are about.
pub(crate) const TASK: TaskId = TaskId(1);
/// The daemon of all stories.
pub(crate) const DAEMON: DaemonId = 0;
/// The seed of every task.
const SEED: u64 = 7;

/// A history under way.
#[derive(Debug, Default)]
pub(crate) struct Story {
    history: Vec<Observation>,
    requests: RequestId,
}

impl Story {
    /// One in which the task was accepted.
    pub(crate) fn accepted() -> Self {
        let mut story = Self::default();
        story.submit(Some(TASK), payload("a"), TASK);
        story
    }

    pub(crate) fn see(&mut self, event: Event) {
        let at_ms = self.history.len() as u64;
        self.history.push(Observation { at_ms, event });
    }

    pub(crate) fn ask(&mut self, ask: Ask) -> RequestId {
        self.requests += 1;
        self.see(Event::Asked {
            request: self.requests,
            client: 0,
            daemon: DAEMON,
            ask,
        });
        self.requests
    }

    pub(crate) fn answer(&mut self, request: RequestId, answer: Answer) {
        self.see(Event::Answered { request, answer });
    }

    pub(crate) fn ask_and_answer(&mut self, ask: Ask, answer: Answer) {
        let request = self.ask(ask);
        self.answer(request, answer);
    }

    /// A submission that makes a task.
    pub(crate) fn submit(&mut self, own: Option<TaskId>, payload: Payload, task: TaskId) {
        let answer = Answer::Accepted {
            task,
            seed: SEED,
            replayed: false,
        };
        let key = None;
        self.ask_and_answer(Ask::Submit { own, key, payload }, answer);
    }

    pub(crate) fn read(&mut self, task: TaskId, record: Record) {
        self.ask_and_answer(Ask::Record { task }, Answer::Record(record));
    }

    pub(crate) fn result(&mut self, task: TaskId, outcome: Outcome) {
        self.ask_and_answer(Ask::Result { task }, Answer::Result(outcome));
    }

    pub(crate) fn reader(&mut self, reader: ReaderId, event: ReaderEvent) {
        self.see(Event::Reader { reader, event });
    }

    pub(crate) fn open(&mut self, reader: ReaderId, from: ReadFrom) {
        let opened = ReaderEvent::Opened {
            task: TASK,
            from,
            daemon: DAEMON,
        };
        self.reader(reader, opened);
    }

    pub(crate) fn frame(&mut self, reader: ReaderId, frame: Frame) {
        self.reader(reader, ReaderEvent::Frame(frame));
    }

    pub(crate) fn close(&mut self, reader: ReaderId, by: ClosedBy) {
        self.reader(reader, ReaderEvent::Closed(by));
    }

    pub(crate) fn over(&mut self) {
        self.see(Event::Phase(Phase::Healed));
        self.see(Event::Phase(Phase::Over));
    }

    pub(crate) fn history(&self) -> &[Observation] {
        &self.history
    }

    /// What one checker says of it.
    pub(crate) fn judged_by(&self, mut checker: impl Checker) -> Vec<Violation> {
        let broken = self
            .history
            .iter()
            .filter_map(|seen| checker.observe(seen).err());
        let mut broken: Vec<Violation> = broken.collect();
        broken.extend(checker.finish());
        broken.dedup_by(|later, first| later.what == first.what);
        broken
    }
}

/// What is asked for, told apart from others by its name.
pub(crate) fn payload(fingerprint: &str) -> Payload {
    Payload {
        fingerprint: fingerprint.to_owned(),
        prompt: "rain".to_owned(),
        class: "interactive".to_owned(),
        seed: Some(SEED),
        max_tokens: None,
    }
}

/// The record of a task that has ended.
pub(crate) fn ended(state: State, position: u64) -> Record {
    live(state, position)
}

/// The record of a task that has not.
pub(crate) fn live(state: State, position: u64) -> Record {
    Record {
        state,
        reason: None,
        position,
        attempts: 1,
        prompt: "rain".to_owned(),
        class: "interactive".to_owned(),
        seed: SEED,
    }
}

/// The result of a task.
pub(crate) fn outcome(state: State, text: Option<&str>, tokens: u64) -> Outcome {
    Outcome {
        state,
        text: text.map(str::to_owned),
        finish: Some(match state {
            State::Cancelled => Finish::Cancelled,
            _ => Finish::Stop,
        }),
        code: None,
        tokens_out: Some(tokens),
        attempts: 1,
    }
}

/// The frame of the token at an index of a text.
pub(crate) fn token(text: &[&str], index: u64) -> Frame {
    let upto = usize::try_from(index).unwrap();
    let place = Text::of(&text[..=upto]).place_at(index + 1).unwrap();
    Frame::Token {
        place,
        index,
        text: text[upto].to_owned(),
    }
}

/// The first frame.
pub(crate) fn started() -> Frame {
    Frame::Started {
        attempt: 1,
        seed: SEED,
    }
}

/// The frame of the end of a whole text.
pub(crate) fn end_of(text: &[&str], finish: Finish) -> Frame {
    let tokens_out = text.len() as u64;
    Frame::End {
        place: Text::of(text).end_at(tokens_out).unwrap(),
        finish,
        tokens_out,
    }
}

impl Text {
    /// These tokens.
    pub(crate) fn of(tokens: &[&str]) -> Self {
        let mut text = Self::default();
        for token in tokens {
            text.push(token);
        }
        text
    }
}

#[test]
fn every_checker_is_content_with_a_whole_good_history() {
    let text = ["old", " pond"];
    let mut story = Story::default();
    story.see(Event::Phase(Phase::Chaos));
    story.submit(Some(TASK), payload("a"), TASK);
    story.open(1, ReadFrom::Start);
    story.frame(1, started());
    story.frame(1, token(&text, 0));
    story.close(1, ClosedBy::Fault);
    let place = Text::of(&["old"]).place_at(1).unwrap();
    story.open(1, ReadFrom::After(place));
    story.frame(1, token(&text, 1));
    story.frame(1, end_of(&text, Finish::Stop));
    story.close(1, ClosedBy::Server);
    story.over();
    story.read(TASK, ended(State::Completed, 2));
    story.result(TASK, outcome(State::Completed, Some("old pond"), 2));
    assert_eq!(Judge::whole(&story.history), []);
}

#[test]
fn a_judge_keeps_the_first_violation_of_each_property_and_task() {
    let mut story = Story::accepted();
    for _ in 0..3 {
        story.ask_and_answer(Ask::Record { task: TASK }, Answer::Missing);
    }
    let broken = Judge::whole(&story.history);
    assert_eq!(broken.len(), 1);
    assert_eq!(
        broken[0].to_string(),
        "lost (accepted-kept) at 3 ms, task 00000000-0000-0000-0000-000000000001: it was acknowledged, and now nobody knows it. A task whose acceptance was acknowledged is there for ever, and ends with a recorded reason"
    );
}

#[test]
fn every_property_has_a_name_of_its_own() {
    let mut names: Vec<&str> = Judge::properties().iter().map(|it| it.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
