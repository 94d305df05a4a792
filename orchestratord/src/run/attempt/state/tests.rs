//! What an attempt wants done, whatever happens in whatever order.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use orchestrator_core::id::{AttemptId, TaskId};
use orchestrator_core::time::WallMs;
use proptest::prelude::*;
use worker_adapter::AdapterError;

use super::super::tests::{order, text};
use super::*;
use crate::stream::StreamHub;

const ATTEMPT: AttemptId = AttemptId(5);
const OTHER: AttemptId = AttemptId(6);

/// An attempt, the world's part in it, and what came out.
struct Rig {
    state: AttemptState,
    stream: Arc<TaskStream>,
    now: Now,
    offset: u64,
    out: Vec<AttemptOutput>,
}

impl Rig {
    fn new(position: u64) -> Self {
        let stream = StreamHub::default().open(TaskId(1));
        stream.begin(ATTEMPT, 1);
        let mut rig = Self {
            state: AttemptState::new(order(position), Arc::clone(&stream)),
            stream,
            now: Now {
                mono: MonoMs(50),
                wall: WallMs(1_025),
            },
            offset: 0,
            out: Vec::new(),
        };
        rig.drain();
        rig
    }

    fn reading() -> Self {
        Self::new(0)
    }

    fn starting() -> Self {
        let mut rig = Self::reading();
        rig.step(read(&[]));
        rig
    }

    fn following() -> Self {
        let mut rig = Self::starting();
        rig.step(AttemptInput::Started(Ok(())));
        rig
    }

    fn over() -> Self {
        let mut rig = Self::following();
        rig.step(AttemptInput::RunnerGone);
        rig
    }

    fn drain(&mut self) {
        while let Some(output) = self.state.poll() {
            self.out.push(output);
        }
    }

    fn step(&mut self, input: AttemptInput) {
        self.state.step(self.now, input);
        self.drain();
    }

    fn event(&mut self, event: RunnerEvent) {
        self.offset += 1;
        let offset = self.offset;
        self.step(AttemptInput::Event { offset, event });
    }

    fn token(&mut self, token: &str) {
        self.event(RunnerEvent::Token(token.to_owned()));
    }

    fn pass(&mut self, ms: u64) {
        self.now.mono = self.now.mono + ms;
        self.now.wall = self.now.wall + ms;
    }

    /// What came out since the last call, in words.
    fn words(&mut self) -> Vec<String> {
        std::mem::take(&mut self.out).iter().map(word).collect()
    }
}

fn read(durable: &[&str]) -> AttemptInput {
    AttemptInput::Read(Ok(Durable {
        prompt: Some("say it".to_owned()),
        text: Some(text(durable)),
    }))
}

fn word(output: &AttemptOutput) -> String {
    match output {
        AttemptOutput::Ack(offset) => format!("ack {offset}"),
        AttemptOutput::Cancel => "cancel".to_owned(),
        AttemptOutput::Read { text: false } => "read".to_owned(),
        AttemptOutput::Read { text: true } => "read with text".to_owned(),
        AttemptOutput::Start(_) => "start".to_owned(),
        AttemptOutput::Suspect(replica) => format!("suspect {replica}"),
        AttemptOutput::Report(AttemptReport::Chunk { from, text }) => {
            format!("chunk {from}+{}", text.tokens())
        }
        AttemptOutput::Report(AttemptReport::Failed { fault, detail }) => {
            format!("failed {fault:?}: {detail}")
        }
        AttemptOutput::Report(AttemptReport::Finished(it)) => {
            let Finished {
                finish,
                tokens_in,
                decode_ms,
                first_token_ms,
                text,
            } = it.as_ref();
            let first = first_token_ms.map_or("none".to_owned(), |ms| format!("after {ms}"));
            format!(
                "finished {finish:?}: {tokens_in} in, {} out in {decode_ms}, the first {first}",
                text.tokens()
            )
        }
        AttemptOutput::Report(AttemptReport::Renewed) => "renewed".to_owned(),
        AttemptOutput::Report(AttemptReport::Running) => "running".to_owned(),
    }
}

fn unreachable() -> AdapterError {
    AdapterError::Reset("gone".to_owned())
}

/// Every input, by name.
fn inputs() -> Vec<(&'static str, AttemptInput)> {
    let event = |event| AttemptInput::Event { offset: 9, event };
    let ended = RunnerEvent::Ended {
        finish: Finish::Length,
        tokens_in: 3,
        tokens_out: 0,
    };
    let refused = RunnerError::Refused("full".to_owned());
    let no_prompt = Durable::default();
    vec![
        ("cancelled", AttemptInput::Cancelled),
        ("prompt", event(RunnerEvent::Prompt { tokens: 3 })),
        ("token", event(RunnerEvent::Token("old".to_owned()))),
        ("ended", event(ended)),
        ("reset", event(RunnerEvent::Failed(unreachable()))),
        ("read", read(&[])),
        ("read nothing", AttemptInput::Read(Ok(no_prompt))),
        (
            "read failed",
            AttemptInput::Read(Err(ReadError("disk".to_owned()))),
        ),
        ("runner gone", AttemptInput::RunnerGone),
        ("started", AttemptInput::Started(Ok(()))),
        (
            "no replica",
            AttemptInput::Started(Err(StartError::ReplicaGone)),
        ),
        (
            "refused",
            AttemptInput::Started(Err(StartError::Runner(refused))),
        ),
        ("tick", AttemptInput::Tick),
    ]
}

#[test]
fn every_input_in_every_state() {
    type Make = fn() -> Rig;
    let states: [(&str, Make); 4] = [
        ("reading", Rig::reading),
        ("starting", Rig::starting),
        ("following", Rig::following),
        ("over", Rig::over),
    ];
    let mut table = String::new();
    for (state, rig) in states {
        for (name, input) in inputs() {
            let mut rig = rig();
            rig.words();
            rig.step(input);
            let words = rig.words();
            let over = rig.state.is_over();
            assert_eq!(
                over && state != "over",
                words
                    .iter()
                    .any(|it| it.starts_with("fail") || it.starts_with("fini")),
                "{state}, {name}: over with its end only"
            );
            if !words.is_empty() {
                table.push_str(&format!("{state} + {name}: {}\n", words.join(", ")));
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn time_is_asked_for_only_while_events_are_followed_and_one_thing_is_done_a_tick() {
    let mut rig = Rig::starting();
    assert_eq!(rig.state.next_wake(), None);
    rig.step(AttemptInput::Started(Ok(())));
    rig.token("old");
    rig.words();
    let begun = rig.now.mono;
    assert_eq!(rig.state.next_wake(), Some(begun + CHUNK_PERIOD_MS));
    rig.step(AttemptInput::Tick);
    assert_eq!(rig.words(), [""; 0], "a tick that is not due does nothing");
    rig.pass(RENEW_PERIOD_MS);
    rig.step(AttemptInput::Tick);
    assert_eq!(rig.words(), ["renewed"]);
    rig.step(AttemptInput::Tick);
    assert_eq!(rig.words(), ["chunk 0+1", "ack 1"]);
    // What was missed is not made up for.
    let now = rig.now.mono;
    assert_eq!(rig.state.next_wake(), Some(now + CHUNK_PERIOD_MS));
    rig.step(AttemptInput::Cancelled);
    assert_eq!(rig.state.next_wake(), None);
}

#[test]
fn a_full_chunk_is_told_at_once_and_its_events_may_be_forgotten() {
    let mut rig = Rig::following();
    rig.event(RunnerEvent::Prompt { tokens: 3 });
    rig.words();
    for _ in 0..CHUNK_TOKENS_MAX {
        rig.token("x");
    }
    assert_eq!(rig.words(), ["running", "chunk 0+64", "ack 65"]);
}

#[test]
fn only_an_engine_that_may_take_no_other_attempt_either_is_suspected() {
    let refused = AdapterError::Refused("no".to_owned());
    for (error, suspected) in [(unreachable(), true), (refused, false)] {
        let mut rig = Rig::following();
        rig.token("old");
        rig.words();
        rig.event(RunnerEvent::Failed(error.clone()));
        let words = rig.words();
        let rest = if suspected {
            assert_eq!(words[0], "suspect default-0");
            &words[1..]
        } else {
            &words[..]
        };
        assert_eq!(&rest[..3], ["cancel", "chunk 0+1", "ack 1"], "{error}");
        assert!(rest[3].starts_with("failed"), "{error}");
        assert_eq!(rest.len(), 4, "{error}");
    }
}

#[test]
fn a_cancel_freezes_the_text_and_the_time_it_took() {
    let mut rig = Rig::following();
    rig.event(RunnerEvent::Prompt { tokens: 3 });
    rig.token("old");
    rig.pass(40);
    rig.token(" pond");
    rig.pass(500);
    rig.words();
    rig.stream.revoke(ATTEMPT);
    rig.step(AttemptInput::Cancelled);
    assert_eq!(
        rig.words(),
        [
            "cancel",
            "finished Cancelled: 3 in, 2 out in 40, the first after 25"
        ]
    );
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happens {
    /// The attempt is told that it was stopped.
    Cancelled,
    /// Its right to write is taken away.
    Revoked,
    /// Another attempt begins to write, and writes so many tokens.
    OtherWrites(usize),
    Read(Reading),
    Started(bool),
    Prompt,
    /// So many tokens of the text that there can be only one of.
    Tokens(usize),
    WrongToken,
    Ended,
    Failed(bool),
    RunnerGone,
    Ticks(u64),
}

#[derive(Clone, Debug)]
enum Reading {
    All,
    Broken,
    NoPrompt,
    NoText,
}

fn happens() -> impl Strategy<Value = Happens> {
    let reading = prop_oneof![
        8 => Just(Reading::All),
        1 => Just(Reading::Broken),
        1 => Just(Reading::NoPrompt),
        1 => Just(Reading::NoText),
    ];
    prop_oneof![
        1 => Just(Happens::Cancelled),
        1 => Just(Happens::Revoked),
        1 => (0_usize..90).prop_map(Happens::OtherWrites),
        8 => reading.prop_map(Happens::Read),
        8 => prop::bool::weighted(0.9).prop_map(Happens::Started),
        2 => Just(Happens::Prompt),
        16 => (1_usize..90).prop_map(Happens::Tokens),
        1 => Just(Happens::WrongToken),
        1 => Just(Happens::Ended),
        1 => any::<bool>().prop_map(Happens::Failed),
        1 => Just(Happens::RunnerGone),
        8 => (0_u64..RENEW_PERIOD_MS + 10).prop_map(Happens::Ticks),
    ]
}

/// Token number `index` of the text that there can be only one of.
fn nth(index: u64) -> String {
    format!("{index} ")
}

fn nths(tokens: u64) -> TaskText {
    let mut text = TaskText::default();
    (0..tokens).for_each(|index| text.push(&nth(index)));
    text
}

/// Judges each thing that an attempt wants done.
struct Judge {
    durable: u64,
    /// Tokens told of.
    told: u64,
    acked: u64,
    ran: bool,
    end: Option<AttemptReport>,
}

impl Judge {
    fn sees(&mut self, rig: &Rig, output: &AttemptOutput) {
        assert_eq!(self.end, None, "nothing follows the end, but {output:?}");
        match output {
            AttemptOutput::Ack(offset) => {
                assert!(self.acked <= *offset && *offset <= rig.offset);
                self.acked = *offset;
            }
            AttemptOutput::Report(AttemptReport::Chunk { from, text }) => {
                assert_eq!(*from, self.told, "chunks are contiguous");
                assert!(text.tokens() > 0);
                self.told += text.tokens();
                let stream = rig.stream.text();
                assert!(self.told <= stream.tokens(), "beyond the stream");
                let at = usize::try_from(*from).unwrap();
                for index in 0..text.ends.len() {
                    assert_eq!(text.token(index), stream.token(at + index));
                }
            }
            AttemptOutput::Report(AttemptReport::Running) => {
                assert!(!self.ran, "it runs once");
                self.ran = true;
            }
            AttemptOutput::Report(AttemptReport::Finished(finished)) => {
                assert_eq!(finished.text, rig.stream.text());
                assert_eq!(finished.first_token_ms.is_some(), self.ran);
            }
            AttemptOutput::Report(AttemptReport::Failed { fault, .. }) => {
                if *fault != TaskFault::StreamDiverged {
                    let released = rig.stream.position();
                    assert!(self.told >= released, "all that was released is told");
                }
            }
            AttemptOutput::Report(AttemptReport::Renewed)
            | AttemptOutput::Cancel
            | AttemptOutput::Read { .. }
            | AttemptOutput::Start(_)
            | AttemptOutput::Suspect(_) => {}
        }
        if let AttemptOutput::Report(report) = output
            && report.is_end()
        {
            self.end = Some(report.clone());
        }
    }
}

/// Lets one thing happen, as one or more inputs.
fn let_happen(rig: &mut Rig, judge: &mut Judge, next: &mut u64, what: Happens) {
    match what {
        Happens::Cancelled => rig.step(AttemptInput::Cancelled),
        Happens::Revoked => rig.stream.revoke(ATTEMPT),
        Happens::OtherWrites(tokens) => {
            rig.stream.begin(OTHER, 2);
            let from = rig.stream.position();
            for index in (from..).take(tokens) {
                rig.stream.push(OTHER, index, &nth(index)).unwrap();
            }
        }
        Happens::Read(reading) => rig.step(AttemptInput::Read(match reading {
            Reading::All => Ok(Durable {
                prompt: Some("say it".to_owned()),
                text: Some(nths(judge.durable)),
            }),
            Reading::Broken => Err(ReadError("disk".to_owned())),
            Reading::NoPrompt => Ok(Durable::default()),
            Reading::NoText => Ok(Durable {
                prompt: Some("say it".to_owned()),
                text: None,
            }),
        })),
        Happens::Started(true) => rig.step(AttemptInput::Started(Ok(()))),
        Happens::Started(false) => {
            rig.step(AttemptInput::Started(Err(StartError::ReplicaGone)));
        }
        Happens::Prompt => rig.event(RunnerEvent::Prompt { tokens: 3 }),
        Happens::Tokens(tokens) => {
            for _ in 0..tokens {
                // The runner begins to tell once it was started.
                if rig.state.next_wake().is_some() {
                    let token = nth(*next);
                    *next += 1;
                    rig.token(&token);
                }
            }
        }
        Happens::WrongToken => rig.token("another"),
        Happens::Ended => rig.event(RunnerEvent::Ended {
            finish: Finish::Stop,
            tokens_in: 3,
            tokens_out: *next,
        }),
        Happens::Failed(down) => rig.event(RunnerEvent::Failed(if down {
            unreachable()
        } else {
            AdapterError::Protocol("odd".to_owned())
        })),
        Happens::RunnerGone => rig.step(AttemptInput::RunnerGone),
        Happens::Ticks(ms) => {
            rig.pass(ms);
            rig.step(AttemptInput::Tick);
        }
    }
    for output in std::mem::take(&mut rig.out) {
        judge.sees(rig, &output);
    }
}

proptest! {
    /// Whatever happens in whatever order: chunks are contiguous and of the stream, one end is told, and
    /// nothing after it.
    #[test]
    fn one_end_whatever_happens(
        durable in prop_oneof![Just(0), 1_u64..100],
        // Released by an earlier attempt, and lost before it was told.
        untold in prop_oneof![3 => Just(0), 1 => 1_u64..100],
        begins_well in prop::bool::weighted(0.8),
        story in prop::collection::vec(happens(), 0..30),
        after in prop::collection::vec(happens(), 0..5),
    ) {
        let mut rig = Rig::new(durable);
        if untold > 0 {
            rig.stream.begin(OTHER, 1);
            for index in 0..durable + untold {
                rig.stream.push(OTHER, index, &nth(index)).unwrap();
            }
            rig.stream.begin(ATTEMPT, 2);
        }
        let mut judge = Judge { durable, told: durable, acked: 0, ran: false, end: None };
        let asked = rig.words();
        prop_assert_eq!(asked, [if durable > 0 { "read with text" } else { "read" }]);
        let mut next = 0;
        let beginning = [Happens::Read(Reading::All), Happens::Started(true)];
        for what in beginning.into_iter().filter(|_| begins_well).chain(story) {
            let_happen(&mut rig, &mut judge, &mut next, what);
            prop_assert_eq!(rig.state.is_over(), judge.end.is_some());
            if !rig.state.is_over() {
                prop_assert!(next < judge.told.max(1) + CHUNK_TOKENS_MAX, "a token waits for its chunk too long");
            }
        }
        let_happen(&mut rig, &mut judge, &mut next, Happens::Cancelled);
        prop_assert!(judge.end.is_some());
        for what in after {
            let_happen(&mut rig, &mut judge, &mut next, what);
        }
    }

    /// Where nobody interferes, what is told in chunks and what came at the end is the whole text, and no
    /// chunk is longer than it may be.
    #[test]
    fn a_replay_ends_with_the_whole_text(
        durable in 0_u64..100,
        fresh in 0_u64..200,
        pauses in prop::collection::vec(0_u64..300, 0..300),
    ) {
        let mut rig = Rig::new(durable);
        rig.step(AttemptInput::Read(Ok(Durable {
            prompt: Some("say it".to_owned()),
            text: Some(nths(durable)),
        })));
        rig.step(AttemptInput::Started(Ok(())));
        let mut pauses = pauses.into_iter();
        for index in 0..durable + fresh {
            rig.pass(pauses.next().unwrap_or(0));
            while rig.state.next_wake().is_some_and(|at| at <= rig.now.mono) {
                rig.step(AttemptInput::Tick);
            }
            rig.token(&nth(index));
        }
        rig.event(RunnerEvent::Ended { finish: Finish::Stop, tokens_in: 3, tokens_out: durable + fresh });
        let mut told = durable;
        for output in &rig.out {
            if let AttemptOutput::Report(AttemptReport::Chunk { from, text }) = output {
                prop_assert_eq!(*from, told);
                prop_assert!(text.tokens() <= CHUNK_TOKENS_MAX);
                told += text.tokens();
            }
        }
        let Some(AttemptOutput::Report(AttemptReport::Finished(finished))) = rig.out.last() else {
            panic!("{:?}", rig.out.last())
        };
        prop_assert_eq!(finished.finish, FinishReason::Stop);
        prop_assert_eq!(&finished.text, &nths(durable + fresh));
    }
}
