//! Draws what clients want.

use orchestrator_core::queue::ClassName;
use orchestrator_core::task::{Determinism, Engine, OnDisconnect};

use super::operation::{Habit, Operation, Want, Wish};
use super::setup::Setup;
use crate::agenda::{MILLI, Micros};
use crate::chance::Chance;

/// What a wall clock that is right shows when the world begins.
pub(crate) const WALL_ZERO_MS: u64 = 1_700_000_000_000;

/// Sessions of a run.
pub(super) const SESSIONS: u64 = 3;

/// Operations of a run, by time.
pub(super) fn draw(chance: &mut Chance, setup: &Setup, chaos: Micros) -> Vec<Operation> {
    let tasks = chance.pick(&[2, 4, 8, 12, 16, 24, 32, 48]);
    // Mostly they come over the whole time; sometimes all at once, so that queues are full.
    let crowd = chance.percent(40);
    let batch = chance.pick(&[20, 50, 80]);
    let mut operations = Vec::new();
    for task in 0..tasks {
        let latest = if crowd { chaos / 8 } else { chaos };
        let at = chance.below(latest);
        operations.push(Operation {
            at,
            client: chance.index(setup.clients),
            want: Want::Submit {
                task,
                named: chance.percent(80),
                keyed: false,
                wish: wish(chance, setup, batch),
                read: chance.percent(60).then(|| habit(chance)),
            },
        });
        for _ in 0..chance.pick(&[0, 0, 1, 1, 2, 3, 4]) {
            let after = chance.pick(&[5, 100, 2_000, 20_000]);
            operations.push(Operation {
                at: at + chance.within((0, after)) * MILLI,
                client: chance.index(setup.clients),
                want: later(chance, task),
            });
        }
    }
    operations.sort_by_key(|operation| operation.at);
    operations
}

/// Draws which tasks have a deadline, and which are let run again after they were given up.
pub(super) fn draw_terms(
    chance: &mut Chance,
    setup: &Setup,
    chaos: Micros,
    operations: &mut Vec<Operation>,
) {
    let mut requeues = Vec::new();
    for operation in operations.iter_mut() {
        let Want::Submit { task, wish, .. } = &mut operation.want else {
            continue;
        };
        let most = chance.pick(&[50, 2_000, 20_000]);
        wish.deadline_ms = chance.percent(25).then(|| chance.within((1, most)));
        if chance.percent(30) {
            requeues.push(Operation {
                at: chance.within((operation.at, chaos.max(operation.at))),
                client: chance.index(setup.clients),
                want: Want::Requeue { task: *task },
            });
        }
    }
    operations.extend(requeues);
    operations.sort_by_key(|operation| operation.at);
}

/// Draws which tasks are for later, which come under an idempotency key and are sent again, and in some runs many that
/// take parked tasks back.
pub(super) fn draw_later(
    chance: &mut Chance,
    setup: &Setup,
    chaos: Micros,
    operations: &mut Vec<Operation>,
) {
    let mut more = Vec::new();
    let unparks = setup.machine.retry.interruptions == 1;
    for operation in operations.iter_mut() {
        let Want::Submit {
            task,
            named,
            keyed,
            wish,
            ..
        } = &mut operation.want
        else {
            continue;
        };
        let most = chance.pick(&[200, 3_000, 20_000]);
        let after = chance.within((0, most));
        let due = operation.at / MILLI + after;
        wish.run_at_ms = chance.percent(20).then(|| WALL_ZERO_MS + due);
        *keyed = chance.percent(if *named { 20 } else { 70 });
        let (at, task) = (operation.at, *task);
        let mut add = |chance: &mut Chance, until: Micros, want: Want| {
            more.push(Operation {
                at: chance.within((at, until.max(at))),
                client: chance.index(setup.clients),
                want,
            });
        };
        if *keyed && chance.percent(60) {
            let changed = chance.percent(25);
            add(chance, at + 8_000 * MILLI, Want::Again { task, changed });
        }
        if unparks {
            for _ in 0..3 {
                add(chance, chaos, Want::Requeue { task });
            }
        }
    }
    operations.extend(more);
    operations.sort_by_key(|operation| operation.at);
}

fn later(chance: &mut Chance, task: usize) -> Want {
    match chance.below(10) {
        0 | 1 => Want::Again {
            task,
            changed: false,
        },
        2 => Want::Again {
            task,
            changed: true,
        },
        3 | 4 => Want::Cancel { task },
        5 | 6 => Want::Look { task },
        7 => Want::EndSession {
            session: u32::try_from(chance.below(SESSIONS)).unwrap_or(0),
        },
        _ => Want::Read {
            task,
            habit: habit(chance),
        },
    }
}

fn habit(chance: &mut Chance) -> Habit {
    let leaves = chance.percent(40);
    Habit {
        leaves_after: leaves.then(|| u32::try_from(chance.below(12)).unwrap_or(0)),
        away: chance
            .percent(80)
            .then(|| chance.within((1, 4_000)) * MILLI),
        frame: chance.pick(&[0, 0, 1, 30]) * MILLI,
    }
}

fn wish(chance: &mut Chance, setup: &Setup, batch: u64) -> Wish {
    let models = setup.replicas.len().min(2) as u64;
    let session = chance.percent(35);
    Wish {
        prompt: u32::try_from(chance.below(6)).unwrap_or(0),
        bytes: chance.pick(&[8, 40, 200, 2_000]),
        model: chance
            .percent(40)
            .then(|| u32::try_from(chance.below(models + 1)).unwrap_or(0)),
        engine: chance
            .percent(15)
            .then(|| chance.pick(&[Engine::Embedded, Engine::Llamacpp])),
        ctx: chance
            .percent(12)
            .then(|| chance.pick(&[128, 512, 1_024, 4_096])),
        max_tokens: u32::try_from({
            let most = chance.pick(&[1, 8, 40, 150]);
            chance.within((1, most))
        })
        .unwrap_or(1),
        ignore_eos: chance.percent(30),
        priority: if chance.percent(batch) {
            ClassName::BATCH
        } else {
            ClassName::INTERACTIVE
        },
        deadline_ms: None,
        run_at_ms: None,
        session: session.then(|| u32::try_from(chance.below(SESSIONS)).unwrap_or(0)),
        on_disconnect: if chance.percent(30) {
            OnDisconnect::Cancel
        } else {
            OnDisconnect::Continue
        },
        determinism: if chance.percent(30) {
            Determinism::Strict
        } else {
            Determinism::BestEffort
        },
        key: None,
    }
}
