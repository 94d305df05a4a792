//! Queued tasks of one lane and class, by accept sequence, with the questions that must not cost a walk
//! through all of them: how many are before this one, who is the first that fits, who is the first that
//! never will.
//!
//! A treap: a search tree by sequence whose shape is that of random insertion, the "random" priority of a
//! node being a hash of its sequence. Each node knows size and least and greatest need of its subtree. Equal
//! contents give equal shapes, so the machine stays a function of its inputs. 80 bytes a task.

use crate::id::{AcceptSeq, TaskId};
use crate::time::AgeMs;

const NIL: u32 = u32::MAX;

/// One queued task, as far as order and fit are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Which.
    pub(crate) task: TaskId,
    /// Its place.
    pub(crate) seq: AcceptSeq,
    /// When it was accepted; does not fall as the sequence rises.
    pub(crate) since: AgeMs,
    /// Context window that it needs, in tokens.
    pub(crate) need: u32,
}

#[derive(Clone, Debug)]
struct Node {
    entry: Entry,
    left: u32,
    right: u32,
    count: u32,
    need_least: u32,
    need_most: u32,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            root: NIL,
        }
    }
}

impl PartialEq for Tree {
    /// Equal contents; where the nodes lie in memory does not count.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Tree {
    /// Number of tasks.
    pub(crate) fn len(&self) -> u32 {
        self.count(self.root)
    }

    /// True if there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.root == NIL
    }

    /// Adds a task. Its sequence must not be there.
    pub(crate) fn insert(&mut self, entry: Entry) {
        debug_assert!(self.rank(entry.seq) == self.count_while(|other| other.seq <= entry.seq));
        let node = Node {
            entry,
            left: NIL,
            right: NIL,
            count: 1,
            need_least: entry.need,
            need_most: entry.need,
        };
        let index = if let Some(index) = self.free.pop() {
            self.nodes[index as usize] = node;
            index
        } else {
            self.nodes.push(node);
            u32::try_from(self.nodes.len() - 1).expect("a queue is bounded far below 2^32 tasks")
        };
        let (left, right) = self.split(self.root, entry.seq);
        let left = self.merge(left, index);
        self.root = self.merge(left, right);
    }

    /// Takes a task out, if it is there.
    pub(crate) fn remove(&mut self, seq: AcceptSeq) -> Option<Entry> {
        let (left, rest) = self.split(self.root, seq);
        let (found, right) = self.split(rest, AcceptSeq(seq.0.saturating_add(1)));
        self.root = self.merge(left, right);
        if found == NIL {
            return None;
        }
        self.free.push(found);
        let entry = self.nodes[found as usize].entry;
        if self.root == NIL {
            *self = Self::default();
        }
        Some(entry)
    }

    /// Number of tasks with a lower sequence.
    pub(crate) fn rank(&self, seq: AcceptSeq) -> u32 {
        self.count_while(|entry| entry.seq < seq)
    }

    /// Length of the longest prefix whose tasks all satisfy `holds`, which must be true up to some
    /// sequence and false from there on.
    pub(crate) fn count_while(&self, holds: impl Fn(&Entry) -> bool) -> u32 {
        let mut at = self.root;
        let mut before = 0;
        while let Some(node) = self.node(at) {
            if holds(&node.entry) {
                before += self.count(node.left) + 1;
                at = node.right;
            } else {
                at = node.left;
            }
        }
        before
    }

    /// The first task that needs at most `ctx`.
    pub(crate) fn first_within(&self, ctx: u32) -> Option<&Entry> {
        self.first(|node| node.need_least <= ctx, |entry| entry.need <= ctx)
    }

    /// The first task that needs more than `ctx`.
    pub(crate) fn first_over(&self, ctx: u32) -> Option<&Entry> {
        self.first(|node| node.need_most > ctx, |entry| entry.need > ctx)
    }

    /// All tasks in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        let mut path = Vec::new();
        let mut at = self.root;
        std::iter::from_fn(move || {
            while let Some(node) = self.node(at) {
                path.push(node);
                at = node.left;
            }
            let node = path.pop()?;
            at = node.right;
            Some(&node.entry)
        })
    }

    fn first(
        &self,
        subtree_may: impl Fn(&Node) -> bool,
        fits: impl Fn(&Entry) -> bool,
    ) -> Option<&Entry> {
        let mut at = self.root;
        while let Some(node) = self.node(at) {
            if self.node(node.left).is_some_and(&subtree_may) {
                at = node.left;
            } else if fits(&node.entry) {
                return Some(&node.entry);
            } else if self.node(node.right).is_some_and(&subtree_may) {
                at = node.right;
            } else {
                return None;
            }
        }
        None
    }

    fn node(&self, index: u32) -> Option<&Node> {
        if index == NIL {
            None
        } else {
            self.nodes.get(index as usize)
        }
    }

    fn count(&self, index: u32) -> u32 {
        self.node(index).map_or(0, |node| node.count)
    }

    /// Splits a subtree into what is below `seq` and the rest.
    fn split(&mut self, at: u32, seq: AcceptSeq) -> (u32, u32) {
        let Some(node) = self.node(at) else {
            return (NIL, NIL);
        };
        if node.entry.seq < seq {
            let (low, high) = self.split(node.right, seq);
            self.nodes[at as usize].right = low;
            self.refresh(at);
            (at, high)
        } else {
            let (low, high) = self.split(node.left, seq);
            self.nodes[at as usize].left = high;
            self.refresh(at);
            (low, at)
        }
    }

    /// Joins two subtrees, all of the first below all of the second.
    fn merge(&mut self, left: u32, right: u32) -> u32 {
        let (Some(low), Some(high)) = (self.node(left), self.node(right)) else {
            return if left == NIL { right } else { left };
        };
        if weight(low.entry.seq) > weight(high.entry.seq) {
            let joined = self.merge(low.right, right);
            self.nodes[left as usize].right = joined;
            self.refresh(left);
            left
        } else {
            let joined = self.merge(left, high.left);
            self.nodes[right as usize].left = joined;
            self.refresh(right);
            right
        }
    }

    fn refresh(&mut self, at: u32) {
        let node = &self.nodes[at as usize];
        let mut count = 1;
        let mut least = node.entry.need;
        let mut most = node.entry.need;
        for child in [node.left, node.right] {
            if let Some(child) = self.node(child) {
                count += child.count;
                least = least.min(child.need_least);
                most = most.max(child.need_most);
            }
        }
        let node = &mut self.nodes[at as usize];
        node.count = count;
        node.need_least = least;
        node.need_most = most;
    }
}

/// Finaliser of splitmix64: spreads neighbouring sequences over all values.
fn weight(seq: AcceptSeq) -> u64 {
    let mut z = seq.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn entry(seq: u64, need: u32) -> Entry {
        Entry {
            task: TaskId(u128::from(seq)),
            seq: AcceptSeq(seq),
            since: AgeMs(seq.cast_signed()),
            need,
        }
    }

    /// Depth of a subtree.
    fn depth(tree: &Tree, at: u32) -> u32 {
        tree.node(at).map_or(0, |node| {
            1 + depth(tree, node.left).max(depth(tree, node.right))
        })
    }

    proptest! {
        #[test]
        fn answers_as_a_sorted_list_would(ops in prop::collection::vec((any::<bool>(), 1u64..40, 0u32..6), 0..120)) {
            let mut tree = Tree::default();
            let mut list: BTreeMap<u64, u32> = BTreeMap::new();
            for (add, seq, need) in ops {
                if add && !list.contains_key(&seq) {
                    list.insert(seq, need);
                    tree.insert(entry(seq, need));
                } else if !add {
                    let removed = tree.remove(AcceptSeq(seq)).map(|entry| entry.need);
                    prop_assert_eq!(removed, list.remove(&seq));
                }
                prop_assert_eq!(u64::from(tree.len()), list.len() as u64);
                let there: Vec<_> = tree.iter().map(|entry| (entry.seq.0, entry.need)).collect();
                prop_assert_eq!(&there, &list.iter().map(|(seq, need)| (*seq, *need)).collect::<Vec<_>>());
                prop_assert_eq!(u64::from(tree.rank(AcceptSeq(seq))), list.range(..seq).count() as u64);
                let within = list.iter().find(|(_, n)| **n <= need).map(|(seq, _)| *seq);
                prop_assert_eq!(tree.first_within(need).map(|entry| entry.seq.0), within);
                let over = list.iter().find(|(_, n)| **n > need).map(|(seq, _)| *seq);
                prop_assert_eq!(tree.first_over(need).map(|entry| entry.seq.0), over);
                let aged = list.keys().filter(|s| **s <= seq).count() as u64;
                let counted = tree.count_while(|entry| entry.since <= AgeMs(seq.cast_signed()));
                prop_assert_eq!(u64::from(counted), aged);
            }
        }
    }

    #[test]
    fn stays_shallow_when_filled_in_order_and_emptied_from_the_front() {
        let mut tree = Tree::default();
        for seq in 1..=100_000 {
            tree.insert(entry(seq, 1));
        }
        let full = depth(&tree, tree.root);
        assert!(full < 60, "100,000 tasks lie {full} deep; log2 is 17");
        for seq in 1..=50_000 {
            tree.remove(AcceptSeq(seq)).expect("was inserted");
        }
        assert!(depth(&tree, tree.root) < 60);
        assert_eq!(tree.len(), 50_000);
    }

    #[test]
    fn a_node_is_small() {
        assert!(size_of::<Node>() <= 80, "{}", size_of::<Node>());
    }
}
