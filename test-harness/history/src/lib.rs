//! What was seen of a deployment from outside, as plain data.
//!
//! A history is a list of [`Observation`]s in the order in which one observer made them: what clients asked
//! and were answered, what readers of streams were sent, what engines were asked to generate, which processes
//! came and went, and the phases of the run. It knows nothing of how the deployment works, and is the same for
//! real processes and for a simulated world. There is no I/O and no clock here: times are milliseconds that
//! the observer counts, real or virtual.
//!
//! A [`Judge`] reads a history, while it is made or afterwards, and says which properties it breaks. Each
//! property has a checker of its own. A checker believes nothing but what was seen, and what it cannot tell it
//! holds for innocent: an answer may cross another on its way, and what was sent may arrive late.

mod checkers;
mod conversation;
mod exchange;
mod frame;
mod id;
mod judge;
mod observation;
mod place;
mod standing;
#[cfg(test)]
mod story;
mod text;
mod violation;
mod words;
mod world;

pub use conversation::{Answer, Applied, Ask};
pub use frame::{ClosedBy, Frame, ReadFrom, ReaderEvent};
pub use id::{ClientId, DaemonId, GenerationId, ReaderId, RequestId, TaskId};
pub use judge::{Checker, Judge};
pub use observation::{Event, Observation, Phase};
pub use place::{NotAPlace, Place, PrefixHash};
pub use standing::{Finish, Listed, Outcome, Payload, Record, State};
pub use violation::{Harm, Property, Violation};
pub use words::story_of;
pub use world::{GenerationEvent, LinkEvent, Process, ProcessEvent};
