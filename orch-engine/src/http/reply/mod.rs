//! What is answered: errors, whole replies and streams, as llama.cpp writes them.

mod error;
mod frames;
mod probabilities;
mod stream;

pub(crate) use error::{ApiError, explain_wrong_method};
pub(crate) use frames::{Asked, CompletionFrames, FinalFrame, Timings};
pub(crate) use probabilities::probabilities;
pub(crate) use stream::{Frames, Whole, sse, stream_reply, whole};
