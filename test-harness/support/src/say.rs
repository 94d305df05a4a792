//! What programs tell whoever reads standard output and standard error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Writes a report, and ends its last line. A reader that has gone away has seen enough.
///
/// # Errors
/// If standard output takes no more for another reason.
pub fn say(report: impl Display) -> io::Result<()> {
    let report = report.to_string();
    let written = writeln!(io::stdout(), "{}", report.trim_end());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a line to standard error, for whoever still reads it.
pub fn whisper(line: impl Display) {
    let _nobody_reads = writeln!(io::stderr(), "{line}");
}
