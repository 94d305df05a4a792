//! Faults of a value, with the place where each stands.

use std::fmt;

/// One fault: where it stands and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer from the checked value to the fault; empty for the value itself.
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

impl Fault {
    /// A fault of the checked value itself.
    pub fn new(detail: impl Into<String>) -> Self {
        Self {
            pointer: String::new(),
            detail: detail.into(),
        }
    }

    /// The same fault, seen from the object that holds the checked value under `name`.
    #[must_use]
    pub fn under(mut self, name: &str) -> Self {
        let step = name.replace('~', "~0").replace('/', "~1");
        self.pointer = format!("/{step}{}", self.pointer);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.detail)
    }
}

/// A type of requests, whose bounds go beyond what its Rust type says.
pub trait Validate {
    /// Name of its schema in the contract.
    const SCHEMA: &'static str;

    /// Checks every range, length, pattern and count.
    ///
    /// # Errors
    ///
    /// The first fault found. Servers answer with every fault: they read the body again with a
    /// schema validator when this fails.
    fn validate(&self) -> Result<(), Fault>;
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn a_pointer_grows_from_the_inside_and_escapes_its_steps() {
        let fault = Fault::new("too long").under("a/b~c").under("metadata");
        assert_eq!(fault.to_string(), "/metadata/a~1b~0c: too long");
    }
}
