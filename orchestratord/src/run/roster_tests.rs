//! Each effect twice, in orders that recovery and cancels make.

use orchestrator_core::id::TaskId;
use orchestrator_core::task::TaskEnd;

use super::super::attempt::tests::order;
use super::*;
use crate::stream::PushError;

const ATTEMPT: AttemptId = AttemptId(5);
const TASK: TaskId = TaskId(1);

fn start() -> Effect {
    Effect::AttemptStart(Box::new(order(0)))
}

fn cancel() -> Effect {
    Effect::AttemptCancel {
        attempt: ATTEMPT,
        task: TASK,
    }
}

fn followed(deed: Option<Deed>) -> Arc<TaskStream> {
    match deed {
        Some(Deed::Follow { order, stream }) => {
            assert_eq!(order.attempt, ATTEMPT);
            stream
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_attempt_is_followed_once_and_writes() {
    let mut roster = Roster::new(Arc::default());
    let stream = followed(roster.carry_out(start()));
    assert!(roster.carry_out(start()).is_none());
    assert_eq!(roster.len(), 1);
    assert_eq!(stream.push(ATTEMPT, 0, "old"), Ok(()));
    roster.over(ATTEMPT);
    assert!(roster.is_empty());
}

#[test]
fn a_stopped_attempt_writes_no_more_before_its_follower_knows() {
    let mut roster = Roster::new(Arc::default());
    let stream = followed(roster.carry_out(start()));
    for _ in 0..2 {
        let deed = roster.carry_out(cancel());
        assert!(matches!(deed, Some(Deed::Stop(ATTEMPT))), "{deed:?}");
        assert_eq!(stream.push(ATTEMPT, 0, "late"), Err(PushError::Revoked));
    }
}

#[test]
fn an_attempt_that_does_not_run_here_is_reported_as_lost() {
    let mut roster = Roster::new(Arc::default());
    let stream = followed(roster.carry_out(start()));
    roster.over(ATTEMPT);
    let deed = roster.carry_out(cancel());
    let Some(Deed::ReportLost { attempt, report }) = deed else {
        panic!("{deed:?}")
    };
    assert_eq!(attempt, ATTEMPT);
    let interrupted = matches!(
        report,
        AttemptReport::Failed {
            fault: TaskFault::Interrupted,
            ..
        }
    );
    assert!(interrupted, "{report:?}");
    drop(stream);
}

#[test]
fn a_task_that_has_ended_leaves_no_stream() {
    let streams = Arc::new(StreamHub::default());
    let mut roster = Roster::new(Arc::clone(&streams));
    let stream = followed(roster.carry_out(start()));
    for _ in 0..2 {
        let end = TaskEnd::Failed {
            fault: TaskFault::WorkerReset,
            detail: "gone".to_owned(),
        };
        let ended = Effect::TaskEnded {
            task: TASK,
            end,
            position: 0,
        };
        assert!(roster.carry_out(ended).is_none());
        assert!(streams.is_empty());
        assert_eq!(stream.push(ATTEMPT, 0, "late"), Err(PushError::Revoked));
    }
}
