//! The generated client talks to the generated routers, over real HTTP on a loopback port.
#![allow(clippy::unwrap_used)]

mod agreement;
mod calls;
mod daemon;
mod golden;
mod refusals;
mod streams;
