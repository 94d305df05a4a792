//! A model in use.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::Holder;

/// A model that stays in memory for as long as this lives. Nothing else keeps it, so that its memory is free
/// when the last one is dropped.
pub(crate) struct Held<M> {
    index: usize,
    /// Gone only while this is dropped.
    model: Option<Arc<M>>,
    holder: Arc<Holder<M>>,
}

impl<M> Held<M> {
    /// The caller has counted one more use.
    pub(super) fn new(index: usize, model: Arc<M>, holder: Arc<Holder<M>>) -> Self {
        Self {
            index,
            model: Some(model),
            holder,
        }
    }

    /// Which of the models it is.
    pub(crate) fn index(&self) -> usize {
        self.index
    }
}

impl<M> Deref for Held<M> {
    type Target = M;

    fn deref(&self) -> &M {
        self.model.as_ref().expect("only the drop takes it away")
    }
}

impl<M> Drop for Held<M> {
    fn drop(&mut self) {
        // Before the use is over: what follows it must find the memory free.
        drop(self.model.take());
        self.holder.give_back();
    }
}

impl<M> fmt::Debug for Held<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
