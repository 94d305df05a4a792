//! Keys, as the daemon handles them: the text that a caller shows, the daemon's own key that it is checked under,
//! who is let in, and the first key.
//!
//! Which keys there are and what they are allowed to is the machine's business (`orchestrator_core::key`). The secret
//! part of a key is seen here and nowhere else, and kept nowhere.

mod end;
mod gate;
mod init;
mod server_key;
mod start;
mod token;

pub use end::ended;
pub use gate::{Access, Gate, Turned};
pub use init::{FirstKey, InitError, init, print_first_key};
pub use server_key::{SERVER_KEY_FILE, SERVER_KEY_VARIABLE, ServerKey, ServerKeyError};
pub use start::{KeysError, check_start};
pub use token::{ApiKey, hides_a_key};
