//! Chaos with real processes: a daemon, its engines and engines of others are killed, stopped and cut off under a
//! mixed load, at moments that a seed has drawn. Everything that clients, readers and engines see is one history,
//! which the checkers of `test-harness-history` judge while it is made and at its end.
//!
//! A run has rounds. Each begins with an empty store and ends healed: all work must then come to rest, and
//! everything is looked at twice, with a restart in between. A seed repeats the schedule of faults and what clients
//! want; the moments come as real time has them.

mod dice;
mod director;
mod engine;
mod evidence;
mod figures;
mod load;
mod point;
mod proxy;
mod recorder;
mod report;
mod round;
mod run;
mod sabotage;
mod strike;
mod sweep;
mod world;

pub use director::Deeds;
pub use engine::EngineError;
pub use evidence::{UnreadableHistory, judge_kept};
pub use figures::Figures;
pub use point::Point;
pub use report::{Recovery, Report};
pub use round::RoundError;
pub use run::{Plan, run};
pub use sabotage::Sabotage;
pub use strike::{Break, Cable, Deed, Strike, Victim};
pub use world::WorldError;
