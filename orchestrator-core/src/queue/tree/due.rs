//! Who is due, and when the next one will be.

use super::{Prefix, Tree};
use crate::time::{AgeMs, MonoMs};

impl Tree {
    /// The tasks that are due.
    pub(crate) fn due(&self, now: MonoMs) -> Prefix {
        self.prefix(|entry| entry.turn.is_due(now))
    }

    /// When the first of those is due that are not yet.
    pub(crate) fn next_due(&self, now: MonoMs) -> Option<AgeMs> {
        let mut at = self.root;
        let mut next = None;
        while let Some(node) = self.node(at) {
            let turn = node.entry.turn;
            if turn.is_due(now) {
                at = node.right;
            } else {
                next = Some(turn.due);
                at = node.left;
            }
        }
        next
    }
}
