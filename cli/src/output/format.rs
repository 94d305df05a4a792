//! The two forms of output.

/// How to print what the server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    // No documentation here: clap would repeat it at length in the help of every verb.
    Table,
    Json,
}
