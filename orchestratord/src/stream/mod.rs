//! What the readers of a task see, live and after the fact.
//!
//! A [`TaskStream`] is the text of one live task as it grows, shared by the attempt that writes it and by
//! any number of readers. Readers hold a position, not a queue, so a slow one costs nothing and loses no
//! token. Token frames are previews: they go out before they are durable. What makes that safe is the
//! [`StreamId`] on each of them, which names the position and the hash of the text so far: a reader that
//! comes back is only continued if its prefix is ours, and a replay that gives another text than the one
//! released ends the stream rather than splice it.
//!
//! [`Opener`] finds what there is to read of a task, and [`ReaderState`] is one reader of it: both decide and
//! do nothing else. [`read_live`] drives a reader for whoever awaits its frames.
//!
//! Order of frames: `started` once, tokens, exactly one terminal frame; `metrics` in between.

mod frame;
mod frames;
mod hub;
mod id;
mod live;
mod opening;
mod reader;
mod readers;

pub use frame::{Frame, Waiting};
pub use frames::{Opening, Watch, read_ended, read_live};
pub use hub::StreamHub;
pub use id::StreamId;
pub use live::{PushError, TaskStream, Terminal};
pub use opening::{Opened, Opener, OpenerStep, Reading};
pub use reader::{ReadFrom, ReaderState, ReaderStep, WAITING_INTERVAL_MS};
pub use readers::CountedReader;
