//! The seed of a task that names none.

use sha2::{Digest as _, Sha256};

use crate::id::TaskId;

/// The default seed of a task: the first 4 bytes, big-endian, of SHA-256 over the 16 bytes of its id,
/// 31 bits of them, and never 0 (0 becomes 1). In 1..=2^31 - 1.
#[must_use]
pub fn seed_of(task: TaskId) -> u32 {
    let hash = Sha256::digest(task.0.to_be_bytes());
    let first = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    (first & 0x7fff_ffff).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        // SHA-256 of the ids' 16 bytes begins with 374708ff and with 8b1ae42f.
        assert_eq!(seed_of(TaskId(0)), 0x3747_08ff);
        assert_eq!(seed_of(TaskId(3)), 0x0b1a_e42f);
    }

    proptest! {
        #[test]
        fn is_in_the_range_of_the_contract(id in any::<u128>()) {
            let seed = seed_of(TaskId(id));
            prop_assert!((1..=2_147_483_647).contains(&seed));
        }
    }
}
