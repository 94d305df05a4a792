//! Lines for whoever reads standard output.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::process;

/// Writes one line, formatted as by `format!`.
///
/// A reader that has gone away, as in `cargo xtask help | head`, has seen enough: what is written is lost then,
/// and what is done is done all the same. Where the output takes no more for another reason, the program ends.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::say::line(format_args!($($words)*))
    };
}
pub(crate) use say;

pub(crate) fn line(words: Arguments<'_>) {
    let written = writeln!(io::stdout(), "{words}");
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("xtask: standard output takes no more: {error}");
            process::exit(1);
        }
        _ => {}
    }
}
