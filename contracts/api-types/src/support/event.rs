//! Events of streaming operations.

use std::{error::Error, fmt};

use serde::{Serialize, de::DeserializeOwned};

/// An event of one streaming operation: a name and a payload in JSON.
pub trait Event: Sized {
    /// Every listed name.
    const LISTED: &'static [&'static str];
    /// Names of the events after which the stream ends.
    const TERMINAL: &'static [&'static str];

    /// The name on the wire.
    fn name(&self) -> &str;

    /// The payload as one line of JSON.
    ///
    /// # Errors
    ///
    /// If the payload cannot be written as JSON.
    fn data(&self) -> Result<String, EventError>;

    /// The event with this name and payload.
    ///
    /// # Errors
    ///
    /// If the payload of a listed name does not fit, or the name is not listed and the
    /// operation is not extensible.
    fn read(name: &str, data: &str) -> Result<Self, EventError>;

    /// Whether the stream ends after this event.
    fn is_terminal(&self) -> bool {
        Self::TERMINAL.contains(&self.name())
    }
}

/// An event whose name this version does not list. There is no public way to make one but
/// reading: what a server sends is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlistedEvent {
    name: String,
    data: String,
}

impl UnlistedEvent {
    /// For generated readers only.
    #[doc(hidden)]
    pub fn read(name: &str, data: &str) -> Self {
        Self {
            name: name.to_owned(),
            data: data.to_owned(),
        }
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The payload as it was read.
    pub fn data(&self) -> &str {
        &self.data
    }
}

/// Why an event could not be written or read.
#[derive(Debug)]
pub enum EventError {
    /// The payload of the named event is not what the contract says.
    Payload(String, serde_json::Error),
    /// The operation does not list an event of this name.
    NotListed(String),
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payload(name, error) => write!(f, "payload of event `{name}`: {error}"),
            Self::NotListed(name) => write!(f, "`{name}` is no event of this operation"),
        }
    }
}

impl Error for EventError {}

/// For generated writers: a payload as one line of JSON.
#[doc(hidden)]
pub fn event_data<T: Serialize>(payload: &T) -> Result<String, EventError> {
    serde_json::to_string(payload).map_err(|error| EventError::Payload(String::new(), error))
}

/// For generated readers: the payload of a listed event.
#[doc(hidden)]
pub fn event_payload<T: DeserializeOwned>(name: &str, data: &str) -> Result<T, EventError> {
    serde_json::from_str(data).map_err(|error| EventError::Payload(name.to_owned(), error))
}
