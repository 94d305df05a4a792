//! Stop texts: found even when they are spread over several tokens, and never shown.

/// What a piece of text came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// Text that no stop text can begin in.
    Text(String),
    /// A stop text was found; `text` is what came before it.
    Stopped { text: String, word: String },
}

/// Looks for stop texts in a text that comes in pieces.
///
/// The one that is complete first ends the text, the longest of those that are complete together.
/// That does not depend on how the text is cut, and nothing has to wait for what may follow.
pub(crate) struct StopScan {
    words: Vec<String>,
    /// The end of the text so far, as far as it may be the beginning of a stop text.
    held: String,
}

impl StopScan {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self {
            words,
            held: String::new(),
        }
    }

    pub(crate) fn push(&mut self, piece: &str) -> Scanned {
        self.held.push_str(piece);
        let found = self
            .words
            .iter()
            .filter_map(|word| Some((self.held.find(word.as_str())?, word)))
            .min_by_key(|(position, word)| (position + word.len(), *position));
        if let Some((position, word)) = found {
            let word = word.clone();
            self.held.truncate(position);
            return Scanned::Stopped {
                text: self.finish(),
                word,
            };
        }
        let hold_from = self.first_possible_start();
        let rest = self.held.split_off(hold_from);
        Scanned::Text(std::mem::replace(&mut self.held, rest))
    }

    /// What is held back, when no more will come.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Where the text ends in the beginning of a stop text; its length if nowhere.
    fn first_possible_start(&self) -> usize {
        self.held
            .char_indices()
            .map(|(start, _)| start)
            .find(|&start| {
                let tail = &self.held[start..];
                self.words.iter().any(|word| word.starts_with(tail))
            })
            .unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Scanned, StopScan};

    fn scan(words: &[&str], pieces: &[&str]) -> (String, Option<String>) {
        let mut scan = StopScan::new(words.iter().map(|&word| word.to_owned()).collect());
        let mut shown = String::new();
        for piece in pieces {
            match scan.push(piece) {
                Scanned::Text(text) => shown.push_str(&text),
                Scanned::Stopped { text, word } => return (shown + &text, Some(word)),
            }
        }
        (shown + &scan.finish(), None)
    }

    #[test]
    fn a_stop_text_over_several_pieces_is_found_and_not_shown() {
        let (shown, word) = scan(&["END"], &["one E", "N", "D two"]);
        assert_eq!((shown.as_str(), word.as_deref()), ("one ", Some("END")));
    }

    #[test]
    fn a_beginning_that_comes_to_nothing_is_shown_in_the_end() {
        let (shown, word) = scan(&["END"], &["one E", "N", "E"]);
        assert_eq!((shown.as_str(), word), ("one ENE", None));
    }

    #[test]
    fn the_first_to_be_complete_wins_and_the_longest_of_those() {
        let (shown, word) = scan(&["cd", "b"], &["abcd"]);
        assert_eq!((shown.as_str(), word.as_deref()), ("a", Some("b")));
        let (shown, word) = scan(&["abcd", "bc"], &["abcd"]);
        assert_eq!((shown.as_str(), word.as_deref()), ("a", Some("bc")));
        let (shown, word) = scan(&["bc", "abc"], &["xabcd"]);
        assert_eq!((shown.as_str(), word.as_deref()), ("x", Some("abc")));
    }

    proptest! {
        /// However a text is cut into pieces, the outcome is that of the whole text.
        #[test]
        fn the_cut_makes_no_difference(
            text in "[abé]{0,12}",
            words in prop::collection::vec("[abé]{1,3}", 0..3),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut bounds: Vec<usize> = cuts
                .iter()
                .map(|cut| cut.index(text.len() + 1))
                .filter(|&at| text.is_char_boundary(at))
                .collect();
            bounds.extend([0, text.len()]);
            bounds.sort_unstable();
            let pieces: Vec<&str> = bounds.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            let first_complete = words
                .iter()
                .filter_map(|word| text.find(word).map(|at| (at + word.len(), at)))
                .min();
            let whole = first_complete.map_or(text.as_str(), |(_, at)| &text[..at]);
            let (shown, _) = scan(&words, &pieces);
            prop_assert_eq!(shown, whole);
        }
    }
}
