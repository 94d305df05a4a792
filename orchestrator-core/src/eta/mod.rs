//! When a task will start, as far as one can tell.
//!
//! The machine keeps, for each pool, how long finished attempts held their slot: a plain mean and variance of the
//! first 32, a moving one from then on, and before the first a configured guess. With `n` tasks ahead and `s` slots
//! among the pools that could serve, a slot comes free every `mean / s` milliseconds, and the task starts with the
//! `n + 1`st. The first of them comes sooner than a whole gap, because those under way have begun already: by half a
//! gap if all services are equal, by nothing if they are memoryless.
//!
//! Around that lies a band that four starts of five fall into, one in ten missing each end ([`StartBand`]). It comes from the measured
//! variance; and its two ends are moved, by class, by what became of earlier bands, so that it is right in the long
//! run also about what no measured service tells of, such as tasks that come later and go first. Where nothing is
//! measured, or no replica is ready, there is none. What is predicted knows nothing of prompts' lengths, and nothing
//! of pools that are starting beyond counting one slot for each of their replicas.
//!
//! Whether a deadline is met is a question of how far single values lie from the average, too; that is kept beside
//! it, and how long an attempt takes for each token, so that a short task is not taken for a long one.

mod band;
mod calibration;
mod forecast;
mod service;
mod sketch;

pub use band::StartBand;
pub use calibration::{Predictions, StartOutcome};
pub use forecast::{Forecast, Spread};

pub(crate) use calibration::Calibration;
pub(crate) use forecast::forecast;
pub(crate) use service::ServiceTimes;
