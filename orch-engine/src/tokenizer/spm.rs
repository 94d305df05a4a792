//! SentencePiece merging: the best-ranked pair of neighbours becomes one symbol, until none is left.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::vocabulary::BLANK;
use super::{TokenId, Vocabulary};

/// A stretch of the text in a doubly linked list; merged away when its length is zero.
struct Symbol {
    start: usize,
    len: usize,
    previous: Option<usize>,
    next: Option<usize>,
}

/// Two neighbours whose joint text is a token.
struct Pair {
    left: usize,
    right: usize,
    /// Their joint length when they were found; another length later means that one has changed.
    len: usize,
    score: f32,
}

impl Ord for Pair {
    /// The higher score first, then the one further left.
    fn cmp(&self, other: &Self) -> Ordering {
        // Scores are finite, the vocabulary refuses others, so this order is total.
        self.score
            .total_cmp(&other.score)
            .then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

/// Appends the tokens of `text` to `tokens`, after a leading blank if `space_prefix`.
pub(crate) fn encode(
    vocabulary: &Vocabulary,
    text: &str,
    space_prefix: bool,
    tokens: &mut Vec<TokenId>,
) {
    let mut escaped = String::with_capacity(text.len() + BLANK.len());
    if space_prefix {
        escaped.push_str(BLANK);
    }
    escaped.push_str(&text.replace(' ', BLANK));
    let mut merge = Merge::new(vocabulary, &escaped);
    merge.run();
    for symbol in merge.symbols.iter().filter(|symbol| symbol.len > 0) {
        let piece = &escaped[symbol.start..symbol.start + symbol.len];
        match vocabulary.lookup(piece) {
            Some(token) => tokens.push(token),
            // Only a single character can be unknown: whatever was merged is a token.
            None => tokens.extend(piece.bytes().map(|byte| vocabulary.byte_token(byte))),
        }
    }
}

struct Merge<'a> {
    vocabulary: &'a Vocabulary,
    text: &'a str,
    symbols: Vec<Symbol>,
    pairs: BinaryHeap<Pair>,
}

impl<'a> Merge<'a> {
    fn new(vocabulary: &'a Vocabulary, text: &'a str) -> Self {
        let count = text.chars().count();
        let symbols: Vec<Symbol> = text
            .char_indices()
            .enumerate()
            .map(|(i, (start, character))| Symbol {
                start,
                len: character.len_utf8(),
                previous: i.checked_sub(1),
                next: (i + 1 < count).then_some(i + 1),
            })
            .collect();
        let mut merge = Self {
            vocabulary,
            text,
            symbols,
            pairs: BinaryHeap::new(),
        };
        for right in 1..count {
            merge.consider(right - 1, right);
        }
        merge
    }

    fn run(&mut self) {
        while let Some(pair) = self.pairs.pop() {
            let (left, right) = (&self.symbols[pair.left], &self.symbols[pair.right]);
            if left.len == 0 || right.len == 0 || left.len + right.len != pair.len {
                continue;
            }
            let next = right.next;
            self.symbols[pair.left].len = pair.len;
            self.symbols[pair.left].next = next;
            self.symbols[pair.right].len = 0;
            if let Some(next) = next {
                self.symbols[next].previous = Some(pair.left);
                self.consider(pair.left, next);
            }
            if let Some(previous) = self.symbols[pair.left].previous {
                self.consider(previous, pair.left);
            }
        }
    }

    fn consider(&mut self, left: usize, right: usize) {
        let start = self.symbols[left].start;
        let len = self.symbols[left].len + self.symbols[right].len;
        if let Some(token) = self.vocabulary.lookup(&self.text[start..start + len]) {
            self.pairs.push(Pair {
                left,
                right,
                len,
                score: self.vocabulary.score(token),
            });
        }
    }
}
