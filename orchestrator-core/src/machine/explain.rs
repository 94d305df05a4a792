//! Why a task stands where it stands.

use crate::eta::StartBand;
use crate::id::TaskId;
use crate::machine::driver::{LiveTask, Machine};
use crate::obstacle::Obstacle;
use crate::placement::{Candidate, Verdict, report};
use crate::session::SessionBudget;
use crate::task::{TaskEnd, TaskRecord, TaskState, WaitingFor};
use crate::time::Now;
use crate::timer::Timer;

/// Where a task stands, and why. Computed on demand; nothing in it is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Where it stands.
    pub state: TaskState,
    /// One sentence for a person; never empty.
    pub summary: String,
    /// What stands in its way; `None` while an attempt is under way or about to begin, and after the end.
    pub blocked_by: Option<Obstacle>,
    /// What it waits for, if it is not eligible yet.
    pub waiting_for: Option<WaitingFor>,
    /// Milliseconds until that wait is over.
    pub wakes_in_ms: Option<u64>,
    /// Tasks before it, while it is queued.
    pub queue_position: Option<u64>,
    /// Estimated milliseconds until it is dispatched, while it waits or is queued.
    pub predicted_start_ms: Option<u64>,
    /// Between when and when it will be dispatched, four times of five; `None` if too little is measured.
    pub start_band: Option<StartBand>,
    /// Probability, in thousandths, that it ends within its deadline, while it waits or is queued; `None` without a
    /// deadline, or if nothing is measured.
    pub on_time_permille: Option<u32>,
    /// What its session may still use of what is limited; nothing is limited without a session.
    pub budget_left: SessionBudget,
    /// Every replica and what placement finds about it, while the task waits or is queued.
    pub candidates: Vec<Candidate>,
}

impl Machine {
    /// Explains a task that has not ended; `None` for any other.
    #[must_use]
    pub fn explain(&self, now: Now, task: TaskId) -> Option<Explanation> {
        let live = self.tasks.get(&task)?;
        let row = &live.record;
        let candidates = match row.state {
            TaskState::Queued | TaskState::Waiting(_) => self.candidates(now, row),
            _ => Vec::new(),
        };
        let waiting_for = match row.state {
            TaskState::Waiting(reason) => Some(reason),
            _ => None,
        };
        let queue_position = self.queue_position(now, task);
        Some(Explanation {
            state: row.state,
            summary: self.summary(now, live, queue_position.unwrap_or(0), &candidates),
            blocked_by: obstacle(row, queue_position.unwrap_or(0), &candidates),
            waiting_for,
            wakes_in_ms: self.wakes_in_ms(now, task),
            queue_position,
            predicted_start_ms: self.predicted_start_ms(now, task),
            start_band: self.start_band(now, task),
            on_time_permille: self.on_time_permille(now, task),
            budget_left: self.budget_left(now, row),
            candidates,
        })
    }

    /// Every replica, and what placement finds about it.
    fn candidates(&self, now: Now, row: &TaskRecord) -> Vec<Candidate> {
        let request = self.request(now.mono, row);
        let replicas = self.fleet.replicas();
        let mut candidates = report(replicas, &request, self.config.policy);
        for process in self.kept_from(now.mono, row.id) {
            for member in &process.members {
                if let (Some(one), Some(replica)) =
                    (candidates.get_mut(*member), replicas.get(*member))
                {
                    one.kept(replica);
                }
            }
        }
        candidates
    }

    fn summary(&self, now: Now, live: &LiveTask, ahead: u64, candidates: &[Candidate]) -> String {
        let row = &live.record;
        let replica = row
            .attempt
            .as_ref()
            .map_or("its replica", |head| head.replica.as_str());
        match row.state {
            TaskState::Waiting(WaitingFor::Backoff) => format!(
                "pauses for {} ms before attempt {}, after {} failed and {} interrupted",
                self.wakes_in_ms(now, row.id).unwrap_or(0),
                row.attempts + 1,
                row.failures,
                row.interruptions
            ),
            TaskState::Waiting(WaitingFor::Time) => format!(
                "waits until its time comes, in {} ms",
                self.wakes_in_ms(now, row.id).unwrap_or(0)
            ),
            TaskState::Queued => queued_summary(row, ahead, candidates),
            TaskState::Dispatched => {
                format!(
                    "attempt {} was sent to {replica} and has shown no token yet",
                    row.attempts
                )
            }
            TaskState::Running => format!("attempt {} runs on {replica}", row.attempts),
            TaskState::CancelRequested => {
                let overdue = self.timers.at(Timer::CancelOverdue(row.id));
                let left = overdue.map_or(0, |at| at - now.mono);
                format!("was cancelled; {replica} has {left} ms left to confirm it")
            }
            TaskState::Parked => {
                let why = match &row.end {
                    Some(TaskEnd::Failed { detail, .. }) => detail.as_str(),
                    _ => "",
                };
                format!(
                    "was given up after {} interruptions ({why}); requeue it, or cancel it",
                    row.interruptions
                )
            }
            TaskState::Completed => "has completed".to_owned(),
            TaskState::Failed => "has failed".to_owned(),
            TaskState::Cancelled => "has been cancelled".to_owned(),
        }
    }
}

fn obstacle(row: &TaskRecord, ahead: u64, candidates: &[Candidate]) -> Option<Obstacle> {
    match row.state {
        TaskState::Waiting(WaitingFor::Backoff) => Some(Obstacle::Backoff),
        TaskState::Waiting(WaitingFor::Time) => Some(Obstacle::Time),
        TaskState::Queued => queued_obstacle(row, ahead, candidates),
        TaskState::CancelRequested => Some(Obstacle::Cancel),
        TaskState::Parked => Some(Obstacle::Operator),
        TaskState::Dispatched
        | TaskState::Running
        | TaskState::Completed
        | TaskState::Failed
        | TaskState::Cancelled => None,
    }
}

/// What stands in the way of a queued task. In the order of [`queued_summary`], which says it in a sentence.
fn queued_obstacle(row: &TaskRecord, ahead: u64, candidates: &[Candidate]) -> Option<Obstacle> {
    if is_held(candidates) {
        return Some(Obstacle::Paused);
    }
    if ahead > 0 {
        return Some(Obstacle::Queue);
    }
    let any = |verdict| candidates.iter().any(|one| one.verdict == verdict);
    let only = |verdict| {
        candidates.iter().all(|one| {
            one.verdict == verdict
                || matches!(one.verdict, Verdict::EngineDiffers | Verdict::ModelDiffers)
        })
    };
    if any(Verdict::Chosen) {
        None
    } else if any(Verdict::Busy) || any(Verdict::ProcessBusy) || any(Verdict::ProcessKept) {
        Some(Obstacle::Slots)
    } else if only(Verdict::NotReady) {
        Some(Obstacle::NotReady)
    } else if row.replica_set.is_some() {
        Some(Obstacle::ReplicaSet)
    } else {
        Some(Obstacle::Context)
    }
}

fn may_serve(one: &&Candidate) -> bool {
    !matches!(one.verdict, Verdict::EngineDiffers | Verdict::ModelDiffers)
}

/// True if an operator holds whatever could take the task.
fn is_held(candidates: &[Candidate]) -> bool {
    let mut able = candidates.iter().filter(may_serve);
    let held = |one: &Candidate| one.verdict == Verdict::Paused;
    able.clone().any(held) && able.all(|one| held(one) || one.verdict == Verdict::NotReady)
}

fn queued_summary(row: &TaskRecord, ahead: u64, candidates: &[Candidate]) -> String {
    let class = row.spec.priority;
    let suits = |verdict| {
        candidates
            .iter()
            .filter(|one| one.verdict == verdict)
            .count()
    };
    let able = candidates.iter().filter(may_serve).count();
    if is_held(candidates) {
        return format!(
            "an operator has paused the queue, and nothing is dispatched until it is resumed; {ahead} ahead of it in class {class}"
        );
    }
    if ahead > 0 {
        let tasks = if ahead == 1 { "task is" } else { "tasks are" };
        return format!("{ahead} {tasks} ahead of it; it waits in class {class}");
    }
    if suits(Verdict::Chosen) > 0 {
        return "is next, and a slot is free".to_owned();
    }
    if suits(Verdict::Busy) > 0 {
        return format!("is next in class {class}; every slot that could take it is taken");
    }
    if suits(Verdict::ProcessBusy) > 0 {
        return format!(
            "is next in class {class}; every process that could take it generates with another model"
        );
    }
    if suits(Verdict::ProcessKept) > 0 {
        return format!(
            "is next in class {class}; every process that could take it is kept for a task that wants another model"
        );
    }
    if suits(Verdict::NotReady) == able {
        return format!("is next in class {class}; no replica that could take it is ready yet");
    }
    if row.replica_set.is_some() {
        return "waits for a replica of the set that wrote the text so far".to_owned();
    }
    format!("is next in class {class}; no replica that is ready can take it")
}
