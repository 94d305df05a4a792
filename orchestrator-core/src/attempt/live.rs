//! What the machine keeps of an attempt that is under way.

use crate::entropy::{Entropy, Stream};
use crate::id::AttemptId;
use crate::queue::Charge;
use crate::task::AttemptRecord;
use crate::time::{AgeMs, WallMs};

/// An attempt that has not ended as far as is known.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LiveAttempt {
    /// Its row.
    pub(crate) record: AttemptRecord,
    /// Milliseconds from acceptance of the task to the first token. Soft until the attempt ends.
    pub(crate) first_token_ms: Option<u64>,
    /// When its slot was taken. Soft.
    pub(crate) since: AgeMs,
    /// What its flow was charged for it. Soft: an attempt that outlives its owner is not settled.
    pub(crate) charge: Option<Charge>,
}

/// Makes an id: a UUID of version 7, so that ids of one daemon rise with time.
pub(crate) fn attempt_id(wall: WallMs, entropy: &mut dyn Entropy) -> AttemptId {
    let high = entropy.draw(Stream::AttemptId);
    let low = entropy.draw(Stream::AttemptId);
    let time = u128::from(wall.0 & 0xffff_ffff_ffff) << 80;
    let version = 0x7_u128 << 76;
    let rand_a = u128::from(high & 0x0fff) << 64;
    let variant = 0b10_u128 << 62;
    let rand_b = u128::from(low >> 2);
    AttemptId(time | version | rand_a | variant | rand_b)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn draw(&mut self, _: Stream) -> u64 {
            u64::MAX
        }
    }

    #[test]
    fn an_id_is_a_uuid_of_version_7() {
        let id = attempt_id(WallMs(0x0102_0304_0506), &mut Fixed);
        assert_eq!(id.to_string(), "01020304-0506-7fff-bfff-ffffffffffff");
    }
}
