//! What was seen of a deployment from outside, as plain data.
//!
//! A history is a list of [`Observation`]s in the order in which one observer made them: what clients asked
//! and were answered, what readers of streams were sent, what engines were asked to generate, which processes
//! came and went, and the phases of the run. It knows nothing of how the deployment works, and is the same for
//! real processes and for a simulated world. There is no I/O and no clock here: times are milliseconds that
//! the observer counts, real or virtual.

mod conversation;
mod frame;
mod id;
mod observation;
mod place;
mod standing;
mod world;

pub use conversation::{Answer, Applied, Ask};
pub use frame::{ClosedBy, Frame, ReadFrom, ReaderEvent};
pub use id::{ClientId, DaemonId, GenerationId, ReaderId, RequestId, TaskId};
pub use observation::{Event, Observation, Phase};
pub use place::{NotAPlace, Place, PrefixHash};
pub use standing::{Class, Finish, Listed, Outcome, Payload, Record, State};
pub use world::{GenerationEvent, LinkEvent, Process, ProcessEvent};
