//! What an engine writes.

use orchestrator_core::placement::ReplicaSetKey;

/// What decides a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    mixed: u64,
}

impl Source {
    /// Equal sets, prompts and seeds give equal texts. `wrong` is 0, or the number of a text that nobody
    /// should write.
    pub(crate) fn new(set: ReplicaSetKey, prompt: &str, seed: u32, wrong: u64) -> Self {
        let mut mixed = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(seed) ^ wrong.rotate_left(17);
        for byte in set.0.0.iter().copied().take(8).chain(prompt.bytes()) {
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self { mixed }
    }

    fn draw(self, index: u64) -> u64 {
        let mut z = self
            .mixed
            .wrapping_add((index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A token. Some are empty, some are not ASCII.
    pub(crate) fn token(self, index: u64) -> String {
        let draw = self.draw(index);
        match draw % 16 {
            0 => String::new(),
            1 => "\u{1f342}".to_owned(),
            2 => "\u{e9} ".to_owned(),
            _ => format!("w{} ", (draw >> 8) % 100),
        }
    }

    /// The length at which the model would end by itself.
    pub(crate) fn natural_length(self) -> u64 {
        self.draw(u64::MAX - 1) % 90
    }
}

/// Tokens of a text, and whether its end is the limit's.
pub(crate) fn length(source: Source, max_tokens: u32, ignore_eos: bool) -> (u64, bool) {
    let most = u64::from(max_tokens);
    let natural = source.natural_length();
    if ignore_eos || natural >= most {
        (most, true)
    } else {
        (natural, false)
    }
}
