//! Log lines, on standard error.

use std::env;
use std::io::{self, IsTerminal};

use config_schema::LogFormat;
use tracing_subscriber::EnvFilter;

/// Starts logging. A second call does nothing.
///
/// # Errors
/// The filter, if it is not one; the text says what is wrong with it.
pub fn init(filter: &str, format: LogFormat) -> Result<(), String> {
    let parsed = EnvFilter::try_new(filter).map_err(|error| {
        format!(
            "`{filter}` is not a log filter ({error}); write it like info or orchestratord=debug"
        )
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_ansi(colourful())
        // A log that takes nothing, such as a file on a full disk, is no reason to end.
        .log_internal_errors(false)
        .with_writer(io::stderr);
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    // Tests of several daemons in one process come here more than once.
    let _already = started.is_err();
    Ok(())
}

/// Colours are for terminals, and for people who have not asked to be spared them.
fn colourful() -> bool {
    io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
