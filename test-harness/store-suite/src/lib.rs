//! One conformance suite, passed by every store.
//!
//! A store gives a [`Bench`] and names it in [`store_suite!`], which makes one test of each property
//! below. Nothing here knows what kind of store it is looking at.

mod bench;
mod draw;
mod picture;
mod properties;
mod sample;

pub use bench::{Bench, Desk};
pub use draw::Draw;
pub use properties::*;
pub use sample::{STATES, attempt, key, session, task};

/// Makes one test of each property of the suite, for a [`Bench`] that is given as a type.
#[macro_export]
macro_rules! store_suite {
    ($bench:ty) => {
        $crate::store_suite!(@tests $bench:
            a_body_survives,
            a_bulk_changes_its_mind_never_and_its_place_until_its_end,
            a_bulk_is_put_moved_on_and_forgotten,
            a_commit_of_nothing_is_logged,
            a_cut_page_continues_without_gap_or_repeat,
            a_failed_batch_leaves_nothing_behind,
            a_key_is_put_and_only_its_end_changes,
            an_idempotency_key_is_bound_last_and_forgotten_first,
            a_huge_body_and_a_huge_text_survive,
            a_list_shows_the_newest_first,
            a_load_begins_a_term_and_fences_the_one_before,
            a_quota_takes_the_place_of_the_revision_before,
            a_probe_begins_a_term_and_tells_how_far_the_log_got,
            a_prefetch_finds_what_has_ended_and_nothing_else,
            a_session_is_put_changed_and_deleted,
            a_session_of_one_tenant_is_not_another_s,
            a_stranger_sees_nothing_of_a_tenant,
            a_text_takes_the_place_of_its_chunks,
            a_whole_life_is_read_back_at_each_point,
            an_attempt_is_begun_and_ended,
            chunks_add_up_to_the_text,
            commits_out_of_turn_are_fenced,
            each_filter_of_a_list_narrows_it,
            every_broken_guard_is_told_and_changes_nothing,
            every_task_field_survives,
            every_attempt_field_survives,
            every_key_field_survives,
            every_idempotency_field_survives,
            everything_live_is_loaded_in_order,
            levels_and_pauses_are_what_was_put_last,
            reads_go_on_while_the_owner_writes,
            the_log_tells_every_event_in_order,
            what_is_committed_outlives_the_store,
        );
    };
    (@tests $bench:ty: $($property:ident),+ $(,)?) => {$(
        #[test]
        fn $property() {
            $crate::$property::<$bench>();
        }
    )+};
}
