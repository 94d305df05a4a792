//! Bytes that pass the machine unseen.

/// What a [`orchestrator_core::id::PayloadRef`] stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Of a new task.
    Body(TaskBody),
    /// A chunk of a text, or the whole of it.
    Text(TaskText),
}

/// The part of a request that only the store and the runner need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskBody {
    /// The text of the prompt.
    pub prompt: String,
    /// Labels of the caller's own, by key.
    pub metadata: Vec<(String, String)>,
}

/// A run of tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskText {
    /// Their texts, one after the other.
    pub text: String,
    /// End of each token in `text`, in bytes, rising; as many as there are tokens. A token may be empty.
    pub ends: Vec<u32>,
}

impl TaskText {
    /// Number of tokens.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.ends.len() as u64
    }

    /// True if the boundaries rise to the end of the text and fall between characters.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.ends.is_sorted()
            && self.ends.last().map_or(0, |end| *end as usize) == self.text.len()
            && self
                .ends
                .iter()
                .all(|end| self.text.is_char_boundary(*end as usize))
    }

    /// Adds one token.
    pub fn push(&mut self, token: &str) {
        self.text.push_str(token);
        self.ends.push(
            u32::try_from(self.text.len())
                .expect("a text is bounded far below 4 GiB by its token limit"),
        );
    }

    /// Adds all tokens of another run.
    pub fn append(&mut self, other: &Self) {
        let base = u32::try_from(self.text.len())
            .expect("a text is bounded far below 4 GiB by its token limit");
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| base + end));
    }

    /// The token at an index, if there is one.
    #[must_use]
    pub fn token(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }
}
