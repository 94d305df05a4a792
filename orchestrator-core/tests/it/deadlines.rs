//! Deadlines: refused where they cannot be met, earliest first among equals, and no run after they have passed.

use orchestrator_core::effect::{AttemptOrder, Effect};
use orchestrator_core::machine::MachineConfig;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{FinishReason, TaskEnd, TaskFault, TaskSpec, TaskState};

use crate::rig::{Out, Rig, batch, facts, one_pool, spec};

fn within(deadline_ms: u64) -> TaskSpec {
    TaskSpec {
        deadline_ms: Some(deadline_ms),
        ..spec()
    }
}

fn config() -> MachineConfig {
    let mut config = one_pool(1);
    config.lease_ttl_ms = 3_600_000;
    config
}

/// A rig with one slot that attempts hold for a second each, as has been measured, now taken by task 0.
fn measured() -> (Rig, AttemptOrder) {
    let mut rig = Rig::new(config());
    rig.replica_ready(facts("default-0", 1));
    for task in 900..920 {
        let order = rig.create(task, spec()).starts().remove(0);
        rig.pass(1_000);
        rig.finished(&order, FinishReason::Stop, 10);
    }
    let order = rig.create(0, spec()).starts().remove(0);
    (rig, order)
}

fn fault(rig: &Rig, task: u128) -> Option<TaskFault> {
    match &rig.row(task).end {
        Some(TaskEnd::Failed { fault, .. }) => Some(*fault),
        _ => None,
    }
}

fn ended(out: &Out) -> Vec<u128> {
    let of = |effect: &Effect| match effect {
        Effect::TaskEnded { task, .. } => Some(task.0),
        _ => None,
    };
    out.effects.iter().filter_map(of).collect()
}

#[test]
fn what_cannot_be_met_is_refused_at_once_with_the_figures() {
    let (mut rig, _) = measured();
    for task in 1..=3 {
        let out = rig.create(task, within(4_500));
        assert!(matches!(out.reply(), Reply::TaskCreated { .. }), "{out:?}");
    }
    let before = rig.machine.clone();
    let out = rig.create(4, within(4_600));
    let Some(Refusal::DeadlineUnmet {
        deadline_ms: 4_600,
        forecast,
        retry_after_ms,
    }) = out.reply().refusal()
    else {
        panic!("{out:?}");
    };
    // Three wait and one runs, each for a second.
    assert_eq!(forecast.start_ms, 4_000);
    assert_eq!(forecast.service.mean_ms, 1_000);
    assert_eq!(forecast.on_time_permille, 0);
    assert_eq!(*retry_after_ms, 400);
    assert_eq!(rig.machine, before, "a refusal changes nothing");
    // Sooner due, it goes before them.
    let out = rig.create(4, within(4_000));
    assert!(matches!(out.reply(), Reply::TaskCreated { .. }), "{out:?}");
    let why = rig.machine.explain(rig.now, rig.row(4).id).unwrap();
    assert_eq!(why.queue_position, Some(0));
    assert!(why.on_time_permille > Some(950), "{why:?}");
    // The task itself takes longer than that.
    let out = rig.create(5, within(500));
    assert!(out.reply().refusal().is_some(), "{out:?}");
}

#[test]
fn before_anything_is_measured_nothing_is_refused() {
    let mut rig = Rig::new(config());
    rig.replica_ready(facts("default-0", 1));
    rig.create(0, spec());
    let out = rig.create(1, within(1));
    assert!(matches!(out.reply(), Reply::TaskCreated { .. }), "{out:?}");
    let why = rig.machine.explain(rig.now, rig.row(1).id).unwrap();
    assert_eq!(why.on_time_permille, None);
}

#[test]
fn the_earliest_deadline_goes_first_and_none_goes_by_age() {
    let (mut rig, mut order) = measured();
    rig.create(1, spec());
    rig.create(2, within(200_000));
    rig.create(3, within(100_000));
    rig.create(4, within(600_000));
    let mut ran = Vec::new();
    while let Some(next) = rig.finished(&order, FinishReason::Stop, 1).starts().pop() {
        ran.push(next.task.0);
        order = next;
    }
    // The ageing bound of 300 s stands for the deadline of who has none, or a later one.
    assert_eq!(ran, [3, 2, 1, 4]);
}

#[test]
fn who_waits_beyond_the_deadline_ends_without_running() {
    let (mut rig, order) = measured();
    rig.create(1, within(10_000));
    let out = rig.advance(9_999);
    assert!(ended(&out).is_empty());
    let out = rig.advance(1);
    assert_eq!(ended(&out), [1]);
    assert_eq!(
        (rig.state(1), fault(&rig, 1)),
        (TaskState::Failed, Some(TaskFault::DeadlineUnmet))
    );
    assert_eq!(rig.row(1).attempts, 0);
    let out = rig.finished(&order, FinishReason::Stop, 1);
    assert!(out.starts().is_empty());
}

#[test]
fn who_runs_when_the_deadline_passes_runs_on_but_is_not_tried_again() {
    let (mut rig, order) = measured();
    rig.create(1, within(3_000));
    rig.create(2, within(3_500));
    let first = rig
        .finished(&order, FinishReason::Stop, 1)
        .starts()
        .remove(0);
    assert_eq!(first.task.0, 1);
    rig.running(&first);
    rig.advance(5_000);
    assert_eq!(rig.state(1), TaskState::Running);
    assert_eq!(fault(&rig, 2), Some(TaskFault::DeadlineUnmet));
    let out = rig.failed(&first, TaskFault::WorkerReset);
    assert_eq!(ended(&out), [1]);
    assert_eq!(fault(&rig, 1), Some(TaskFault::DeadlineUnmet));
}

#[test]
fn a_pause_before_another_attempt_ends_with_the_deadline() {
    let mut settings = config();
    settings.retry.backoff_base_ms = 60_000;
    settings.retry.backoff_cap_ms = 3_600_000;
    let mut rig = Rig::new(settings);
    rig.replica_ready(facts("default-0", 1));
    let order = rig.create(1, within(100)).starts().remove(0);
    rig.failed(&order, TaskFault::WorkerReset);
    assert!(
        matches!(rig.state(1), TaskState::Waiting(_)),
        "{:?}",
        rig.state(1)
    );
    let out = rig.advance(100);
    assert_eq!(ended(&out), [1]);
    assert_eq!(fault(&rig, 1), Some(TaskFault::DeadlineUnmet));
}

#[test]
fn a_restart_forgets_no_deadline() {
    let (mut rig, _) = measured();
    rig.create(1, within(10_000));
    rig.pass(4_000);
    rig.restart();
    assert!(ended(&rig.advance(5_999)).is_empty());
    assert_eq!(ended(&rig.advance(1)), [1]);
}

/// Steady load near what the slots can do: what is accepted with a deadline is in time.
#[test]
fn a_deadline_that_was_accepted_is_met() {
    let mut rig = Rig::new(config());
    rig.replica_ready(facts("default-0", 2));
    let mut running: Vec<(u64, AttemptOrder)> = Vec::new();
    let (mut accepted, mut refused, mut met) = (0, 0, 0);
    let mut due = std::collections::BTreeMap::new();
    let mut seed = 7u64;
    let mut draw = move |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let service = |roll: u64| 500 + roll;
    for task in 0..500u128 {
        // 2 slots, 1 s on average each: a task every half second is all they can do.
        let mut left = 350 + draw(300);
        loop {
            running.sort_by_key(|(at, _)| *at);
            let Some((at, order)) = running
                .first()
                .cloned()
                .filter(|(at, _)| *at <= rig.now.mono.0 + left)
            else {
                rig.pass(left);
                break;
            };
            let step = at - rig.now.mono.0;
            rig.advance(step);
            left -= step;
            running.remove(0);
            if let Some(deadline) = due.remove(&order.task.0) {
                met += u32::from(rig.now.mono.0 <= deadline);
            }
            let next = rig.finished(&order, FinishReason::Stop, 100).starts();
            running.extend(
                next.into_iter()
                    .map(|order| (rig.now.mono.0 + service(draw(1_000)), order)),
            );
        }
        let hurry = task % 3 == 0;
        let deadline_ms = 3_000 + draw(4_000);
        let spec = if hurry { within(deadline_ms) } else { batch() };
        let out = rig.create(task, spec);
        match out.reply() {
            Reply::TaskCreated { .. } if hurry => {
                accepted += 1;
                due.insert(task, rig.now.mono.0 + deadline_ms);
            }
            Reply::TaskRefused(_) if hurry => refused += 1,
            _ => {}
        }
        running.extend(
            out.starts()
                .into_iter()
                .map(|order| (rig.now.mono.0 + service(draw(1_000)), order)),
        );
    }
    let settled = accepted - u32::try_from(due.len()).unwrap();
    assert!(accepted > 100, "{accepted} accepted, {refused} refused");
    assert!(
        met * 100 >= settled * 95,
        "{met} of {settled} in time, {refused} refused"
    );
}
