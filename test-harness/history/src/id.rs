//! Names of what takes part.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A task's id, the 128 bits of its UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u128);

/// A client, as the observer counts them.
pub type ClientId = u64;
/// A daemon, as the observer counts them. It keeps its number when it is started again.
pub type DaemonId = u32;
/// One generation in an engine, as the observer counts them.
pub type GenerationId = u64;
/// One who reads a stream, over all its connections, as the observer counts them.
pub type ReaderId = u64;
/// One question of a client, as the observer counts them; each try is one.
pub type RequestId = u64;

impl fmt::Display for TaskId {
    /// The UUID, in its usual form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(
            f,
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no UUID")]
pub struct NotATaskId;

impl FromStr for TaskId {
    type Err = NotATaskId;

    fn from_str(text: &str) -> Result<Self, NotATaskId> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotATaskId);
        }
        u128::from_str_radix(&digits, 16)
            .map(Self)
            .map_err(|_| NotATaskId)
    }
}

impl Serialize for TaskId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TaskId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written() {
        let id = TaskId(0x019a_2f3c_7a51_7c40_9a53_1f2e_3d4c_5b6a);
        assert_eq!(id.to_string(), "019a2f3c-7a51-7c40-9a53-1f2e3d4c5b6a");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("019a2f3c".parse::<TaskId>(), Err(NotATaskId));
        assert_eq!("+".repeat(32).parse::<TaskId>(), Err(NotATaskId));
    }
}
