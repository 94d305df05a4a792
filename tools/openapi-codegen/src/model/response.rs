//! Replies of operations.

use super::schema::Typed;
use crate::yaml::Place;

/// A reply that is no problem.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Where it is written.
    pub at: Place,
    /// Its status.
    pub status: u16,
    /// Its description.
    pub doc: Option<String>,
    /// Headers that the operation sets itself.
    pub headers: Vec<Header>,
    /// What it carries.
    pub content: Content,
}

/// A header of a reply.
#[derive(Clone, Debug)]
pub struct Header {
    /// Its name on the wire.
    pub name: String,
    /// Whether it is always there.
    pub required: bool,
    /// Its description.
    pub doc: Option<String>,
    /// Its type.
    pub typed: Typed,
}

/// What a reply carries.
#[derive(Clone, Debug)]
pub enum Content {
    /// No body.
    Nothing,
    /// `application/json`.
    Json(Typed),
    /// `text/plain`.
    Text,
    /// `text/event-stream`; the operation lists the events.
    Events,
}
