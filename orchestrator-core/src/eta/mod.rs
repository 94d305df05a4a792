//! When a task will start, as far as one can tell.
//!
//! A simple estimate, and only that: the machine keeps, for each pool, a moving average of how long a finished
//! attempt held its slot (each new value weighs 1/8; before the first there is a configured guess). With `n`
//! tasks ahead and `s` slots among the pools that could serve, a slot comes free every `average / s`
//! milliseconds, and the task starts after `n + 1` of them. It knows nothing of prompts' lengths, and nothing
//! of pools that are starting beyond counting one slot for each of their replicas.

//!
//! Whether a deadline is met is a question of how far single values lie from the average, too; that is kept beside
//! it, and how long an attempt takes for each token, so that a short task is not taken for a long one.

mod forecast;
mod service;

pub use forecast::{Forecast, Spread};

pub(crate) use forecast::forecast;
pub(crate) use service::ServiceTimes;
