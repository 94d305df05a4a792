//! The command line client `orch`.
//!
//! It sees the orchestrator through the generated client alone, so whatever it shows, every other
//! client of the contract can have too. What comes from the API goes to standard output, as a table
//! for people or as the API's own JSON; everything else (progress, refusals, advice) goes to standard
//! error. The exit status says which kind of trouble there was: [`Exit`].
//!
//! Each verb is one file that holds its arguments and what it does with them; [`output`] and
//! [`error`] decide how that looks. A new verb is a file and a variant in the enum of its noun.

mod app;
mod bulk;
mod classes;
mod completions;
mod config;
mod context;
mod error;
mod exit;
mod ids;
mod interrupt;
mod key;
mod key_source;
mod output;
mod own;
mod pools;
mod queue;
mod quota;
mod refusal;
mod request;
mod run;
mod server;
mod session;
mod status;
mod task;
mod times;
mod version;
mod watch;
mod whoami;

pub use app::main;
pub use exit::Exit;
