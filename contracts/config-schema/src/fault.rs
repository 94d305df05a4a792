//! One fault of a configuration file.

use std::fmt;

/// What is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// Line in the file, from 1; none if the fault is not in the file.
    pub line: Option<usize>,
    /// Pointer to the value, such as `/pool/0/replicas`; empty for the whole file.
    pub pointer: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: Option<String>,
}

impl ConfigFault {
    /// The fault as one line for a person, with the name of the file.
    #[must_use]
    pub fn describe(&self, file: &str) -> String {
        let mut text = file.to_owned();
        if let Some(line) = self.line {
            text.push_str(&format!(":{line}"));
        }
        text.push_str(": ");
        if !self.pointer.is_empty() {
            text.push_str(&format!("{}: ", self.pointer));
        }
        text.push_str(&self.what);
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n  hint: {hint}"));
        }
        text
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe("configuration"))
    }
}
