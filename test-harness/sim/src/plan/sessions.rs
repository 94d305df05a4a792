//! Draws what sessions are put with.

use super::act::Act;
use super::operation::{Operation, Want};
use super::setup::Setup;
use crate::agenda::Micros;
use crate::chance::Chance;

/// Tokens that a session may be put with. The first is less than many a task may use.
pub(crate) const PUT_TOKENS: [u64; 3] = [40, 600, 5_000];

/// In half of the runs sessions are put, before their first task and later.
pub(super) fn draw(
    chance: &mut Chance,
    setup: &Setup,
    chaos: Micros,
    operations: &mut Vec<Operation>,
) {
    if chance.percent(50) {
        return;
    }
    let longest = setup.machine.session_ttl_ms;
    for _ in 0..chance.within((1, 8)) {
        let act = Act::SessionPut {
            session: u32::try_from(chance.below(super::draw_operations::SESSIONS)).unwrap_or(0),
            tokens: chance.percent(80).then(|| chance.pick(&PUT_TOKENS)),
            ttl_ms: chance.percent(40).then(|| chance.within((100, longest))),
        };
        operations.push(Operation {
            at: chance.below(chaos),
            client: chance.index(setup.clients),
            want: Want::Operate(act),
        });
    }
    operations.sort_by_key(|operation| operation.at);
}
