//! What to do next about one process, decided without process or clock.

mod machine;
mod table;

pub use machine::Lifecycle;
pub use table::{DownReason, Input, Notice, Output, Phase};
