//! Values with a taste for extremes, from a seed.

use orchestrator_core::id::Digest;

/// Draws values; the same seed draws the same ones.
pub struct Draw(u64);

impl Draw {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits (SplitMix64).
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number, often an extreme one.
    pub fn number(&mut self) -> u64 {
        match self.bits() % 6 {
            0 => 0,
            1 => u64::MAX,
            2 => i64::MAX.cast_unsigned(),
            3 => i64::MIN.cast_unsigned(),
            4 => self.bits() % 1000,
            _ => self.bits(),
        }
    }

    /// A number of 32 bits, often an extreme one.
    pub fn number32(&mut self) -> u32 {
        match self.bits() % 4 {
            0 => 0,
            1 => u32::MAX,
            _ => (self.bits() >> 32) as u32,
        }
    }

    /// An id, often a reserved one or one with leading zero bytes.
    pub fn id(&mut self) -> u128 {
        let id = (u128::from(self.bits()) << 64) | u128::from(self.bits());
        match self.bits() % 4 {
            0 => 0,
            1 => id >> (self.bits() % 128),
            _ => id,
        }
    }

    /// A digest.
    pub fn digest(&mut self) -> Digest {
        let mut bytes = [0; 32];
        for eight in bytes.chunks_exact_mut(8) {
            eight.copy_from_slice(&self.bits().to_be_bytes());
        }
        Digest(bytes)
    }

    /// A double: any bits, or one of those that get lost easily.
    pub fn double(&mut self) -> f64 {
        let awkward = [
            0.0,
            -0.0,
            1.0,
            -3.0,
            0.1,
            0.1 + 0.2,
            1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            9_007_199_254_740_993.0,
            f64::EPSILON,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            -f64::NAN,
        ];
        match self.bits() % 3 {
            0 => f64::from_bits(self.bits()),
            _ => self.one_of(&awkward),
        }
    }

    /// A text: empty, long, with characters of every width, with a zero byte or quotes.
    pub fn text(&mut self) -> String {
        let words = [
            "", "a", "é", "水", "🌊", "\0", "'", "\"", "\\", "\n", "null", " ",
        ];
        let length = self.bits() % 12;
        (0..length).map(|_| self.one_of(&words)).collect()
    }

    /// One of them.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.bits() % choices.len() as u64) as usize]
    }

    /// Maybe one.
    pub fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.bits().is_multiple_of(2).then(|| draw(self))
    }
}
