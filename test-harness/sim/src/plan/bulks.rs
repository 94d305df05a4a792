//! Draws commands over many tasks.

use orchestrator_core::bulk::LiveState;
use orchestrator_core::queue::ClassName;

use super::act::Act;
use super::operation::{Operation, Want};
use super::setup::Setup;
use crate::agenda::Micros;
use crate::chance::Chance;

/// A command over many tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bulk {
    /// Its number, which its id follows from.
    pub number: u64,
    /// True to cancel; else to take back into the queue.
    pub cancels: bool,
    /// Only tasks in this state.
    pub state: Option<LiveState>,
    /// Only tasks of this class.
    pub priority: Option<ClassName>,
    /// Only tasks of this session, by its number.
    pub session: Option<u32>,
}

/// Draws which bulks there are in a run; in many none, in some so many that the first are forgotten or refused.
pub(super) fn draw(
    chance: &mut Chance,
    setup: &Setup,
    chaos: Micros,
    operations: &mut Vec<Operation>,
) {
    if !chance.percent(30) {
        return;
    }
    let crowd = chance.percent(8);
    let bulks = match crowd {
        true => 80,
        false => chance.within((1, 4)),
    };
    let together = chance.below(chaos);
    let parks = setup.machine.retry.interruptions == 1;
    for number in 1..=bulks {
        let bulk = Bulk {
            number,
            cancels: chance.percent(if parks { 30 } else { 70 }),
            state: chance.percent(40).then(|| {
                chance.pick(&[
                    LiveState::Queued,
                    LiveState::Running,
                    LiveState::Parked,
                    LiveState::Waiting,
                ])
            }),
            priority: chance
                .percent(30)
                .then(|| chance.pick(&[ClassName::BATCH, ClassName::INTERACTIVE])),
            session: chance
                .percent(15)
                .then(|| u32::try_from(chance.below(3)).unwrap_or(0)),
        };
        operations.push(Operation {
            at: if crowd { together } else { chance.below(chaos) },
            client: chance.index(setup.clients),
            want: Want::Operate(Act::Bulk(bulk)),
        });
    }
    operations.sort_by_key(|operation| operation.at);
}
