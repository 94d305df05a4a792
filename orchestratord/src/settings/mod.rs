//! What the daemon was told: flag before environment before file before default.

mod args;
mod load;

pub use args::{Args, ConfigCommand, InitArgs, ServeArgs, Verb};
pub use load::{DataPlace, Settings, SettingsError, check_file, load};
