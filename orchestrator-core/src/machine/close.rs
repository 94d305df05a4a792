//! An attempt is over: by its own report, or because the machine gives it up.

use crate::attempt::{self, AttemptEvent, LiveAttempt, Retry, backoff_ms, retry};
use crate::entropy::Entropy;
use crate::id::{AttemptId, PayloadRef, TaskId};
use crate::input::AttemptEnd;
use crate::machine::background::Loss;
use crate::machine::driver::Machine;
use crate::machine::moves::cut_short;
use crate::mutation::Mutation;
use crate::task::{AttemptState, FinishReason, TaskEnd, TaskEvent, TaskFault, TaskState};
use crate::time::Now;
use crate::timer::Timer;

/// How an attempt comes to its end.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Close {
    /// Its runner says so.
    Reported(AttemptEnd),
    /// The machine gives it up.
    Lost(Loss),
    /// Its lease ran out.
    LeaseExpired,
    /// A cancel was not confirmed in time.
    CancelOverdue,
}

/// The end of an attempt, after everything odd about the report has been judged.
struct Verdict {
    event: AttemptEvent,
    detail: String,
    /// End and text of the task, if the attempt brought them.
    end: Option<(TaskEnd, PayloadRef)>,
    first_token_ms: Option<u64>,
}

impl Machine {
    /// Ends an attempt of a task, and decides what becomes of the task.
    pub(super) fn close(
        &mut self,
        now: Now,
        entropy: &mut dyn Entropy,
        task: TaskId,
        attempt: AttemptId,
        close: Close,
    ) {
        let Some(row) = self.tasks.get(&task).map(|live| &live.record) else {
            return;
        };
        if row.attempt.as_ref().map(|head| head.id) != Some(attempt) {
            return;
        }
        let cancelled = row.state == TaskState::CancelRequested;
        if !matches!(close, Close::Reported(_)) {
            self.order_stop(task);
        }
        let has_text = matches!(
            close,
            Close::Reported(AttemptEnd::Finished {
                tokens_out: 1..,
                ..
            })
        );
        if has_text || self.is_of_an_earlier_owner(attempt) {
            self.pin(task, attempt);
        }
        let position = self.tasks.get(&task).map_or(0, |live| live.record.position);
        let verdict = judge(close, cancelled, position);
        let state = attempt::next(&AttemptState::Live, verdict.event)
            .expect("the table moves a live attempt on every event");
        self.close_attempt(now, attempt, &verdict, state.clone());
        if let Some(row) = self.row_mut(task) {
            row.attempt = None;
        }
        match state {
            AttemptState::Finished(finish) => self.task_finished(now, task, finish, verdict.end),
            AttemptState::Failed(fault) => {
                self.task_broke(now, entropy, task, fault, verdict.detail);
            }
            AttemptState::Live => {}
        }
    }

    /// What such an attempt showed last, its owner could not say any more: it may have shown tokens, although
    /// nothing durable tells of one.
    fn is_of_an_earlier_owner(&self, attempt: AttemptId) -> bool {
        let epoch = self.attempts.get(&attempt).map(|live| live.record.epoch);
        epoch.is_some_and(|epoch| epoch < self.epoch)
    }

    /// Writes the attempt's end and gives its slot back.
    fn close_attempt(
        &mut self,
        now: Now,
        attempt: AttemptId,
        verdict: &Verdict,
        state: AttemptState,
    ) {
        self.timers.clear(Timer::Lease(attempt));
        self.pending.dispatch = true;
        self.spend_attempt(now, attempt);
        let Some(live) = self.attempts.remove(&attempt) else {
            return;
        };
        let LiveAttempt {
            mut record,
            first_token_ms,
            since,
            charge,
        } = *live;
        self.fleet.give_back(&record.replica, attempt);
        if let (AttemptState::Finished(_), Some((TaskEnd::Finished { tokens_out, .. }, _))) =
            (&state, &verdict.end)
            && let Some(replica) = self.fleet.replica(&record.replica)
        {
            self.service
                .add(&replica.pool, since.elapsed(now.mono), *tokens_out);
        }
        if let Some(charge) = charge {
            let used = self.tokens_used(record.task, verdict, first_token_ms.is_some());
            self.fairness.settle(charge, used);
        }
        record.state = state;
        record.ended_at = Some(now.wall);
        record.first_token_ms = verdict.first_token_ms.or(first_token_ms);
        record.detail.clone_from(&verdict.detail);
        self.step.attempts_ended.push(record);
    }

    /// What an attempt cost, in tokens: what its runner counted, or else, if it showed any token, the prompt's
    /// estimate and what was kept of the text.
    fn tokens_used(&self, task: TaskId, verdict: &Verdict, shown: bool) -> u64 {
        if let Some((
            TaskEnd::Finished {
                tokens_in,
                tokens_out,
                ..
            },
            _,
        )) = &verdict.end
        {
            return tokens_in + tokens_out;
        }
        let row = self.tasks.get(&task).map(|live| &live.record);
        row.filter(|_| shown)
            .map_or(0, |row| row.spec.prompt.tokens_estimate + row.position)
    }

    fn task_finished(
        &mut self,
        now: Now,
        task: TaskId,
        finish: FinishReason,
        end: Option<(TaskEnd, PayloadRef)>,
    ) {
        let event = match finish {
            FinishReason::Cancelled => TaskEvent::AttemptCancelled,
            FinishReason::Length | FinishReason::Stop => TaskEvent::AttemptCompleted,
        };
        if self.transit(task, event).is_none() {
            return;
        }
        let Some(row) = self.row_mut(task) else {
            return;
        };
        let end = match end {
            Some((end, text)) => {
                if let TaskEnd::Finished { tokens_out, .. } = &end {
                    row.position = *tokens_out;
                }
                self.step.text = Some(Mutation::TextPut { task, text });
                end
            }
            None => cut_short(row.position),
        };
        self.finish(now, task, end);
    }

    fn task_broke(
        &mut self,
        now: Now,
        entropy: &mut dyn Entropy,
        task: TaskId,
        fault: TaskFault,
        detail: String,
    ) {
        let limits = self.config.retry;
        let Some(row) = self.row_mut(task) else {
            return;
        };
        match fault {
            TaskFault::DecodeTimeout | TaskFault::WorkerReset => row.failures += 1,
            TaskFault::Interrupted => row.interruptions += 1,
            _ => {}
        }
        let lost = row.failures + row.interruptions;
        let verdict = retry(fault, row.failures, row.interruptions, &limits);
        let overdue = match verdict {
            Retry::Later | Retry::Now => self.overdue(now, task),
            Retry::Fail | Retry::Park => None,
        };
        let event = match verdict {
            _ if overdue.is_some() => TaskEvent::AttemptFailed,
            Retry::Fail => TaskEvent::AttemptFailed,
            Retry::Later => TaskEvent::AttemptRetried,
            Retry::Now => TaskEvent::AttemptRequeued,
            Retry::Park => TaskEvent::AttemptParked,
        };
        let end = overdue.unwrap_or(TaskEnd::Failed { fault, detail });
        match self.transit(task, event) {
            Some(TaskState::Waiting(_)) => {
                let pause = backoff_ms(lost, &limits, entropy);
                self.timers.set(Timer::Backoff(task), now.mono + pause);
                if let Some(row) = self.row_mut(task) {
                    row.not_before = Some(now.wall + pause);
                }
            }
            Some(TaskState::Parked) => {
                if let Some(row) = self.row_mut(task) {
                    row.end = Some(end);
                }
            }
            Some(TaskState::Cancelled) => {
                let position = self.tasks.get(&task).map_or(0, |live| live.record.position);
                self.finish(now, task, cut_short(position));
            }
            Some(TaskState::Failed) => self.finish(now, task, end),
            _ => {}
        }
    }
}

/// Judges an end. `position` is the durable position of the task; a text that is shorter would take
/// back what readers may have.
fn judge(close: Close, cancelled: bool, position: u64) -> Verdict {
    let plain = |event, detail: &str| Verdict {
        event,
        detail: detail.to_owned(),
        end: None,
        first_token_ms: None,
    };
    match close {
        Close::Lost(Loss::Owner) => plain(
            AttemptEvent::OwnerLost,
            "the daemon that ran it was restarted",
        ),
        Close::Lost(Loss::Replica(detail)) => plain(AttemptEvent::ReplicaLost, &detail),
        Close::LeaseExpired => plain(
            AttemptEvent::LeaseExpired,
            "its runner was silent for the time of the lease",
        ),
        Close::CancelOverdue => plain(
            AttemptEvent::CancelOverdue,
            "its runner did not confirm the cancel in time",
        ),
        Close::Reported(AttemptEnd::Failed { fault, detail }) => {
            plain(AttemptEvent::Failed(fault), &detail)
        }
        Close::Reported(AttemptEnd::Finished {
            finish,
            tokens_in,
            tokens_out,
            decode_ms,
            first_token_ms,
            text,
        }) => {
            let short = tokens_out < position;
            let verdict = match finish {
                FinishReason::Cancelled if !cancelled => plain(
                    AttemptEvent::Failed(TaskFault::Interrupted),
                    "it was stopped although nobody had cancelled",
                ),
                // Stopped before a replay had caught up: the text stays what was kept.
                FinishReason::Cancelled if short => plain(AttemptEvent::Finished(finish), ""),
                FinishReason::Length | FinishReason::Stop if short => plain(
                    AttemptEvent::Failed(TaskFault::StreamDiverged),
                    &format!("the text ended after {tokens_out} tokens, but {position} were kept"),
                ),
                FinishReason::Cancelled | FinishReason::Length | FinishReason::Stop => {
                    let end = TaskEnd::Finished {
                        finish,
                        tokens_in,
                        tokens_out,
                        decode_ms,
                    };
                    let end = Some((end, text));
                    Verdict {
                        end,
                        ..plain(AttemptEvent::Finished(finish), "")
                    }
                }
            };
            Verdict {
                first_token_ms,
                ..verdict
            }
        }
    }
}
