//! The properties, one a file. Each checker keeps what it needs of a history and nothing else.

mod accepted_kept;
mod attempts_once;
mod cancel_bounds;
mod conservation;
mod ends_agree;
mod every;
mod ids_keep_payload;
mod keys_keep_task;
mod metered_once;
mod nothing_stuck;
mod one_result;
mod one_terminal;
mod refused_leave_nothing;
mod streams_whole;

pub(crate) use every::every;
