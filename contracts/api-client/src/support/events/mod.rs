//! Server-sent events, read.

mod decoder;
mod reader;

pub use decoder::{Decoder, EventTooLong, RawEvent};
pub use reader::{ClientEvent, EventReader, Turn};
