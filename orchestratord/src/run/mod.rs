//! Runs attempts, and keeps the replicas they run on.
//!
//! The machine orders attempts as effects; here they are carried out. An [`engine::EngineRunner`] executes
//! generations in this process; [`attempt`] follows one attempt from its order to its end, writes its text
//! into the task's stream, and reports chunks and the end back to the owner; [`roster`] says what an effect
//! means for those under way, and [`attempts`] does it; [`replicas`] knows which engines can be called; [`process`] says which of them live in one process, [`fleet`] starts and watches them, and
//! [`supervision`] says what became of them. [`outlet`] and [`reports`] are the two ways between here and the owner.

pub mod attempt;
pub mod attempts;
pub mod engine;
pub mod fleet;
pub mod outlet;
pub mod pool;
pub mod process;
pub mod relief;
pub mod replicas;
pub mod reports;
pub mod roster;
pub mod supervision;
