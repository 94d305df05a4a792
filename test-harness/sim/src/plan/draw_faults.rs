//! Draws what goes wrong.

use super::fault::{CrashPoint, Fault, LateCommit};
use super::setup::Setup;
use super::whole::Timed;
use crate::agenda::{MILLI, Micros};
use crate::chance::Chance;

/// Faults of a run, by time. Each run draws how much each family of faults weighs, so that some runs have
/// nothing but crashes and others nothing but bad engines.
pub(super) fn draw(chance: &mut Chance, setup: &Setup, chaos: Micros) -> Vec<Timed> {
    let count = chance.pick(&[0, 1, 2, 3, 4, 6, 8, 12, 16, 24]);
    let weights: [u64; 4] = std::array::from_fn(|_| chance.below(4));
    let mut faults: Vec<Timed> = (0..count)
        .map(|_| Timed {
            at: chance.below(chaos),
            fault: one(chance, setup, &weights),
        })
        .collect();
    faults.sort_by_key(|timed| timed.at);
    faults
}

fn one(chance: &mut Chance, setup: &Setup, weights: &[u64; 4]) -> Fault {
    let sum: u64 = weights.iter().sum();
    let mut ticket = chance.below(sum.max(1));
    let mut family = 0;
    for (number, weight) in weights.iter().enumerate() {
        if ticket < *weight {
            family = number;
            break;
        }
        ticket -= weight;
    }
    match family {
        0 => daemon(chance, setup),
        1 => store(chance),
        2 => engine(chance, setup),
        _ => link(chance, setup),
    }
}

fn span(chance: &mut Chance) -> Micros {
    let most = chance.pick(&[50, 500, 3_000, 12_000]);
    chance.within((1, most)) * MILLI
}

/// Mostly the first daemon: most of the time it is the owner.
fn some_daemon(chance: &mut Chance, setup: &Setup) -> usize {
    if chance.percent(75) {
        0
    } else {
        chance.index(setup.daemons.len())
    }
}

fn daemon(chance: &mut Chance, setup: &Setup) -> Fault {
    let daemon = some_daemon(chance, setup);
    match chance.below(8) {
        0..=3 => Fault::DaemonCrash {
            daemon,
            point: match chance.below(5) {
                0 => CrashPoint::Now,
                1 => CrashPoint::CommitSent,
                2 => CrashPoint::CommitApplied,
                3 => CrashPoint::Releasing(u32::try_from(chance.below(4)).unwrap_or(0)),
                _ => CrashPoint::Loaded,
            },
            down: span(chance),
        },
        4 => Fault::DaemonPause {
            daemon,
            span: span(chance),
        },
        5 | 6 => Fault::Takeover {
            daemon: chance.index(setup.daemons.len()),
            belief: span(chance),
        },
        _ => Fault::WallJump {
            daemon,
            ms: match chance.below(3) {
                0 => i64::try_from(chance.within((1, 3_600_000))).unwrap_or(1),
                1 => -i64::try_from(chance.within((1, 3_600_000))).unwrap_or(1),
                _ => i64::try_from(chance.below(2_000)).unwrap_or(0) - 1_000,
            },
        },
    }
}

fn store(chance: &mut Chance) -> Fault {
    let times = u32::try_from(chance.within((1, 6))).unwrap_or(1);
    match chance.below(10) {
        0 | 1 => Fault::StoreBusy { times },
        2 => Fault::StoreSlow {
            by: chance.within((1, 2_000)) * MILLI,
            span: span(chance),
        },
        3..=5 => Fault::StoreUnknown {
            fate: match chance.below(3) {
                0 => LateCommit::Applied,
                1 => LateCommit::Lost,
                _ => LateCommit::Late(chance.within((1, 500)) * MILLI),
            },
        },
        6 => Fault::StoreProbesFail { times },
        7 => Fault::StoreLoadsFail { times },
        8 => Fault::StorePrefetchesFail { times },
        _ => Fault::StoreReadsFail { span: span(chance) },
    }
}

fn engine(chance: &mut Chance, setup: &Setup) -> Fault {
    let replica = chance.index(setup.replicas.len());
    let span = span(chance);
    match chance.below(12) {
        0 | 1 => Fault::EngineKill {
            replica,
            down: span,
        },
        2 => Fault::EngineHang {
            replica,
            span: span * 4,
        },
        3 => Fault::EngineSlow {
            replica,
            factor: chance.within((2, 50)),
            span,
        },
        4 | 5 => Fault::EngineReset { replica },
        6 | 7 => Fault::EngineWrong {
            replica,
            span: span * 2,
        },
        8 => Fault::EngineShort { replica, span },
        9 => Fault::EngineRefuses {
            replica,
            context: chance.percent(50),
            span,
        },
        10 => Fault::EngineUpgrade { replica },
        _ => Fault::PoolGivesUp {
            pool: chance.index(setup.pools().len()),
            span,
        },
    }
}

fn link(chance: &mut Chance, setup: &Setup) -> Fault {
    let daemon = some_daemon(chance, setup);
    let span = span(chance);
    let breaks = chance.percent(50);
    match chance.below(3) {
        0 => Fault::CutClients {
            daemon,
            span,
            breaks,
        },
        1 => Fault::CutStore {
            daemon,
            span,
            breaks,
        },
        _ => Fault::CutEngine {
            daemon,
            replica: chance.index(setup.replicas.len()),
            span,
        },
    }
}
