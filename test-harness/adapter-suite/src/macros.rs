//! One test a case.

/// Makes a test of each case for a dialect: `conformance!(MyDialect);`. The crate needs tokio with `macros`,
/// `rt` and `test-util`.
#[macro_export]
macro_rules! conformance {
    ($dialect:expr) => {
        $crate::conformance!($dialect;
            whole_recordings, the_prompt_is_told_first, one_byte_at_a_time, every_place_to_cut, garbage_is_told,
            nothing_endless_is_held, refusals_mean_what_they_say, a_missing_end_is_a_reset,
            a_reset_connection_is_a_reset, dropping_the_stream_closes,
            dropping_before_the_reply_closes, headers_in_time, first_token_in_time,
            next_token_in_time, whole_in_time, health_is_read, facts_are_read, nobody_listens,
            plain_calls_in_time, says_everything
        );
    };
    ($dialect:expr; $($case:ident),+) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::cases::$case(std::sync::Arc::new($dialect)).await;
            }
        )+
    };
}
