//! What the generated routers lean on.

mod accept;
mod body;
mod call;
mod explain;
mod host;
mod operation;
mod params;
pub mod parse;
mod problem;
mod rejection;
pub mod reply;
mod route;
mod sse;

pub use api_types::support::{Fault, Validate, check};
pub use body::{BodyOverdue, RequestSchemas, throw_away};
pub use call::Call;
pub use host::ApiHost;
pub use operation::{Operation, Read, Requirement, Scope};
pub use params::Params;
pub use problem::{ProblemReply, problem_type};
pub use rejection::Rejection;
pub use route::{finish, path, refuse_method};
pub use sse::{EventStream, KEEP_ALIVE, ServerEvent};
