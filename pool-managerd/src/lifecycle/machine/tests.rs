//! The table of every phase and input, and what holds for every history.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::spec::{RestartBudget, Watch};

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> Policy {
    Policy {
        ready_timeout: 30 * SECOND,
        stop_grace: 5 * SECOND,
        backoff: Backoff {
            first: SECOND,
            most: 8 * SECOND,
        },
        budget: RestartBudget {
            restarts: 3,
            window: 100 * SECOND,
            stable_after: 60 * SECOND,
        },
        watch: Watch {
            interval: 2 * SECOND,
            timeout: SECOND,
            misses: 2,
        },
    }
}

const INPUTS: [Input; 10] = [
    Input::Start,
    Input::Spawned,
    Input::SpawnFailed,
    Input::Proved,
    Input::Unproved,
    Input::HealthGood,
    Input::HealthMissed,
    Input::Exited,
    Input::Wake,
    Input::Stop,
];

/// A machine in each phase, reached by inputs.
fn phases() -> Vec<Lifecycle> {
    let histories: [&[Input]; 8] = [
        &[],
        &[Input::Start],
        &[Input::Start, Input::Proved],
        &[Input::Start, Input::Unproved],
        &[Input::Start, Input::Exited],
        &[Input::Start, Input::Stop],
        &[Input::Stop],
        &[
            Input::Start,
            Input::SpawnFailed,
            Input::Wake,
            Input::SpawnFailed,
            Input::Wake,
            Input::SpawnFailed,
            Input::Wake,
            Input::SpawnFailed,
        ],
    ];
    histories
        .iter()
        .map(|history| {
            let mut machine = Lifecycle::new(policy());
            for input in *history {
                let now = machine.next_wake().filter(|_| *input == Input::Wake);
                machine.step(now.unwrap_or_default(), 0, *input);
            }
            outputs(&mut machine);
            machine
        })
        .collect()
}

fn outputs(machine: &mut Lifecycle) -> Vec<Output> {
    std::iter::from_fn(|| machine.poll()).collect()
}

#[test]
fn every_phase_and_input() {
    let mut table = String::new();
    for from in phases() {
        for input in INPUTS {
            let mut machine = from.clone();
            let now = machine.next_wake().unwrap_or(40 * SECOND);
            machine.step(now, u64::MAX, input);
            let outputs = outputs(&mut machine);
            let wake = machine.next_wake().map(|wake| wake.saturating_sub(now));
            let pair = format!("{:?}, {input:?}", from.phase());
            let _ = write!(table, "{pair:23} ");
            if outputs.is_empty() && machine.phase() == from.phase() && machine.wake == from.wake {
                table.push_str("passed over\n");
            } else {
                let _ = writeln!(
                    table,
                    "{:?}, wake in {wake:?}: {outputs:?}",
                    machine.phase()
                );
            }
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_wake_before_its_time_does_nothing() {
    for mut machine in phases() {
        let (phase, wake) = (machine.phase(), machine.next_wake());
        let early = wake.unwrap_or(40 * SECOND).saturating_sub(SECOND / 1000);
        machine.step(early, 0, Input::Wake);
        assert_eq!((machine.phase(), machine.next_wake()), (phase, wake));
        assert_eq!(machine.poll(), None);
    }
}

/// Starts, fails at once, again and again; gives the pauses.
fn pauses(entropy: u64, ready_for: Duration) -> Vec<Duration> {
    let mut policy = policy();
    policy.budget.restarts = 6;
    let mut machine = Lifecycle::new(policy);
    let mut now = Duration::ZERO;
    let mut pauses = Vec::new();
    machine.step(now, entropy, Input::Start);
    while !machine.is_over() && pauses.len() < 10 {
        machine.step(now, entropy, Input::Proved);
        now += ready_for;
        machine.step(now, entropy, Input::Exited);
        if let Some(wake) = machine.next_wake() {
            pauses.push(wake - now);
            now = wake;
            machine.step(now, entropy, Input::Wake);
        }
    }
    pauses
}

#[test]
fn the_pause_doubles_up_to_a_bound_and_half_of_it_is_chance() {
    let longest = pauses(u64::MAX, SECOND);
    assert_eq!(longest, [1, 2, 4, 8, 8, 8].map(|seconds| seconds * SECOND));
    let shortest = pauses(0, SECOND);
    let halves: Vec<_> = longest.iter().map(|pause| *pause / 2).collect();
    assert_eq!(shortest, halves);
}

#[test]
fn a_stable_time_forgives_earlier_failures() {
    assert_eq!(pauses(u64::MAX, 60 * SECOND), [SECOND; 10]);
}

#[test]
fn a_window_that_has_passed_frees_the_budget() {
    // Never stable, but so far apart that at most two restarts are in one window.
    let pauses = pauses(u64::MAX, 59 * SECOND);
    assert_eq!(pauses.len(), 10);
    assert_eq!(pauses[9], 8 * SECOND);
}

#[test]
fn misses_count_in_a_row() {
    let mut machine = Lifecycle::new(policy());
    machine.step(Duration::ZERO, 0, Input::Start);
    machine.step(Duration::ZERO, 0, Input::Proved);
    for input in [Input::HealthMissed, Input::HealthGood, Input::HealthMissed] {
        machine.step(SECOND, 0, input);
        assert_eq!(machine.phase(), Phase::Ready);
    }
    machine.step(SECOND, 0, Input::HealthMissed);
    assert_eq!(machine.phase(), Phase::Killing);
}

proptest! {
    /// Whatever happens in whatever order: one process at a time, restarts within the budget, nothing is
    /// started after a stop, and a stop always ends the process and then the life.
    #[test]
    fn every_history_keeps_the_promises(
        history in prop::collection::vec((0..INPUTS.len(), 0_u32..40, any::<u64>()), 0..200)
    ) {
        let policy = policy();
        let mut machine = Lifecycle::new(policy);
        let mut now = Duration::ZERO;
        let (mut alive, mut fresh, mut told_to_end, mut stopped) = (false, false, false, false);
        let mut spawns: Vec<Duration> = Vec::new();
        let mut ready_since = None;
        let settle = [(7, 0, 0), (9, 0, 0), (8, 40, 0), (7, 0, 0)];
        for (input, passed, entropy) in history.into_iter().chain(settle) {
            let input = INPUTS[input];
            now += passed * SECOND;
            // The driver tells only of what can be: a process that is not there cannot end, and whether it
            // was started is told at once.
            let possible = match input {
                Input::SpawnFailed => fresh,
                Input::Exited | Input::Spawned | Input::Proved | Input::Unproved => alive,
                _ => true,
            };
            if !possible {
                continue;
            }
            fresh = false;
            stopped |= input == Input::Stop;
            machine.step(now, entropy, input);
            if matches!(input, Input::Exited | Input::SpawnFailed) {
                alive = false;
                if ready_since.take().is_some_and(|since| now - since >= policy.budget.stable_after) {
                    spawns.clear();
                }
            }
            while let Some(output) = machine.poll() {
                match output {
                    Output::Spawn => {
                        prop_assert!(!alive && !stopped);
                        (alive, fresh, told_to_end) = (true, true, false);
                        spawns.push(now);
                    }
                    Output::CloseStdin | Output::Kill => {
                        prop_assert!(alive);
                        told_to_end = true;
                    }
                    Output::Tell(Notice::Ready) => ready_since = Some(now),
                    Output::Tell(Notice::Down(DownReason::Unhealthy)) => {
                        if ready_since.take().is_some_and(|since| now - since >= policy.budget.stable_after) {
                            spawns.clear();
                        }
                    }
                    Output::CheckHealth | Output::Tell(_) => {}
                }
            }
            prop_assert!(!(stopped && alive) || told_to_end);
            let window = policy.budget.window;
            let recent = spawns.iter().filter(|at| now - **at < window).count();
            prop_assert!(recent <= policy.budget.restarts as usize + 1, "{recent} starts");
            prop_assert!(!machine.is_over() || !alive);
        }
        prop_assert!(machine.is_over());
    }
}
