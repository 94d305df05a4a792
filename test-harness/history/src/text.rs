//! The text that one reader holds.

use crate::place::{Place, PrefixHash};

/// Tokens in their order, with the place after each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    tokens: Vec<String>,
    places: Vec<Place>,
    hash: PrefixHash,
}

impl Text {
    /// Number of tokens.
    pub(crate) fn len(&self) -> u64 {
        self.tokens.len() as u64
    }

    /// Adds a token; the place after it.
    pub(crate) fn push(&mut self, token: &str) -> Place {
        self.hash.push(token);
        let place = Place {
            position: self.len() + 1,
            hash: self.hash.value(),
        };
        self.tokens.push(token.to_owned());
        self.places.push(place);
        place
    }

    /// The place after so many tokens; none if there are fewer.
    pub(crate) fn place_at(&self, position: u64) -> Option<Place> {
        match usize::try_from(position).ok()?.checked_sub(1) {
            None => Some(Place {
                position: 0,
                hash: PrefixHash::default().value(),
            }),
            Some(last) => self.places.get(last).copied(),
        }
    }

    /// The place after so many tokens and the end.
    pub(crate) fn end_at(&self, position: u64) -> Option<Place> {
        let count = usize::try_from(position).ok()?;
        let tokens = self.tokens.get(..count)?;
        let mut hash = PrefixHash::default();
        tokens.iter().for_each(|token| hash.push(token));
        Some(Place {
            position,
            hash: hash.ended(),
        })
    }

    /// Forgets the tokens after a position.
    pub(crate) fn truncate(&mut self, position: u64) {
        let count = usize::try_from(position).unwrap_or(usize::MAX);
        self.tokens.truncate(count);
        self.places.truncate(count);
        self.hash = PrefixHash::default();
        for token in &self.tokens {
            self.hash.push(token);
        }
    }

    /// The token at an index.
    pub(crate) fn token(&self, index: u64) -> Option<&str> {
        let index = usize::try_from(index).ok()?;
        self.tokens.get(index).map(String::as_str)
    }

    /// All of it.
    pub(crate) fn whole(&self) -> String {
        self.tokens.concat()
    }
}
