//! Who may write a task's text, and what is taken.

use super::*;

const FIRST: AttemptId = AttemptId(1);
const SECOND: AttemptId = AttemptId(2);

fn begun() -> TaskStream {
    let stream = TaskStream::default();
    stream.begin(FIRST, 1);
    stream
}

#[test]
fn a_replay_of_the_same_tokens_changes_nothing() {
    let stream = begun();
    stream.push(FIRST, 0, "old").expect("fits");
    let before = stream.id_at(1);
    stream.begin(SECOND, 2);
    stream.push(SECOND, 0, "old").expect("is the same");
    assert_eq!(stream.position(), 1);
    assert_eq!(stream.id_at(1), before);
}

#[test]
fn another_token_diverges_and_is_not_taken() {
    let stream = begun();
    stream.push(FIRST, 0, "old").expect("fits");
    stream.begin(SECOND, 2);
    assert_eq!(
        stream.push(SECOND, 0, "new"),
        Err(PushError::Diverged { index: 0 })
    );
    assert_eq!(stream.text().text, "old");
}

#[test]
fn a_gap_diverges() {
    assert_eq!(
        begun().push(FIRST, 1, "pond"),
        Err(PushError::Diverged { index: 1 })
    );
}

#[test]
fn a_stopped_attempt_writes_no_more_and_the_next_one_does() {
    let stream = begun();
    stream.revoke(FIRST);
    assert_eq!(stream.push(FIRST, 0, "late"), Err(PushError::Revoked));
    stream.begin(SECOND, 2);
    assert_eq!(stream.push(FIRST, 0, "late"), Err(PushError::Revoked));
    stream.revoke(FIRST);
    stream.push(SECOND, 0, "old").expect("is the writer");
}

#[test]
fn nobody_writes_after_the_end() {
    let stream = begun();
    let end = TaskEnd::Failed {
        fault: orchestrator_core::task::TaskFault::WorkerReset,
        detail: String::new(),
    };
    stream.end(Terminal { end, position: 0 });
    stream.begin(SECOND, 2);
    assert_eq!(stream.push(SECOND, 0, "late"), Err(PushError::Revoked));
}

#[test]
fn previews_beyond_the_final_position_are_gone_with_the_end() {
    let stream = begun();
    for (index, token) in (0..).zip(["old", " pond", " frog"]) {
        stream.push(FIRST, index, token).expect("fits");
    }
    let durable = begun();
    durable.push(FIRST, 0, "old").expect("fits");
    let end = TaskEnd::Finished {
        finish: orchestrator_core::task::FinishReason::Cancelled,
        tokens_in: 0,
        tokens_out: 1,
        decode_ms: 0,
    };
    stream.end(Terminal { end, position: 1 });
    assert_eq!(stream.text(), durable.text());
    assert_eq!(stream.id_of_end(), durable.id_of_end());
}

#[test]
fn a_look_takes_few_tokens_and_few_bytes_and_always_goes_on() {
    let read = |bytes: usize| {
        let stream = begun();
        let token = "x".repeat(bytes);
        for index in 0..600 {
            stream.push(FIRST, index, &token).expect("fits");
        }
        let (mut position, mut looks) = (0, Vec::new());
        loop {
            let tokens = stream.glimpse(position, None).tokens;
            let Some((last, _)) = tokens.last() else {
                return looks;
            };
            position = last.position;
            looks.push(tokens.len());
        }
    };
    assert_eq!(read(0), [256, 256, 88]);
    assert_eq!(read(4), [256, 256, 88]);
    assert_eq!(read(1_024).first(), Some(&16));
    assert_eq!(read(1_024).iter().sum::<usize>(), 600);
    assert_eq!(read(40_000), [1; 600]);
}
