//! The suite over a dialect: one function a case, each panics with what it saw.

mod bytes;
mod clock;
mod endings;
mod plain;
mod setup;

pub use bytes::{
    characters_cut_in_two, every_place_to_cut, garbage_is_told, nothing_endless_is_held,
    one_byte_at_a_time, the_prompt_is_told_first, whole_recordings,
};
pub use clock::{
    connect_in_time, first_token_in_time, headers_in_time, next_token_in_time, whole_in_time,
};
pub use endings::{
    a_missing_end_is_a_reset, a_reset_connection_is_a_reset, connections_are_not_used_again,
    dropping_before_the_reply_closes, dropping_the_stream_closes, refusals_mean_what_they_say,
};
pub use plain::{
    facts_are_read, health_is_read, nobody_listens, plain_calls_in_time, says_everything,
};
