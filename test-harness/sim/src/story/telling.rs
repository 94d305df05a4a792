//! The story of one run, as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};

use orchestrator_core::id::AttemptId;

use super::step::Step;
use crate::agenda::{MILLI, Micros};

/// Steps that are kept.
pub const KEPT: usize = 50;

/// The story of one run.
#[derive(Debug, Default)]
pub struct Story {
    hash: Fnv,
    told: u64,
    last: VecDeque<(Micros, Step)>,
    attempts: BTreeMap<AttemptId, u32>,
    /// All of it in words, if somebody asked.
    whole: Option<Vec<String>>,
}

impl Story {
    /// Nothing has happened. `whole`: keep every step in words.
    #[must_use]
    pub fn new(whole: bool) -> Self {
        Self {
            whole: whole.then(Vec::new),
            ..Self::default()
        }
    }

    /// Something happened.
    pub fn tell(&mut self, at: Micros, step: Step) {
        self.told += 1;
        at.hash(&mut self.hash);
        step.hash(&mut self.hash);
        if let Some(whole) = &mut self.whole {
            whole.push(line(at, &step));
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back((at, step));
    }

    /// The number under which an attempt is told of, from 1 in the order of appearance.
    pub fn attempt(&mut self, attempt: AttemptId) -> u32 {
        let next = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX) + 1;
        *self.attempts.entry(attempt).or_insert(next)
    }

    /// Steps so far.
    #[must_use]
    pub fn told(&self) -> u64 {
        self.told
    }

    /// The hash of all of them.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash.0
    }

    /// The last steps, in words.
    #[must_use]
    pub fn last(&self) -> Vec<String> {
        self.last.iter().map(|(at, step)| line(*at, step)).collect()
    }

    /// Every step in words, if they were kept.
    #[must_use]
    pub fn into_whole(self) -> Vec<String> {
        self.whole.unwrap_or_default()
    }
}

fn line(at: Micros, step: &Step) -> String {
    format!("{:>10}.{:03} ms  {step}", at / MILLI, at % MILLI)
}

/// FNV-1a, 64 bits: the same on every machine, which the standard library's hasher does not promise.
#[derive(Clone, Copy, Debug)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, number: u64) {
        // One round for the whole word: a story has many numbers.
        self.0 = (self.0 ^ number)
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(23);
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_step_or_another_moment_is_another_story() {
        let story = |at, word: &str| {
            let mut story = Story::new(false);
            story.tell(at, Step::Said(word.to_owned()));
            story.hash()
        };
        assert_eq!(story(1, "one"), story(1, "one"));
        assert_ne!(story(1, "one"), story(2, "one"));
        assert_ne!(story(1, "one"), story(1, "two"));
    }
}
