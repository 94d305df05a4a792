//! Fresh ids, drawn from a generator of the thread's own: the operating system is asked for chance once a thread and
//! not twice a request.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use uuid::{Builder, Uuid};

thread_local! {
    static CHANCE: RefCell<ChaCha12Rng> = RefCell::new(ChaCha12Rng::from_os_rng());
}

/// An id that tells nothing.
pub(super) fn random_id() -> Uuid {
    Builder::from_random_bytes(drawn()).into_uuid()
}

/// An id that rises with time, so that what is kept by it is kept in the order of its making.
pub(super) fn rising_id() -> Uuid {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Builder::from_unix_timestamp_millis(ms, &drawn()).into_uuid()
}

fn drawn<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    CHANCE.with_borrow_mut(|chance| chance.fill_bytes(&mut bytes));
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_of_their_kind_and_never_the_same_on_any_thread() {
        let draw = || -> Vec<Uuid> { (0..500).flat_map(|_| [random_id(), rising_id()]).collect() };
        let ids: Vec<Uuid> = std::thread::scope(|scope| {
            let one = scope.spawn(draw);
            let other = scope.spawn(draw);
            [one.join().unwrap(), other.join().unwrap(), draw()].concat()
        });
        let versions: HashSet<usize> = ids.iter().map(Uuid::get_version_num).collect();
        assert_eq!(versions, HashSet::from([4, 7]));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    }

    #[test]
    fn an_id_that_rises_tells_its_time() {
        let before = SystemTime::now();
        let (seconds, nanoseconds) = rising_id().get_timestamp().unwrap().to_unix();
        let told = UNIX_EPOCH + std::time::Duration::new(seconds, nanoseconds);
        let millisecond = std::time::Duration::from_millis(1);
        assert!(before - millisecond <= told && told <= SystemTime::now());
    }
}
