//! Merging neighbours: the best-ranked pair becomes one symbol, until no pair has a rank.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A stretch of the text in a doubly linked list; merged away when its length is zero.
struct Symbol {
    start: usize,
    len: usize,
    previous: Option<usize>,
    next: Option<usize>,
}

/// Two neighbours that may be merged, greatest rank first, and the one further left of equals.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pair<R: Ord> {
    rank: R,
    left: Reverse<usize>,
    right: usize,
    /// Their joint length when they were found; another length later means that one has changed.
    len: usize,
}

/// Cuts `text` into characters, merges them as `rank` says, and hands what is left to `symbol`, in
/// order. `rank` sees two neighbours; the greatest is merged first, `None` never.
pub(super) fn merge<'a, R: Ord>(
    text: &'a str,
    rank: impl FnMut(&str, &str) -> Option<R>,
    mut symbol: impl FnMut(&'a str),
) {
    let mut merge = Merge::new(text, rank);
    merge.run();
    for left in merge.symbols.iter().filter(|symbol| symbol.len > 0) {
        symbol(&text[left.start..left.start + left.len]);
    }
}

struct Merge<'a, R: Ord, F> {
    text: &'a str,
    rank: F,
    symbols: Vec<Symbol>,
    pairs: BinaryHeap<Pair<R>>,
}

impl<'a, R: Ord, F: FnMut(&str, &str) -> Option<R>> Merge<'a, R, F> {
    fn new(text: &'a str, rank: F) -> Self {
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
            text,
            rank,
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
            let at = pair.left.0;
            let (left, right) = (&self.symbols[at], &self.symbols[pair.right]);
            if left.len == 0 || right.len == 0 || left.len + right.len != pair.len {
                continue;
            }
            let next = right.next;
            self.symbols[at].len = pair.len;
            self.symbols[at].next = next;
            self.symbols[pair.right].len = 0;
            if let Some(next) = next {
                self.symbols[next].previous = Some(at);
                self.consider(at, next);
            }
            if let Some(previous) = self.symbols[at].previous {
                self.consider(previous, at);
            }
        }
    }

    fn consider(&mut self, left: usize, right: usize) {
        let start = self.symbols[left].start;
        let middle = self.symbols[right].start;
        let end = middle + self.symbols[right].len;
        if let Some(rank) = (self.rank)(&self.text[start..middle], &self.text[middle..end]) {
            self.pairs.push(Pair {
                rank,
                left: Reverse(left),
                right,
                len: end - start,
            });
        }
    }
}
