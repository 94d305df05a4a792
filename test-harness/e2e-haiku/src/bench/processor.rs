//! On which processor a thread runs.
//!
//! Who asks on one connection is kept on one, because chance would put it somewhere and leave it there: where that is
//! the processor that the disk interrupts, nobody who is to wake sleeps on another one. In a virtual machine this alone
//! is a quarter to a third of what one connection gets, and no work of what is measured.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Most processors that are tried.
const TRIED_MAX: usize = 4;

/// One processor, as the operating system numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Processor(pub(super) usize);

impl Processor {
    /// Those to try: all that this thread may use, or some that lie apart if there are many.
    pub(super) fn to_try() -> io::Result<Vec<Self>> {
        let allowed = sched_getaffinity(None)?;
        let all: Vec<Self> = (0..CpuSet::MAX_CPU)
            .filter(|number| allowed.is_set(*number))
            .map(Self)
            .collect();
        let apart = all.len().div_ceil(TRIED_MAX).max(1);
        Ok(all.into_iter().step_by(apart).collect())
    }

    /// Keeps the calling thread here from now on.
    pub(super) fn keep(self) -> io::Result<()> {
        let mut only = CpuSet::new();
        only.set(self.0);
        Ok(sched_setaffinity(None, &only)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stays_where_it_is_kept() {
        let to_try = Processor::to_try().unwrap();
        assert!((1..=TRIED_MAX).contains(&to_try.len()), "{to_try:?}");
        for processor in to_try {
            let kept = std::thread::spawn(move || {
                processor.keep().unwrap();
                Processor::to_try().unwrap()
            });
            assert_eq!(kept.join().unwrap(), [processor]);
        }
    }
}
