//! What the generated calls lean on.

mod error;
mod events;
mod key;
mod reply;
mod retry;

pub use error::ApiError;
pub use events::{ClientEvent, Decoder, EventReader, EventTooLong, RawEvent, Turn};
pub use key::ApiKey;
pub use progenitor_client::encode_path;
pub use reply::{Reply, settle, settle_text};
pub use retry::{Backoff, retry};
