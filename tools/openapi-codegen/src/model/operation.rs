//! Operations.

use super::{
    parameter::Param,
    response::{Header, Reply},
};
use crate::yaml::{Node, Place};

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Where it is written.
    pub at: Place,
    /// Its `operationId`.
    pub id: String,
    /// Its one tag.
    pub tag: String,
    /// Its method, in lower case.
    pub method: String,
    /// Its path.
    pub path: String,
    /// One line on what it does.
    pub summary: Option<String>,
    /// More on what it does.
    pub doc: Option<String>,
    /// Requirements that it carries out.
    pub req_ids: Vec<(String, Place)>,
    /// Alternatives of security; `None` if neither it nor the document says anything.
    pub security: Option<Vec<Requirement>>,
    /// What a caller must be allowed to; `None` for an operation that anybody may call.
    pub scope: Option<Scope>,
    /// What kind of read it is.
    pub read: Option<Read>,
    /// Its parameters.
    pub params: Vec<Param>,
    /// Its request body.
    pub body: Option<Body>,
    /// Its replies that are no problem, by status.
    pub replies: Vec<Reply>,
    /// Statuses of the problems that it may answer with.
    pub problems: Vec<u16>,
    /// Headers that a problem may carry.
    pub problem_headers: Vec<Header>,
    /// Its events, if it streams.
    pub sse: Option<Sse>,
    /// Examples in its body and replies, by the name of the schema they must fit.
    pub examples: Vec<Example>,
}

/// A set of security schemes that suffice together, each with its scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement(pub Vec<(String, Vec<String>)>);

/// What a caller must be allowed to. A bearer scheme of OpenAPI 3.0 has no scopes of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing in particular: every caller who is known.
    Any,
    /// What keeps copies of the data.
    Backup,
    /// What a machine of the deployment does.
    Node,
    /// What who runs the deployment does.
    Operator,
    /// What users do.
    User,
}

/// Where a read takes its facts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// From the snapshot that the owner publishes.
    Live,
    /// From the store.
    Record,
}

/// A request body.
#[derive(Clone, Debug)]
pub struct Body {
    /// Where it is written.
    pub at: Place,
    /// Name of its schema.
    pub schema: String,
    /// Most bytes that it may have.
    pub limit_bytes: u64,
}

/// The events of a stream.
#[derive(Clone, Debug)]
pub struct Sse {
    /// Event name and schema name, in source order.
    pub events: Vec<(String, String)>,
    /// Names of the events that end the stream.
    pub terminal: Vec<String>,
    /// Whether more events may come.
    pub extensible: bool,
}

/// An example value.
#[derive(Clone, Debug)]
pub struct Example {
    /// Name of the schema it must fit.
    pub schema: String,
    /// Whether it stands in a request.
    pub in_request: bool,
    /// The value.
    pub value: Node,
}
