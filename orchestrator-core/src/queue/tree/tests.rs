//! The tree against a sorted list.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::time::AgeMs;

fn turn(due: i64, seq: u64) -> Turn {
    Turn {
        due: AgeMs(due),
        seq: AcceptSeq(seq),
    }
}

fn entry(turn: Turn, need: u32) -> Entry {
    Entry {
        task: TaskId(u128::from(turn.seq.0)),
        turn,
        need,
        cost: need + 1,
    }
}

/// Depth of a subtree.
fn depth(tree: &Tree, at: u32) -> u32 {
    tree.node(at).map_or(0, |node| {
        1 + depth(tree, node.left).max(depth(tree, node.right))
    })
}

fn sum<'a>(entries: impl Iterator<Item = &'a Entry>) -> Prefix {
    entries.fold(Prefix::default(), |sum, entry| Prefix {
        count: sum.count + 1,
        cost: sum.cost + u64::from(entry.cost),
    })
}

proptest! {
    #[test]
    fn answers_as_a_sorted_list_would(
        ops in prop::collection::vec((any::<bool>(), 1u64..40, 0u32..6), 0..120)
    ) {
        let mut tree = Tree::default();
        let mut list: BTreeMap<Turn, Entry> = BTreeMap::new();
        for (add, seq, need) in ops {
            // Not in the order of the sequence, and some due at the same moment.
            let at = turn(i64::try_from(seq * 7 % 11).unwrap(), seq);
            if add && !list.contains_key(&at) {
                list.insert(at, entry(at, need));
                tree.insert(entry(at, need));
            } else if !add {
                prop_assert_eq!(tree.remove(at), list.remove(&at));
            }
            prop_assert!(tree.iter().eq(list.values()));
            prop_assert_eq!(tree.whole(), sum(list.values()));
            prop_assert_eq!(tree.before(at), sum(list.range(..at).map(|(_, entry)| entry)));
            let within = list.values().find(|entry| entry.need <= need);
            prop_assert_eq!(tree.first_within(need), within);
            let over = list.values().find(|entry| entry.need > need);
            prop_assert_eq!(tree.first_over(need), over);
            let now = MonoMs(u64::from(need));
            let due = list.values().filter(|entry| entry.turn.due.0 <= i64::from(need));
            prop_assert_eq!(tree.due(now), sum(due));
            let mut dues = list.keys().map(|turn| turn.due);
            prop_assert_eq!(tree.next_due(now), dues.find(|due| due.0 > i64::from(need)));
        }
    }
}

#[test]
fn stays_shallow_when_filled_in_order_and_emptied_from_the_front() {
    let mut tree = Tree::default();
    for seq in 1..=100_000 {
        tree.insert(entry(turn(0, seq), 1));
    }
    let full = depth(&tree, tree.root);
    assert!(full < 60, "100,000 tasks lie {full} deep; log2 is 17");
    for seq in 1..=50_000 {
        tree.remove(turn(0, seq)).expect("was inserted");
    }
    assert!(depth(&tree, tree.root) < 60);
    assert_eq!(tree.len(), 50_000);
}

#[test]
fn a_node_is_small() {
    assert!(size_of::<Node>() <= 80, "{}", size_of::<Node>());
}
