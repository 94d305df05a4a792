//! The machine, through its public seam, over a model of the store that refuses whatever a real one would.
#![allow(clippy::unwrap_used)]

mod bounds;
mod budgets;
mod cancel;
mod deadlines;
mod disconnect;
mod explain;
mod keys;
mod life;
mod model_store;
mod pools;
mod predictions;
mod properties;
mod queue;
mod refusals;
mod rig;
mod sessions;
mod shares;
mod world;
