//! Queued tasks of one lane and flow, by when they are due and then by accept sequence, with the questions that
//! must not cost a walk through all of them: how many are before this one and what do they cost, who is the
//! first that fits, who is the first that never will.
//!
//! A treap: a search tree whose shape is that of random insertion, the "random" priority of a node being a
//! hash of its sequence. Each node knows size, cost, and least and greatest need of its subtree. Equal
//! contents give equal shapes, so the machine stays a function of its inputs. 80 bytes a task.

mod prefix;

use std::cmp::Ordering;

use crate::id::{AcceptSeq, TaskId};
use crate::queue::order::Turn;

mod due;

pub(crate) use prefix::Prefix;

const NIL: u32 = u32::MAX;

/// One queued task, as far as order and fit are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Which.
    pub(crate) task: TaskId,
    /// Its place.
    pub(crate) turn: Turn,
    /// Context window that it needs, in tokens.
    pub(crate) need: u32,
    /// What it is expected to cost, in tokens.
    pub(crate) cost: u32,
}

#[derive(Clone, Debug)]
struct Node {
    entry: Entry,
    left: u32,
    right: u32,
    count: u32,
    need_least: u32,
    need_most: u32,
    cost: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
    /// The first task, which most who ask want.
    first: u32,
    /// The last one, behind which most who come stand.
    last: u32,
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            free: Vec::new(),
            root: NIL,
            first: NIL,
            last: NIL,
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

    /// All of them, taken together.
    pub(crate) fn whole(&self) -> Prefix {
        Prefix {
            count: self.count(self.root),
            cost: self.node(self.root).map_or(0, |node| node.cost),
        }
    }

    /// Adds a task. Its sequence must not be there.
    pub(crate) fn insert(&mut self, entry: Entry) {
        debug_assert_eq!(
            self.before(entry.turn),
            self.prefix(|other| other.turn <= entry.turn)
        );
        let node = Node {
            entry,
            left: NIL,
            right: NIL,
            count: 1,
            need_least: entry.need,
            need_most: entry.need,
            cost: u64::from(entry.cost),
        };
        let index = if let Some(index) = self.free.pop() {
            self.nodes[index as usize] = node;
            index
        } else {
            self.nodes.push(node);
            u32::try_from(self.nodes.len() - 1).expect("a queue is bounded far below 2^32 tasks")
        };
        self.root = self.put(self.root, index);
        let is_first = |first: &Node| entry.turn < first.entry.turn;
        if self.node(self.first).is_none_or(is_first) {
            self.first = index;
        }
        let is_last = |last: &Node| last.entry.turn < entry.turn;
        if self.node(self.last).is_none_or(is_last) {
            self.last = index;
        }
    }

    /// Takes a task out, if it is there.
    pub(crate) fn remove(&mut self, turn: Turn) -> Option<Entry> {
        let found = self.find(turn)?;
        let entry = self.nodes[found as usize].entry;
        self.root = self.cut(self.root, &entry);
        self.free.push(found);
        if self.first == found {
            self.first = self.outermost(|node| node.left);
        }
        if self.last == found {
            self.last = self.outermost(|node| node.right);
        }
        if self.root == NIL {
            *self = Self::default();
        }
        Some(entry)
    }

    /// The tasks before this place.
    pub(crate) fn before(&self, turn: Turn) -> Prefix {
        if self
            .node(self.last)
            .is_some_and(|last| last.entry.turn < turn)
        {
            return self.whole();
        }
        self.prefix(|entry| entry.turn < turn)
    }

    /// The longest prefix whose tasks all satisfy `holds`, which must be true up to some task and false from
    /// there on.
    fn prefix(&self, holds: impl Fn(&Entry) -> bool) -> Prefix {
        let mut at = self.root;
        let mut prefix = Prefix::default();
        while let Some(node) = self.node(at) {
            if holds(&node.entry) {
                // All but what is to the right, which is looked at next anyway.
                let right = self.node(node.right);
                prefix.count += node.count - right.map_or(0, |right| right.count);
                prefix.cost += node.cost - right.map_or(0, |right| right.cost);
                at = node.right;
            } else {
                at = node.left;
            }
        }
        prefix
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
        let first = self.node(self.first).map(|node| &node.entry);
        if let Some(first) = first.filter(|first| fits(first)) {
            return Some(first);
        }
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

    /// The node at the end of the way from the root that leads to this side.
    fn outermost(&self, side: impl Fn(&Node) -> u32) -> u32 {
        let mut at = self.root;
        while let Some(next) = self.node(at).map(&side).filter(|next| *next != NIL) {
            at = next;
        }
        at
    }

    fn find(&self, turn: Turn) -> Option<u32> {
        let mut at = self.root;
        while let Some(node) = self.node(at) {
            at = match turn.cmp(&node.entry.turn) {
                Ordering::Less => node.left,
                Ordering::Equal => return Some(at),
                Ordering::Greater => node.right,
            };
        }
        None
    }

    /// Adds a node to a subtree; the new root of it. Above its place nothing changes but the sums, so that no other
    /// child is looked at: the queue is long, and each look is one into cold memory.
    fn put(&mut self, at: u32, new: u32) -> u32 {
        let entry = self.nodes[new as usize].entry;
        let Some(node) = self.node(at) else {
            return new;
        };
        if weight(entry.turn.seq) > weight(node.entry.turn.seq) {
            let (left, right) = self.split(at, entry.turn);
            let node = &mut self.nodes[new as usize];
            (node.left, node.right) = (left, right);
            self.refresh(new);
            return new;
        }
        let is_right = node.entry.turn < entry.turn;
        let child = self.put(if is_right { node.right } else { node.left }, new);
        let node = &mut self.nodes[at as usize];
        *(if is_right {
            &mut node.right
        } else {
            &mut node.left
        }) = child;
        node.count += 1;
        node.cost += u64::from(entry.cost);
        node.need_least = node.need_least.min(entry.need);
        node.need_most = node.need_most.max(entry.need);
        at
    }

    /// Takes a node that is there out of a subtree; the new root of it.
    fn cut(&mut self, at: u32, entry: &Entry) -> u32 {
        let Some(node) = self.node(at) else {
            return NIL;
        };
        let (left, right) = (node.left, node.right);
        if node.entry.turn == entry.turn {
            return self.merge(left, right);
        }
        if node.entry.turn < entry.turn {
            self.nodes[at as usize].right = self.cut(right, entry);
        } else {
            self.nodes[at as usize].left = self.cut(left, entry);
        }
        let node = &mut self.nodes[at as usize];
        let was_the_bound = entry.need == node.need_least || entry.need == node.need_most;
        if was_the_bound && entry.need != node.entry.need {
            self.refresh(at);
        } else {
            // The bounds hold without it, so that neither child is looked at.
            node.count -= 1;
            node.cost -= u64::from(entry.cost);
        }
        at
    }

    /// Splits a subtree into what is before `turn` and the rest.
    fn split(&mut self, at: u32, turn: Turn) -> (u32, u32) {
        let Some(node) = self.node(at) else {
            return (NIL, NIL);
        };
        if node.entry.turn < turn {
            let (low, high) = self.split(node.right, turn);
            self.nodes[at as usize].right = low;
            self.refresh(at);
            (at, high)
        } else {
            let (low, high) = self.split(node.left, turn);
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
        if weight(low.entry.turn.seq) > weight(high.entry.turn.seq) {
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
        let mut cost = u64::from(node.entry.cost);
        for child in [node.left, node.right] {
            if let Some(child) = self.node(child) {
                count += child.count;
                cost += child.cost;
                least = least.min(child.need_least);
                most = most.max(child.need_most);
            }
        }
        let node = &mut self.nodes[at as usize];
        node.count = count;
        node.cost = cost;
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
