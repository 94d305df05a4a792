//! The machine, through its public seam, over a model of the store that refuses whatever a real one would.
#![allow(clippy::unwrap_used)]

mod cancel;
mod life;
mod model_store;
mod rig;
