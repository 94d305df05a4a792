//! What every engine adapter must do, once for all of them.
//!
//! - [`scripted`]: an engine's side of the wire, played byte by byte from a script on a loopback port.
//! - [`Dialect`]: what an adapter brings: how it is made, recordings with the events that they mean, and the
//!   engine's refusals with what they mean.
//! - [`cases`]: the suite over a dialect; [`conformance!`] makes one test of each case.
//! - [`live`]: the suite over an engine that really runs; [`live_conformance!`] makes the tests.

// A case fails by panicking, with what it saw.
#![allow(clippy::unwrap_used)]

pub mod cases;
mod dialect;
pub mod live;
mod macros;
mod outcome;
pub mod scripted;

pub use dialect::{Dialect, Exchange, Limits, Recording, Refusal};
pub use outcome::{Kind, collect, generation, within};
