//! What holds whatever happens. The rig judges every single step: guards of the store, recovery equal to the
//! live machine, ends told once, no task lost, slots counted right, every waiting task explained.

use std::sync::Arc;

use orchestrator_core::effect::Effect;
use orchestrator_core::id::{AttemptId, Epoch, TaskId};
use orchestrator_core::input::{AttemptEnd, Input, Report};
use orchestrator_core::machine::{Machine, Output};
use orchestrator_core::placement::Verdict;
use orchestrator_core::refusal::Refusal;
use orchestrator_core::reply::Reply;
use orchestrator_core::task::{AttemptState, TaskFault, TaskState};
use orchestrator_core::time::WallMs;
use proptest::prelude::*;

use crate::rig::{Rig, Seeded};
use crate::world::{Op, What, any_op, any_small, generates_twice, heal, make, replicas, small};

fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(any_op(), 1..70)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_step_keeps_the_rules(ops in ops(), config in any_small()) {
        let mut rig = Rig::new(config);
        for op in ops {
            make(&mut rig, op);
            prop_assert!(!generates_twice(&rig));
        }
    }

    /// Whatever has happened, once the world is well again everything ends, and everyone is answered.
    #[test]
    fn a_healed_world_comes_to_rest(ops in ops(), config in any_small()) {
        let mut rig = Rig::new(config);
        for op in ops {
            make(&mut rig, op);
        }
        heal(&mut rig);
        let left = rig.machine.hard_state();
        prop_assert!(left.tasks.values().all(|row| row.state == TaskState::Parked), "{left:#?}");
        prop_assert!(left.attempts.is_empty());
        prop_assert!(rig.unanswered.is_empty());
        prop_assert!(replicas().all(|name| rig.machine.slots_taken(&name) == 0));
        prop_assert_eq!(rig.machine.next_wake(), None);
    }

    /// No queued task waits while a slot that fits it is free.
    #[test]
    fn no_slot_is_left_idle(ops in ops(), config in any_small()) {
        let mut rig = Rig::new(config);
        for op in ops {
            make(&mut rig, op);
            rig.advance(0);
            for row in rig.machine.hard_state().tasks.values() {
                if row.state == TaskState::Queued {
                    let why = rig.machine.explain(rig.now, row.id).unwrap();
                    let free = why.candidates.iter().any(|one| {
                        matches!(
                            one.verdict,
                            Verdict::Chosen
                                | Verdict::Outranked
                        )
                    });
                    prop_assert!(!free, "{:?} waits: {:?}", row.id, why);
                }
            }
        }
    }

    /// Cancelled at any point, a task has ended once the time to confirm is over, everyone who asked knows, and
    /// no token is kept beyond the position they were told.
    #[test]
    fn a_cancel_at_any_point_ends_the_task(ops in ops(), task in 1u128..14, confirm in any::<bool>()) {
        let mut rig = Rig::new(small(true));
        for op in ops {
            make(&mut rig, op);
        }
        let known = rig.store.tasks.contains_key(&TaskId(task));
        let others = rig.unanswered.clone();
        let out = rig.cancel(task);
        if !known {
            let refused = matches!(out.reply(), Reply::Refused(Refusal::TaskUnknown { .. }));
            prop_assert!(refused);
            return Ok(());
        }
        rig.cancel(task);
        let head = rig.machine.record(TaskId(task)).and_then(|row| row.attempt.clone());
        if confirm && let Some(head) = head {
            let end = AttemptEnd::Failed { fault: TaskFault::WorkerReset, detail: String::new() };
            rig.report(Report::AttemptEnded { attempt: head.id, end });
        } else {
            rig.advance(5_000);
        }
        let row = rig.row(task).clone();
        prop_assert!(row.state.is_final());
        prop_assert!(rig.unanswered.is_subset(&others), "who asked was not told");
        let again = rig.cancel(task);
        prop_assert_eq!(again.reply(), &Reply::TaskCancelled(Arc::new(row)));
        prop_assert!(again.mutations.is_empty() && again.effects.is_empty());
    }

    /// A refused command, and one whose answer is replayed, leave the machine as it was, to the last soft bit.
    #[test]
    fn a_refusal_changes_nothing(ops in ops(), config in any_small()) {
        let mut rig = Rig::new(config);
        for op in ops {
            // Settles what is due at this moment, so that the command finds nothing else to do.
            rig.advance(0);
            rig.step(Input::Tick);
            let before = rig.machine.clone();
            let out = match op {
                Op::Create(task, spec) => rig.create(task, *spec),
                Op::SessionDelete(session) => rig.session_delete(session),
                Op::Key(ask) => rig.ask(*ask),
                Op::Quota(put) => rig.quota_put(*put),
                Op::Queue { pool, paused } => rig.queue_switch(pool, paused),
                other => {
                    make(&mut rig, other);
                    continue;
                }
            };
            if out.reply().refusal().is_some() || matches!(out.reply(), Reply::TaskCreated { replayed: true, .. }) {
                prop_assert_eq!(&rig.machine, &before);
                prop_assert!(out.mutations.is_empty() && out.effects.is_empty());
            }
        }
    }

    /// Reports about attempts that are not live, ticks, and readers of nothing change nothing durable.
    #[test]
    fn late_and_unknown_reports_change_nothing(ops in ops(), late in prop::collection::vec(any_op(), 1..40)) {
        let mut rig = Rig::new(small(false));
        for op in ops {
            make(&mut rig, op);
        }
        rig.advance(0);
        // Only attempts that are over stay known.
        rig.store.attempts.retain(|_, row| row.state != AttemptState::Live);
        let hard = rig.machine.hard_state();
        for op in late {
            let Op::Attempt { what, pick, .. } = op else { continue };
            let over: Vec<_> = rig.store.attempts.keys().copied().collect();
            let Some(attempt) = over.get(pick % over.len().max(1)).copied() else { continue };
            for report in late_reports(attempt, &what, &mut rig) {
                rig.machine.step(rig.now, &mut Seeded::default(), Input::Report(report));
                prop_assert_eq!(rig.machine.poll(), None);
            }
        }
        prop_assert_eq!(rig.machine.hard_state(), hard);
    }

    /// The same inputs give the same outputs.
    #[test]
    fn the_machine_is_deterministic(ops in ops()) {
        let mut one = Rig::new(small(false));
        let mut other = Rig::new(small(false));
        for op in ops {
            make(&mut one, op.clone());
            make(&mut other, op);
            prop_assert_eq!(&one.machine, &other.machine);
        }
        prop_assert_eq!(one.store.hard_state(), other.store.hard_state());
    }

    /// Whatever the wall clock does, nothing breaks, and nothing is lost.
    #[test]
    fn wall_clock_jumps_break_nothing(ops in prop::collection::vec((any_op(), prop::option::weighted(0.2, any::<u32>())), 1..60)) {
        let mut rig = Rig::new(small(true));
        for (op, jump) in ops {
            if let Some(jump) = jump {
                rig.now.wall = WallMs(u64::from(jump) * 1_000);
            }
            make(&mut rig, op);
        }
        // Whatever waits for a time has it once the clock is right again, and more than right.
        rig.now.wall = WallMs(u64::from(u32::MAX) * 1_000);
        heal(&mut rig);
        prop_assert_eq!(rig.machine.next_wake(), None);
    }

    /// A take-over that attaches orders again exactly what is live: a start, or a stop.
    #[test]
    fn recovery_orders_again_what_is_not_done(ops in ops()) {
        let mut rig = Rig::new(small(true));
        for op in ops {
            make(&mut rig, op);
        }
        rig.advance(0);
        let rows: Vec<_> = rig.machine.hard_state().tasks.into_values().collect();
        let config = rig.machine.config().clone();
        let mut again = Machine::recover(config, rig.now, rig.store.load(Epoch(rig.epoch.0 + 1)));
        let (mut starts, mut stops) = (0, 0);
        while let Some(output) = again.poll() {
            match output {
                Output::Effect(Effect::AttemptStart(_)) => starts += 1,
                Output::Effect(Effect::AttemptCancel { .. }) => stops += 1,
                Output::Effect(Effect::TaskStarted { .. }) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
        let count = |states: &[TaskState]| rows.iter().filter(|row| states.contains(&row.state)).count();
        prop_assert_eq!(starts, count(&[TaskState::Dispatched, TaskState::Running]));
        prop_assert_eq!(stops, count(&[TaskState::CancelRequested]));
    }
}

fn late_reports(attempt: AttemptId, what: &What, rig: &mut Rig) -> Vec<Report> {
    let chunk = rig.payload();
    vec![match what {
        What::Renewed => Report::AttemptRenewed { attempt },
        What::Running => Report::AttemptRunning { attempt },
        What::Chunk { tokens, .. } => Report::AttemptChunk {
            attempt,
            from: 0,
            to: *tokens,
            chunk,
        },
        What::Finished { finish, .. } => Report::AttemptEnded {
            attempt,
            end: AttemptEnd::Finished {
                finish: *finish,
                tokens_in: 1,
                tokens_out: 1,
                decode_ms: 1,
                first_token_ms: None,
                text: chunk,
            },
        },
        What::Failed(fault) => Report::AttemptEnded {
            attempt,
            end: AttemptEnd::Failed {
                fault: *fault,
                detail: String::new(),
            },
        },
    }]
}
