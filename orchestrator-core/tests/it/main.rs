//! The machine, through its public seam, over a model of the store that refuses whatever a real one would.
#![allow(clippy::unwrap_used)]

mod affinity;
mod bounds;
mod budgets;
mod bulks;
mod cancel;
mod classes;
mod deadlines;
mod disconnect;
mod explain;
mod idempotency;
mod keys;
mod life;
mod model_store;
mod pauses;
mod pools;
mod predictions;
mod properties;
mod queue;
mod quota_oracle;
mod quotas;
mod refusals;
mod rig;
mod scheduled;
mod session_puts;
mod sessions;
mod share_oracle;
mod shares;
mod stage;
mod world;
