//! Values of extensible enumerations and unions that this version does not list.

use std::{error::Error, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned},
};
use serde_json::{Map, Value};

/// A text that an extensible enumeration does not list. There is no public way to make one
/// but reading: what a server sends is listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unlisted(String);

impl Unlisted {
    /// For generated readers only.
    #[doc(hidden)]
    pub fn read(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An object whose tag an extensible union does not list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct UnlistedObject {
    object: Map<String, Value>,
    #[serde(skip)]
    tag: String,
}

impl UnlistedObject {
    /// For generated readers only.
    #[doc(hidden)]
    pub fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        name: &'static str,
    ) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        match object.get(name) {
            Some(Value::String(tag)) => Ok(Self {
                tag: tag.clone(),
                object,
            }),
            Some(_) => Err(de::Error::custom(format_args!("`{name}` is not a string"))),
            None => Err(de::Error::missing_field(name)),
        }
    }

    /// For generated readers only: the object as one of the listed types.
    #[doc(hidden)]
    pub fn known<T: DeserializeOwned, E: de::Error>(&self) -> Result<T, E> {
        T::deserialize(Value::Object(self.object.clone())).map_err(E::custom)
    }

    /// Value of the tagging property.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The object as it was read.
    pub fn object(&self) -> &Map<String, Value> {
        &self.object
    }
}

/// A text that a closed enumeration does not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotListed {
    text: String,
    allowed: &'static [&'static str],
}

impl NotListed {
    /// A text, and what it could have been.
    pub fn new(text: &str, allowed: &'static [&'static str]) -> Self {
        Self {
            text: text.to_owned(),
            allowed,
        }
    }
}

impl fmt::Display for NotListed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not one of {}",
            self.text,
            self.allowed.join(", ")
        )
    }
}

impl Error for NotListed {}
