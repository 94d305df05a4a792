//! One test a case.

/// Makes a test of each case for a dialect: `conformance!(MyDialect);`. The crate needs tokio with `macros`,
/// `rt` and `test-util`.
#[macro_export]
macro_rules! conformance {
    ($dialect:expr) => {
        $crate::cases!(Some($dialect);
            characters_cut_in_two, connect_in_time, connections_are_not_used_again, garbage_is_told,
            nothing_endless_is_held, refusals_mean_what_they_say, dropping_before_the_reply_closes,
            headers_in_time, health_is_read, facts_are_read, nobody_listens, plain_calls_in_time,
            says_everything
        );
        $crate::conformance_of_recordings!(Some($dialect));
    };
}

/// The cases of [`conformance!`] in which it matters what an engine really sends. The expression stands in an
/// async function; if it gives none, the tests do nothing.
#[macro_export]
macro_rules! conformance_of_recordings {
    ($dialect:expr) => {
        $crate::cases!($dialect;
            whole_recordings, the_prompt_is_told_first, one_byte_at_a_time, every_place_to_cut,
            a_missing_end_is_a_reset, a_reset_connection_is_a_reset, dropping_the_stream_closes,
            first_token_in_time, next_token_in_time, whole_in_time
        );
    };
}

/// Makes a test of each named case for a dialect, if there is one.
#[doc(hidden)]
#[macro_export]
macro_rules! cases {
    ($dialect:expr; $($case:ident),+) => {
        $(
            #[tokio::test]
            async fn $case() {
                let Some(dialect) = $dialect else { return };
                $crate::cases::$case(std::sync::Arc::new(dialect)).await;
            }
        )+
    };
}

/// Makes a test of each case for an engine that really runs: `live_conformance!(dialect, start, capture);`.
///
/// `start(Pace)` and `capture()` are async and give none if there is no such engine here: then the tests do
/// nothing. `capture` gives a dialect whose recordings were taken from the engine.
#[macro_export]
macro_rules! live_conformance {
    ($dialect:expr, $start:path, $capture:path) => {
        $crate::live_conformance!(@live $dialect, $start, Full;
            tells_its_facts, counts_add_up, the_seed_decides, refuses_what_exceeds_the_context,
            anything_said_is_told, generations_follow_one_another
        );
        $crate::live_conformance!(@live $dialect, $start, Endless;
            a_dropped_generation_frees_its_slot
        );

        $crate::live_conformance!(@engine $dialect, $start;
            dropped_it_is_idle_at_once, killed_it_breaks_off
        );

        mod captured {
            use super::*;
            $crate::conformance_of_recordings!($capture().await);
        }
    };
    (@engine $dialect:expr, $start:path; $($case:ident),+) => {
        $(
            #[tokio::test]
            async fn $case() {
                let Some(mut engine) = $start($crate::live::Pace::Endless).await else { return };
                let adapter = $crate::live::adapter(&$dialect, &engine).await;
                $crate::live::cases::$case(&adapter, &mut engine).await;
            }
        )+
    };
    (@live $dialect:expr, $start:path, $pace:ident; $($case:ident),+) => {
        $(
            #[tokio::test]
            async fn $case() {
                let Some(engine) = $start($crate::live::Pace::$pace).await else { return };
                let adapter = $crate::live::adapter(&$dialect, &engine).await;
                $crate::live::cases::$case(&adapter).await;
            }
        )+
    };
}
