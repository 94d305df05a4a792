//! What a reader sees, whatever happened before it came and while it reads.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use orchestrator_core::id::{AttemptId, Digest, ReplicaName};
use orchestrator_core::session::SessionBudget;
use orchestrator_core::task::{Engine, FinishReason, Started, TaskEnd, TaskFault};
use orchestrator_core::time::WallMs;
use proptest::prelude::*;

use super::super::live::{PushError, TaskStream, Terminal};
use super::super::reader::ReadFrom;
use super::*;

/// Says the same place for ever.
struct Standing(Waiting);

impl Watch for Standing {
    async fn waiting(&self) -> Option<Waiting> {
        Some(self.0)
    }
}

fn standing() -> Standing {
    Standing(Waiting {
        queue_depth: 4,
        queue_position: Some(3),
        predicted_start_ms: Some(20),
        start_band: None,
        on_time_permille: None,
        budget_left: SessionBudget::default(),
        attempt: 0,
    })
}

/// Answers when it is let, with what is left of a budget.
struct Held(Arc<tokio::sync::Semaphore>);

const LEFT: SessionBudget = SessionBudget {
    tokens: Some(5),
    time_ms: None,
    cost_micros: None,
};

impl Watch for Held {
    async fn waiting(&self) -> Option<Waiting> {
        self.0.acquire().await.unwrap().forget();
        Some(Waiting {
            budget_left: LEFT,
            ..Waiting::default()
        })
    }
}

const WRITER: AttemptId = AttemptId(1);

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

fn open(stream: &Arc<TaskStream>, from: ReadFrom) -> BoxStream<'static, Frame> {
    let reader = ReaderState::live(Arc::clone(stream), from);
    match read_live(reader, standing(), ()) {
        Opening::Frames(frames) => frames,
        Opening::NothingMore => panic!("a live stream has more"),
    }
}

fn texts(frames: &[Frame]) -> String {
    frames
        .iter()
        .map(|frame| {
            if let Frame::Token { text, .. } = frame {
                text.as_str()
            } else {
                ""
            }
        })
        .collect()
}

fn written(tokens: &[&str]) -> Arc<TaskStream> {
    let stream = Arc::new(TaskStream::default());
    stream.start(started(), 0, 7);
    stream.begin(WRITER, 1);
    for (index, token) in tokens.iter().enumerate() {
        stream.push(WRITER, index as u64, token).unwrap();
    }
    stream
}

#[tokio::test(start_paused = true)]
async fn no_token_waits_for_what_the_owner_has_to_say_of_a_budget() {
    let stream = written(&["old"]);
    let may_answer = Arc::new(tokio::sync::Semaphore::new(0));
    let reader = ReaderState::live(Arc::clone(&stream), ReadFrom::Start).metered();
    let Opening::Frames(mut frames) = read_live(reader, Held(Arc::clone(&may_answer)), ()) else {
        panic!("a live stream has more");
    };
    assert!(matches!(frames.next().await, Some(Frame::Started { .. })));
    for (index, token) in ["old", " pond", " frog"].into_iter().enumerate() {
        if index > 0 {
            // It is asked by now, and nobody answers.
            assert!(futures_util::poll!(frames.next()).is_pending());
            stream.push(WRITER, index as u64, token).unwrap();
        }
        assert!(matches!(frames.next().await, Some(Frame::Token { text, .. }) if text == token));
    }
    may_answer.add_permits(1);
    let told = frames.next().await;
    assert!(
        matches!(told, Some(Frame::Metrics(it)) if it.budget_left == LEFT),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_waiting_reader_is_told_its_place_then_the_start_then_the_text_then_the_end() {
    let stream = Arc::new(TaskStream::default());
    let mut frames = open(&stream, ReadFrom::Start);
    assert_eq!(frames.next().await, Some(Frame::Metrics(standing().0)));
    stream.start(started(), 3, 7);
    stream.begin(WRITER, 1);
    assert!(matches!(
        frames.next().await,
        Some(Frame::Started {
            accepted_position: 3,
            seed: 7,
            ..
        })
    ));
    stream.push(WRITER, 0, "old").unwrap();
    assert!(matches!(frames.next().await, Some(Frame::Token { text, .. }) if text == "old"));
    stream.end(Terminal {
        end: finished(1),
        position: 1,
    });
    assert!(matches!(frames.next().await, Some(Frame::Ended { id, .. }) if id.position == 1));
    assert_eq!(frames.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_another_text_is_told_so() {
    let theirs = written(&["new"]).id_at(1).unwrap();
    let stream = written(&["old", " pond"]);
    let frames: Vec<_> = open(&stream, ReadFrom::After(theirs)).collect().await;
    assert!(matches!(frames.as_slice(), [Frame::Diverged { .. }]));
}

#[tokio::test(start_paused = true)]
async fn a_reader_ahead_of_a_replay_waits_until_it_has_passed() {
    let theirs = written(&["old", " pond"]).id_at(2).unwrap();
    let stream = written(&["old"]);
    let mut frames = open(&stream, ReadFrom::After(theirs));
    assert!(futures_util::poll!(frames.next()).is_pending());
    stream.push(WRITER, 1, " pond").unwrap();
    assert!(futures_util::poll!(frames.next()).is_pending());
    stream.push(WRITER, 2, " frog").unwrap();
    assert!(matches!(frames.next().await, Some(Frame::Token { text, .. }) if text == " frog"));
}

#[tokio::test(start_paused = true)]
async fn a_reader_ahead_of_a_text_that_ended_is_told_so_but_a_failure_is_passed_on() {
    let theirs = written(&["old", " pond"]).id_at(2).unwrap();
    let stream = written(&["old"]);
    stream.end(Terminal {
        end: finished(1),
        position: 1,
    });
    let frames: Vec<_> = open(&stream, ReadFrom::After(theirs)).collect().await;
    assert!(matches!(frames.as_slice(), [Frame::Diverged { .. }]));

    let stream = written(&["old"]);
    let end = TaskEnd::Failed {
        fault: TaskFault::WorkerReset,
        detail: "gone".to_owned(),
    };
    stream.end(Terminal {
        end: end.clone(),
        position: 1,
    });
    let frames: Vec<_> = open(&stream, ReadFrom::After(theirs)).collect().await;
    assert!(matches!(frames.as_slice(), [Frame::Ended { end: told, .. }] if *told == end));
}

#[tokio::test]
async fn a_later_attempt_is_announced_once() {
    let stream = written(&["old"]);
    stream.begin(AttemptId(2), 2);
    stream.end(Terminal {
        end: finished(1),
        position: 1,
    });
    let frames: Vec<_> = open(&stream, ReadFrom::Start).collect().await;
    let attempts: Vec<u32> = frames
        .iter()
        .filter_map(|frame| {
            if let Frame::Metrics(it) = frame {
                Some(it.attempt)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(attempts, [2]);
}

#[tokio::test]
async fn what_is_there_when_the_attempt_is_stopped_is_the_whole_text() {
    let stream = written(&["old"]);
    stream.revoke(WRITER);
    assert_eq!(stream.push(WRITER, 1, " pond"), Err(PushError::Revoked));
    stream.end(Terminal {
        end: finished(1),
        position: 1,
    });
    assert_eq!(
        texts(&open(&stream, ReadFrom::Start).collect::<Vec<_>>().await),
        "old"
    );
}

proptest! {
    /// Head, cut anywhere, and tail, resumed there, are the text; whole or live makes no difference.
    #[test]
    fn head_and_tail_are_the_text(tokens in prop::collection::vec("[a-zé ]{0,3}", 0..40), cut in 0_usize..41) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let parts: Vec<&str> = tokens.iter().map(String::as_str).collect();
            let stream = written(&parts);
            stream.end(Terminal { end: finished(parts.len() as u64), position: parts.len() as u64 });
            let cut = cut.min(parts.len());
            let head: Vec<_> = open(&stream, ReadFrom::Start).take(1 + cut).collect().await;
            let from = match head.last() {
                Some(Frame::Token { id, .. }) => ReadFrom::After(*id),
                _ => ReadFrom::Start,
            };
            let tail: Vec<_> = open(&stream, from).collect().await;
            prop_assert_eq!(texts(&head) + &texts(&tail), parts.concat());
            let terminals = tail.iter().filter(|frame| matches!(frame, Frame::Ended { .. })).count();
            prop_assert_eq!(terminals, 1);
            Ok(())
        })?;
    }
}
