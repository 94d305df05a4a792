//! A daemon's process: the real owner, streams, attempts and readers, driven by hand.
//!
//! What the product's thin drivers do on threads and tasks is done here by events: [`pump`] is the owner's
//! loop, [`attempts`] follows attempts, [`front`] answers requests, [`readers`] feeds streams, and
//! [`supervision`] tells what became of replicas. The decisions are the product's own.

mod attempts;
mod effects;
mod entropy;
mod front;
mod handing;
mod host;
mod lanes;
mod life;
mod pump;
mod readers;
mod reads;
mod releases;
mod supervision;

pub(crate) use front::SESSION_TOKENS;
pub(crate) use handing::brings_budget;
pub(crate) use host::{Daemon, Host, Standing};
pub use lanes::Asked;
pub(crate) use reads::{Read, at_once};
pub(crate) use supervision::facts;
