//! What one reader is told, whatever happens to the stream in whatever order.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use orchestrator_core::id::{AttemptId, Digest, ReplicaName};
use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::{Engine, FinishReason, Started, TaskFault};
use orchestrator_core::time::WallMs;
use proptest::prelude::*;

use super::*;

fn started() -> Started {
    Started {
        at: WallMs(1),
        replica: ReplicaName::new("default-0"),
        engine: Engine::Embedded,
        engine_version: "v".to_owned(),
        model_digest: Digest([0; 32]),
    }
}

fn finished(tokens: u64) -> TaskEnd {
    TaskEnd::Finished {
        finish: FinishReason::Stop,
        tokens_in: 1,
        tokens_out: tokens,
        decode_ms: 2,
    }
}

fn broken() -> TaskEnd {
    TaskEnd::Failed {
        fault: TaskFault::WorkerReset,
        detail: "gone".to_owned(),
    }
}

/// Token number `index` of the one text that there is.
fn nth(index: u64) -> String {
    format!("{index} ")
}

/// Where a reader stands that has so many tokens of the text.
fn place(tokens: u64) -> StreamId {
    let stream = TaskStream::default();
    stream.begin(AttemptId(1), 1);
    for index in 0..tokens {
        stream.push(AttemptId(1), index, &nth(index)).unwrap();
    }
    stream.id_at(tokens).unwrap()
}

fn standing(position: u64) -> Waiting {
    Waiting {
        queue_depth: 4,
        queue_position: Some(position),
        predicted_start_ms: None,
        start_band: None,
        on_time_permille: None,
        budget_left: SessionBudget::default(),
        attempt: 0,
    }
}

fn waiting() -> (Arc<TaskStream>, ReaderState) {
    let stream = Arc::new(TaskStream::default());
    let reader = ReaderState::live(Arc::clone(&stream), ReadFrom::Start);
    (stream, reader)
}

#[test]
fn the_place_in_the_queue_is_looked_at_at_once_then_each_second_and_told_when_it_is_news() {
    let (_stream, mut reader) = waiting();
    let at = |ms| MonoMs(70 + ms);
    assert_eq!(reader.next(at(0)), ReaderStep::Standing);
    assert_eq!(
        reader.next(at(0)),
        ReaderStep::Standing,
        "until it is known"
    );
    reader.standing(Some(standing(3)));
    let told = Frame::Metrics(standing(3));
    assert_eq!(reader.next(at(10)), ReaderStep::Frame(told));
    let due = at(20 + WAITING_INTERVAL_MS);
    assert_eq!(reader.next(at(20)), ReaderStep::Wait(Some(due)));
    assert_eq!(
        reader.next(at(500)),
        ReaderStep::Wait(Some(due)),
        "asking more often changes nothing"
    );
    assert_eq!(reader.next(due), ReaderStep::Standing);
    reader.standing(Some(standing(3)));
    let due = due + WAITING_INTERVAL_MS;
    let now = due - at(WAITING_INTERVAL_MS);
    assert_eq!(
        reader.next(at(now)),
        ReaderStep::Wait(Some(due)),
        "the same is no news"
    );
    assert_eq!(reader.next(due), ReaderStep::Standing);
    reader.standing(Some(standing(2)));
    let told = Frame::Metrics(standing(2));
    assert_eq!(reader.next(due), ReaderStep::Frame(told));
}

/// A task that runs, in a session with so many tokens left.
fn running(tokens: Option<u64>) -> Waiting {
    Waiting {
        queue_depth: 4,
        budget_left: SessionBudget {
            tokens,
            ..SessionBudget::default()
        },
        ..Waiting::default()
    }
}

#[test]
fn what_is_left_of_a_budget_is_told_when_it_changes_also_while_the_task_runs() {
    let stream = Arc::new(TaskStream::default());
    let mut reader = ReaderState::live(Arc::clone(&stream), ReadFrom::Start).metered();
    stream.start(started(), 0, 7);
    stream.begin(AttemptId(1), 1);
    let start = reader.next(MonoMs(0));
    assert!(matches!(start, ReaderStep::Frame(Frame::Started { .. })));
    let mut now = MonoMs(0);
    let mut asked = |standing: Option<Waiting>| {
        assert_eq!(reader.next(now), ReaderStep::Standing);
        reader.standing(standing);
        let mut step = reader.next(now);
        let mut news = None;
        if let ReaderStep::Frame(Frame::Metrics(told)) = step {
            news = Some((told.attempt, told.budget_left.tokens));
            step = reader.next(now);
        }
        let ReaderStep::Wait(Some(at)) = step else {
            panic!("{step:?}");
        };
        let limited = standing.is_none_or(|it| it.budget_left.tokens.is_some());
        let pause = if limited {
            WAITING_INTERVAL_MS
        } else {
            UNLIMITED_INTERVAL_MS
        };
        assert_eq!(at, now + pause);
        now = at;
        news
    };
    assert_eq!(asked(Some(running(Some(90)))), Some((1, Some(90))));
    let busier = Waiting {
        queue_depth: 5,
        ..running(Some(90))
    };
    assert_eq!(asked(Some(busier)), None, "the queue is not its business");
    assert_eq!(asked(None), None, "nobody knows");
    assert_eq!(asked(Some(running(Some(20)))), Some((1, Some(20))));
    assert_eq!(
        asked(Some(running(None))),
        Some((1, None)),
        "no limit any more"
    );
    assert_eq!(asked(Some(running(None))), None);
}

#[test]
fn a_reader_of_a_task_without_a_session_looks_at_nothing_while_it_runs() {
    let (stream, mut reader) = waiting();
    stream.start(started(), 0, 7);
    stream.begin(AttemptId(1), 1);
    assert!(matches!(reader.next(MonoMs(0)), ReaderStep::Frame(_)));
    assert_eq!(reader.next(MonoMs(0)), ReaderStep::Wait(None));
}

#[test]
fn tokens_that_were_collected_beyond_the_end_are_not_told() {
    let (stream, mut reader) = waiting();
    stream.begin(AttemptId(1), 1);
    for index in 0..6 {
        stream.push(AttemptId(1), index, &nth(index)).unwrap();
    }
    let told = |step| match step {
        ReaderStep::Frame(Frame::Token { id, .. }) => id.position,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(reader.next(MonoMs(0))), 1);
    assert_eq!(told(reader.next(MonoMs(0))), 2);
    // Nobody confirmed the cancel in time, and three tokens are durable.
    let end = TaskEnd::Finished {
        finish: FinishReason::Cancelled,
        tokens_in: 0,
        tokens_out: 3,
        decode_ms: 0,
    };
    stream.end(Terminal {
        end: end.clone(),
        position: 3,
    });
    assert_eq!(told(reader.next(MonoMs(0))), 3);
    let id = stream.id_of_end();
    assert_eq!(
        reader.next(MonoMs(0)),
        ReaderStep::Frame(Frame::Ended { id, end })
    );
    assert_eq!(reader.next(MonoMs(0)), ReaderStep::Over);
}

#[test]
fn a_later_attempt_found_where_tokens_are_forgotten_is_announced_before_the_end() {
    let (stream, mut reader) = waiting();
    stream.begin(AttemptId(1), 1);
    for index in 0..3 {
        stream.push(AttemptId(1), index, &nth(index)).unwrap();
    }
    let first = reader.next(MonoMs(0));
    assert!(matches!(first, ReaderStep::Frame(Frame::Token { .. })));
    // The attempt is lost, another begins, and the task ends at the one token that is durable.
    stream.begin(AttemptId(2), 2);
    let end = TaskEnd::Finished {
        finish: FinishReason::Cancelled,
        tokens_in: 0,
        tokens_out: 1,
        decode_ms: 0,
    };
    stream.end(Terminal { end, position: 1 });
    assert_eq!(reader.next(MonoMs(0)), ReaderStep::Standing);
    reader.standing(None);
    let announced = reader.next(MonoMs(0));
    assert!(
        matches!(&announced, ReaderStep::Frame(Frame::Metrics(it)) if it.attempt == 2),
        "{announced:?}"
    );
    let ended = reader.next(MonoMs(0));
    assert!(
        matches!(ended, ReaderStep::Frame(Frame::Ended { .. })),
        "{ended:?}"
    );
    assert_eq!(reader.next(MonoMs(0)), ReaderStep::Over);
}

#[test]
fn an_end_beyond_the_text_that_is_here_closes_the_stream_without_a_terminal_frame() {
    for from in [ReadFrom::Start, ReadFrom::After(place(3))] {
        let stream = Arc::new(TaskStream::default());
        let mut reader = ReaderState::live(Arc::clone(&stream), from);
        stream.begin(AttemptId(1), 1);
        for index in 0..2 {
            stream.push(AttemptId(1), index, &nth(index)).unwrap();
        }
        let end = finished(5);
        stream.end(Terminal { end, position: 5 });
        let told: Vec<Frame> = std::iter::from_fn(|| match reader.next(MonoMs(0)) {
            ReaderStep::Frame(frame) => Some(frame),
            step => {
                assert_eq!(step, ReaderStep::Over);
                None
            }
        })
        .collect();
        assert!(!told.iter().any(is_terminal), "{told:?}");
        assert_eq!(told.len(), if from == ReadFrom::Start { 2 } else { 0 });
    }
}

#[test]
fn nobody_looks_at_the_queue_while_an_attempt_writes() {
    let (stream, mut reader) = waiting();
    stream.start(started(), 0, 7);
    stream.begin(AttemptId(1), 1);
    let first = reader.next(MonoMs(0));
    assert!(
        matches!(first, ReaderStep::Frame(Frame::Started { .. })),
        "{first:?}"
    );
    assert_eq!(reader.next(MonoMs(0)), ReaderStep::Wait(None));
}

#[test]
fn what_happens_while_nobody_answers_for_the_queue_is_told_without_it() {
    let (stream, mut reader) = waiting();
    assert_eq!(reader.next(MonoMs(0)), ReaderStep::Standing);
    stream.end(Terminal {
        end: broken(),
        position: 0,
    });
    let end = reader.next(MonoMs(0));
    assert!(
        matches!(end, ReaderStep::Frame(Frame::Ended { .. })),
        "{end:?}"
    );
    reader.standing(Some(standing(3)));
    assert_eq!(reader.next(MonoMs(0)), ReaderStep::Over);
}

#[test]
fn a_later_attempt_is_announced_before_what_it_brings_also_if_nobody_knows_the_queue() {
    let (stream, mut reader) = waiting();
    stream.start(started(), 0, 7);
    stream.begin(AttemptId(2), 2);
    stream.push(AttemptId(2), 0, &nth(0)).unwrap();
    assert_eq!(reader.next(MonoMs(0)), ReaderStep::Standing);
    reader.standing(None);
    let steps: Vec<_> = (0..4).map(|_| reader.next(MonoMs(0))).collect();
    assert!(
        matches!(
            steps.as_slice(),
            [
                ReaderStep::Frame(Frame::Started { .. }),
                ReaderStep::Frame(Frame::Metrics(Waiting {
                    attempt: 2,
                    queue_position: None,
                    ..
                })),
                ReaderStep::Frame(Frame::Token { .. }),
                ReaderStep::Wait(None)
            ]
        ),
        "{steps:?}"
    );
}

#[test]
fn the_version_is_another_one_whenever_a_reader_may_find_something() {
    let stream = TaskStream::default();
    let mut seen = stream.version();
    let mut moved = |what: &str, expected| {
        let version = stream.version();
        assert_eq!(version != seen, expected, "{what}");
        seen = version;
    };
    stream.start(started(), 0, 7);
    moved("start", true);
    stream.begin(AttemptId(1), 1);
    moved("begin", true);
    stream.push(AttemptId(1), 0, "old").unwrap();
    moved("push", true);
    stream.push(AttemptId(1), 0, "old").unwrap();
    moved("the same again", false);
    stream.end(Terminal {
        end: broken(),
        position: 1,
    });
    moved("end", true);
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happens {
    /// The next attempt begins, and replays or goes on from the first token that it is asked for.
    Begin,
    /// So many tokens of the text.
    Tokens(u64),
    Revoke,
    Pass(u64),
    /// The reader takes so many steps, and its questions are answered or not.
    Read(usize, Option<u64>),
    /// As a read, but its question is left open.
    ReadSilent,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        2 => Just(Happens::Begin),
        4 => (1_u64..300).prop_map(Happens::Tokens),
        1 => Just(Happens::Revoke),
        2 => (0_u64..1_500).prop_map(Happens::Pass),
        6 => (1_usize..40, prop::option::of(0_u64..3)).prop_map(|(steps, place)| Happens::Read(steps, place)),
        1 => Just(Happens::ReadSilent),
    ]
}

/// A stream, its reader, and what that was told.
struct Rig {
    stream: Arc<TaskStream>,
    reader: ReaderState,
    now: MonoMs,
    attempt: u32,
    frames: Vec<Frame>,
    over: bool,
}

impl Rig {
    fn let_happen(&mut self, what: Happens) {
        let writer = |number: u32| AttemptId(u128::from(number));
        match what {
            Happens::Begin => {
                if self.attempt == 0 {
                    self.stream.start(started(), 3, 7);
                }
                self.attempt += 1;
                self.stream.begin(writer(self.attempt), self.attempt);
            }
            Happens::Tokens(tokens) => {
                let from = self.stream.position();
                for index in (from..).take(usize::try_from(tokens).unwrap()) {
                    // Who may not write is refused.
                    let _ = self.stream.push(writer(self.attempt), index, &nth(index));
                }
            }
            Happens::Revoke => self.stream.revoke(writer(self.attempt)),
            Happens::Pass(ms) => self.now = self.now + ms,
            Happens::Read(steps, place) => {
                for _ in 0..steps {
                    self.read(place.map(standing));
                }
            }
            Happens::ReadSilent => {
                if let ReaderStep::Frame(frame) = self.reader.next(self.now) {
                    self.frames.push(frame);
                }
            }
        }
    }

    /// One step of the reader. False if it waits or is over.
    fn read(&mut self, standing: Option<Waiting>) -> bool {
        match self.reader.next(self.now) {
            ReaderStep::Frame(frame) => {
                assert!(!self.over, "nothing follows: {frame:?}");
                self.frames.push(frame);
                return true;
            }
            ReaderStep::Over => self.over = true,
            ReaderStep::Standing => {
                self.reader.standing(standing);
                return true;
            }
            ReaderStep::Wait(Some(at)) => {
                assert!(at > self.now && at <= self.now + WAITING_INTERVAL_MS)
            }
            ReaderStep::Wait(None) => {}
        }
        false
    }

    fn read_to_the_end(&mut self) {
        while self.read(None) {}
        assert!(self.over, "it is told all that there is");
        assert!(!self.read(None));
    }
}

fn is_terminal(frame: &Frame) -> bool {
    matches!(frame, Frame::Ended { .. } | Frame::Diverged { .. })
}

/// What holds of every reader: frames in order, a run of the text from its place on, one terminal frame.
fn judge(frames: &[Frame], from: ReadFrom) {
    let mut position = from.position();
    let mut begun = from != ReadFrom::Start;
    let mut attempt = 0;
    for (index, frame) in frames.iter().enumerate() {
        match frame {
            Frame::Started { .. } => {
                assert!(!begun, "once, and before any token");
                begun = true;
            }
            Frame::Token { id, text } => {
                assert!(begun, "the start comes first");
                assert_eq!(*text, nth(position));
                position += 1;
                assert_eq!(id.position, position);
            }
            Frame::Metrics(waiting) => {
                assert!(waiting.attempt >= attempt);
                attempt = waiting.attempt;
            }
            Frame::Ended { .. } | Frame::Diverged { .. } => {
                assert_eq!(index + 1, frames.len(), "nothing follows");
            }
        }
    }
    let last = frames.iter().rev().find_map(|frame| match frame {
        Frame::Token { id, .. } => Some(*id),
        _ => None,
    });
    if let Some(last) = last {
        assert_eq!(last, place(last.position), "the hash is that of the text");
    }
    assert_eq!(frames.iter().filter(|it| is_terminal(it)).count(), 1);
}

fn has_tokens(frames: &[Frame]) -> bool {
    frames.iter().any(|it| matches!(it, Frame::Token { .. }))
}

proptest! {
    /// Whatever happens to the stream and however the reader is called: it is told a run of the text from its
    /// place on, in order, and exactly one terminal frame. It is told all of the text unless it had seen more
    /// than counted.
    #[test]
    fn every_reader_is_told_a_run_of_the_text_and_one_end(
        came_back in prop::option::of(0_u64..400),
        story in prop::collection::vec(happens(), 0..30),
        lost in prop_oneof![3 => Just(0), 1 => 1_u64..50],
        fails in any::<bool>(),
    ) {
        let stream = Arc::new(TaskStream::default());
        let from = came_back.map_or(ReadFrom::Start, |tokens| ReadFrom::After(place(tokens)));
        let reader = ReaderState::live(Arc::clone(&stream), from);
        let mut rig = Rig { stream, reader, now: MonoMs(0), attempt: 0, frames: vec![], over: false };
        for what in story {
            rig.let_happen(what);
        }
        prop_assert!(!rig.frames.iter().any(is_terminal), "it has not ended");
        let position = rig.stream.position().saturating_sub(lost);
        let end = if fails { broken() } else { finished(position) };
        let seen = rig.frames.iter().rev().find_map(|frame| match frame {
            Frame::Token { id, .. } => Some(id.position),
            _ => None,
        });
        rig.stream.end(Terminal { end: end.clone(), position });
        rig.read_to_the_end();
        judge(&rig.frames, from);
        let ahead = from.position().max(seen.unwrap_or(0)) > position;
        match rig.frames.last() {
            Some(Frame::Ended { id, end: told }) => {
                prop_assert_eq!(told, &end);
                prop_assert!(fails || !ahead);
                if !ahead {
                    prop_assert_eq!(rig.reader.position, position);
                    prop_assert_eq!(id.position, position);
                }
            }
            Some(Frame::Diverged { .. }) => prop_assert!(ahead && !fails),
            other => panic!("{other:?}"),
        }
    }

    /// A reader of another text is given no token of ours.
    #[test]
    fn a_reader_of_another_text_is_given_nothing(
        tokens in 1_u64..50,
        story in prop::collection::vec(happens(), 0..30),
    ) {
        let stream = Arc::new(TaskStream::default());
        let place = place(tokens);
        let from = ReadFrom::After(StreamId { hash: !place.hash, ..place });
        let reader = ReaderState::live(Arc::clone(&stream), from);
        let mut rig = Rig { stream, reader, now: MonoMs(0), attempt: 0, frames: vec![], over: false };
        for what in story {
            rig.let_happen(what);
        }
        let position = rig.stream.position();
        rig.stream.end(Terminal { end: finished(position), position });
        rig.read_to_the_end();
        judge(&rig.frames, from);
        let last = rig.frames.last().unwrap();
        prop_assert!(matches!(last, Frame::Diverged { .. }), "{:?}", last);
        prop_assert!(!has_tokens(&rig.frames), "{:?}", rig.frames);
    }
}
