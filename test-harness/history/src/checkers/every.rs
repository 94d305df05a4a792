//! All of them.

use super::{
    accepted_kept, attempts_once, cancel_bounds, conservation, ends_agree, ids_keep_payload,
    keys_keep_task, metered_once, nothing_stuck, one_result, one_terminal, refused_leave_nothing,
    streams_whole,
};
use crate::judge::Checker;

/// One of each.
pub(crate) fn every() -> Vec<Box<dyn Checker>> {
    vec![
        Box::<accepted_kept::AcceptedKept>::default(),
        Box::<attempts_once::AttemptsOnce>::default(),
        Box::<cancel_bounds::CancelBounds>::default(),
        Box::<conservation::Conservation>::default(),
        Box::<ends_agree::EndsAgree>::default(),
        Box::<ids_keep_payload::IdsKeepPayload>::default(),
        Box::<keys_keep_task::KeysKeepTask>::default(),
        Box::<metered_once::MeteredOnce>::default(),
        Box::<nothing_stuck::NothingStuck>::default(),
        Box::<one_result::OneResult>::default(),
        Box::<one_terminal::OneTerminal>::default(),
        Box::<refused_leave_nothing::RefusedLeaveNothing>::default(),
        Box::<streams_whole::StreamsWhole>::default(),
    ]
}
