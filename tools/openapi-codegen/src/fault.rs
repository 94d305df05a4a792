//! What is wrong with a contract, and where.

use std::fmt;

use crate::yaml::Place;

/// One fault of the contract: where it stands, the rule that it breaks, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// File and line of the construct.
    pub at: Place,
    /// Short name of the rule, e.g. `unsupported` or `operation-id`.
    pub rule: &'static str,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Fault {
    /// A fault of the named rule.
    pub fn new(rule: &'static str, at: &Place, message: impl Into<String>) -> Self {
        Self {
            at: at.clone(),
            rule,
            message: message.into(),
        }
    }

    /// A construct that the generator does not translate.
    pub fn unsupported(at: &Place, message: impl Into<String>) -> Self {
        Self::new("unsupported", at, message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [{}] {}", self.at, self.rule, self.message)
    }
}

/// Result of a reading step that stops at its first fault.
pub type Outcome<T> = Result<T, Fault>;

/// Collects faults so that one run reports all of them.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Takes a fault in.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Keeps the value of a step that worked, or takes its fault in.
    pub fn keep<T>(&mut self, outcome: Outcome<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(fault) => {
                self.push(fault);
                None
            }
        }
    }

    /// Whether nothing was taken in so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` if nothing was taken in, else every fault once, in order of place.
    pub fn verdict(mut self) -> Result<(), Vec<Fault>> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort();
        self.0.dedup();
        Err(self.0)
    }
}
