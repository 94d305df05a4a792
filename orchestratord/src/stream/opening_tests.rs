//! What an opener finds while the task goes on, and that it misses no end.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use orchestrator_core::id::{
    AcceptSeq, AttemptId, Digest, PrincipalId, ProjectId, ReplicaName, TaskId, TenantId,
};
use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{
    Determinism, Engine, FinishReason, InputKind, PROFILE_V1, PromptFacts, Started, TaskEnd,
    TaskSpec, TaskState,
};
use orchestrator_core::time::{MonoMs, WallMs};
use proptest::prelude::*;

use super::super::frame::Frame;
use super::super::reader::ReaderStep;
use super::*;

const TASK: TaskId = TaskId(1);
const ATTEMPT: AttemptId = AttemptId(1);

fn spec(on_disconnect: OnDisconnect) -> TaskSpec {
    TaskSpec {
        kind: InputKind::Prompt,
        prompt: PromptFacts {
            digest: Digest([1; 32]),
            bytes: 6,
            tokens_estimate: 2,
            tokens_least: 1,
        },
        model_ref: None,
        engine: None,
        ctx: None,
        max_tokens: 64,
        ignore_eos: false,
        sampling: PROFILE_V1.sampling,
        seed: 1,
        determinism: Determinism::BestEffort,
        priority: ClassName::INTERACTIVE,
        deadline_ms: None,
        run_at: None,
        session: None,
        on_disconnect,
    }
}

fn queued(on_disconnect: OnDisconnect) -> TaskRecord {
    TaskRecord {
        id: TASK,
        seq: AcceptSeq(1),
        tenant: TenantId::DEFAULT,
        project: ProjectId::DEFAULT,
        created_by: PrincipalId::SYSTEM,
        fingerprint: Digest([1; 32]),
        spec: spec(on_disconnect),
        accepted_at: WallMs(1),
        accepted_position: 0,
        accepted_eta_ms: 0,
        accepted_band: None,
        revision: 1,
        state: TaskState::Queued,
        attempts: 0,
        failures: 0,
        interruptions: 0,
        attempt: None,
        replica_set: None,
        started: None,
        position: 0,
        not_before: None,
        ended_at: None,
        end: None,
    }
}

fn nths(tokens: u64) -> TaskText {
    let mut text = TaskText::default();
    (0..tokens).for_each(|index| text.push(&format!("{index} ")));
    text
}

/// What the rest of the daemon does with the task, one after the other. What is durable is told later.
#[derive(Clone, Copy, Debug)]
enum Move {
    CommitDispatch,
    TellStart,
    Push(u64),
    CommitChunk(u64),
    CommitEnd(u64),
    TellEnd(u64),
}

/// What is durable of the task, and its live streams.
struct World {
    record: TaskRecord,
    text: TaskText,
    streams: Arc<StreamHub>,
}

impl World {
    fn new() -> Self {
        Self {
            record: queued(OnDisconnect::Continue),
            text: TaskText::default(),
            streams: Arc::default(),
        }
    }

    fn end(tokens: u64) -> TaskEnd {
        TaskEnd::Finished {
            finish: FinishReason::Stop,
            tokens_in: 1,
            tokens_out: tokens,
            decode_ms: 0,
        }
    }

    fn go(&mut self, what: Move) {
        match what {
            Move::CommitDispatch => {
                self.record.state = TaskState::Dispatched;
                self.record.started = Some(Box::new(Started {
                    at: WallMs(2),
                    replica: ReplicaName::new("default-0"),
                    engine: Engine::Embedded,
                    engine_version: "v".to_owned(),
                    model_digest: Digest([0; 32]),
                }));
            }
            Move::TellStart => {
                let stream = self.streams.open(TASK);
                stream.start(*self.record.started.clone().unwrap(), 0, 1);
                stream.begin(ATTEMPT, 1);
                stream.seed(&self.text).unwrap();
            }
            Move::Push(to) => {
                let stream = self.streams.find(TASK).unwrap();
                let all = nths(to);
                for (index, at) in (0..to).zip(0_usize..) {
                    stream.push(ATTEMPT, index, all.token(at).unwrap()).unwrap();
                }
            }
            Move::CommitChunk(position) => {
                self.record.position = position;
                self.text = nths(position);
            }
            Move::CommitEnd(position) => {
                self.record.state = TaskState::Completed;
                self.record.position = position;
                self.record.end = Some(Self::end(position));
                self.text = nths(position);
            }
            Move::TellEnd(position) => {
                let end = Self::end(position);
                self.streams.end(TASK, Terminal { end, position });
            }
        }
    }

    /// Looks up what a step needs. So many moves happen before the opener has it.
    fn look(
        &mut self,
        opener: &mut Opener,
        step: &OpenerStep,
        moves: impl Iterator<Item = Move>,
    ) -> OpenerStep {
        let (record, text) = (self.record.clone(), self.text.clone());
        moves.for_each(|what| self.go(what));
        match step {
            OpenerStep::Opened(_) => panic!("it is open"),
            OpenerStep::Record => opener.record(record),
            OpenerStep::Text => opener.text(Some(text)),
        }
    }
}

fn frames(opened: Opened) -> Vec<Frame> {
    let mut reader = match opened.reading {
        Reading::Ended(reader) => reader.unwrap(),
        Reading::Live { reader, .. } => reader,
    };
    let mut frames = Vec::new();
    loop {
        match reader.next(MonoMs(0)) {
            ReaderStep::Frame(frame) => frames.push(frame),
            ReaderStep::Over => return frames,
            ReaderStep::Standing => reader.standing(None),
            ReaderStep::Wait(_) => panic!("it waits for ever, after {frames:?}"),
        }
    }
}

#[test]
fn only_a_task_that_ends_with_its_last_reader_has_its_readers_counted() {
    for (on_disconnect, counts) in [
        (OnDisconnect::Cancel, true),
        (OnDisconnect::Continue, false),
    ] {
        let mut opener = Opener::new(Arc::default(), TASK, ReadFrom::Start);
        let again = opener.record(queued(on_disconnect));
        assert!(matches!(again, OpenerStep::Record), "{again:?}");
        let OpenerStep::Opened(opened) = opener.record(queued(on_disconnect)) else {
            panic!("there is nothing else to know")
        };
        let Reading::Live { counted, .. } = opened.reading else {
            panic!("it lives")
        };
        assert_eq!(counted.is_some(), counts, "{on_disconnect:?}");
    }
}

#[test]
fn a_stream_that_is_open_is_read_after_one_look() {
    let mut world = World::new();
    for what in [Move::CommitDispatch, Move::TellStart, Move::Push(2)] {
        world.go(what);
    }
    let mut opener = Opener::new(Arc::clone(&world.streams), TASK, ReadFrom::Start);
    let step = opener.record(world.record.clone());
    let OpenerStep::Opened(opened) = step else {
        panic!("{step:?}")
    };
    for what in [Move::CommitEnd(2), Move::TellEnd(2)] {
        world.go(what);
    }
    let told = frames(*opened);
    assert!(matches!(told.last(), Some(Frame::Ended { .. })), "{told:?}");
    assert_eq!(told.len(), 4, "{told:?}");
}

#[test]
fn a_stream_that_left_during_the_look_is_not_read() {
    let mut world = World::new();
    world.go(Move::CommitDispatch);
    let left = world.streams.open(TASK);
    let mut opener = Opener::new(Arc::clone(&world.streams), TASK, ReadFrom::Start);
    let end = World::end(0);
    world.streams.end(TASK, Terminal { end, position: 0 });
    drop(left);
    let step = opener.record(world.record.clone());
    assert!(matches!(step, OpenerStep::Record), "{step:?}");
}

#[test]
fn an_ended_task_gets_no_live_stream_and_who_has_seen_its_end_nothing_more() {
    let mut world = World::new();
    for what in [Move::CommitDispatch, Move::CommitEnd(2)] {
        world.go(what);
    }
    let mut read = |from| {
        let mut opener = Opener::new(Arc::clone(&world.streams), TASK, from);
        let step = world.look(&mut opener, &OpenerStep::Record, [].into_iter());
        let OpenerStep::Opened(opened) = world.look(&mut opener, &step, [].into_iter()) else {
            panic!("there is nothing else to know")
        };
        opened
    };
    let told = frames(*read(ReadFrom::Start));
    let Some(Frame::Ended { id, .. }) = told.last() else {
        panic!("{told:?}")
    };
    let again = read(ReadFrom::After(*id));
    assert!(matches!(again.reading, Reading::Ended(None)), "{again:?}");
    assert!(world.streams.is_empty());
}

#[test]
fn those_who_read_an_ended_task_at_the_same_time_share_one_text() {
    let mut world = World::new();
    for what in [Move::CommitDispatch, Move::CommitEnd(2)] {
        world.go(what);
    }
    let hub = Arc::clone(&world.streams);
    let mut read = || {
        let mut opener = Opener::new(Arc::clone(&hub), TASK, ReadFrom::Start);
        let step = world.look(&mut opener, &OpenerStep::Record, [].into_iter());
        match world.look(&mut opener, &step, [].into_iter()) {
            OpenerStep::Opened(opened) => opened.reading,
            other => panic!("{other:?}"),
        }
    };
    let (Reading::Ended(Some(one)), Reading::Ended(Some(other))) = (read(), read()) else {
        panic!("it has ended, and nobody has read it")
    };
    assert!(Arc::ptr_eq(one.stream(), other.stream()));
    let held = Arc::downgrade(one.stream());
    drop((one, other));
    assert!(held.upgrade().is_none(), "nobody keeps it");
    let Reading::Ended(Some(_)) = read() else {
        panic!("who comes later reads it all the same")
    };
}

proptest! {
    /// Wherever the looks of an opener fall among what happens to the task: its reader is told the start if
    /// there is one, the whole text, and the end; and no stream is left behind.
    #[test]
    fn no_end_is_missed(
        dispatched in any::<bool>(),
        // A daemon before this one has dispatched the task, and left so many tokens.
        left in prop::option::of(0_u64..20),
        more in 0_u64..20,
        first in 0_usize..5,
        looks in prop::collection::vec((0_usize..5, 0_usize..5), 4),
    ) {
        let mut world = World::new();
        let before = left.unwrap_or(0);
        if left.is_some() {
            world.go(Move::CommitDispatch);
            world.go(Move::CommitChunk(before));
        }
        let mut moves = Vec::new();
        let mut tokens = before;
        if dispatched {
            tokens += more;
            moves.extend([Move::CommitDispatch, Move::TellStart, Move::Push(tokens), Move::CommitChunk(tokens)]);
        }
        moves.extend([Move::CommitEnd(tokens), Move::TellEnd(tokens)]);
        let mut moves = moves.into_iter();
        moves.by_ref().take(first).for_each(|what| world.go(what));
        let mut opener = Opener::new(Arc::clone(&world.streams), TASK, ReadFrom::Start);
        let mut step = OpenerStep::Record;
        for (before, during) in looks {
            moves.by_ref().take(before).for_each(|what| world.go(what));
            if matches!(step, OpenerStep::Opened(_)) {
                break;
            }
            step = world.look(&mut opener, &step, moves.by_ref().take(during));
        }
        moves.for_each(|what| world.go(what));
        let OpenerStep::Opened(opened) = step else {
            panic!("three looks are enough")
        };
        let mut told = frames(*opened);
        if world.record.started.is_some() {
            let first = told.remove(0);
            prop_assert!(matches!(first, Frame::Started { .. }), "{:?}", first);
        }
        let Some(Frame::Ended { id, end }) = told.pop() else {
            panic!("no end is among {told:?}")
        };
        prop_assert_eq!(end, World::end(tokens));
        prop_assert_eq!(id.position, tokens);
        let mut text = TaskText::default();
        for frame in &told {
            let Frame::Token { text: token, .. } = frame else { panic!("{told:?}") };
            text.push(token);
        }
        prop_assert_eq!(text, nths(tokens));
        prop_assert!(world.streams.is_empty());
    }
}
