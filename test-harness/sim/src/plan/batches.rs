//! Draws which tasks are handed over together.

use std::collections::VecDeque;

use super::operation::{Item, Operation, Want};
use super::setup::Setup;
use crate::chance::Chance;

/// Most tasks of a batch, those that are in it twice included.
const ITEMS_MAX: u64 = 8;

/// Puts tasks that are handed over one after another into batches, in some runs; with some of them twice. A batch is
/// handed over when its first task would have been. Under an idempotency key a task is always handed over alone.
pub(super) fn draw(chance: &mut Chance, setup: &mut Setup, operations: &mut Vec<Operation>) {
    if !chance.percent(40) {
        return;
    }
    setup.limits.batch_lane = chance.pick(&[1, 2, 8]);
    let share = chance.pick(&[30, 60, 100]);
    let (alone, others): (Vec<_>, Vec<_>) = std::mem::take(operations)
        .into_iter()
        .partition(|it| matches!(it.want, Want::Submit { keyed: false, .. }));
    let mut alone = VecDeque::from(alone);
    *operations = others;
    while let Some(first) = alone.front() {
        if !chance.percent(share) {
            operations.extend(alone.pop_front());
            continue;
        }
        let (at, client) = (first.at, first.client);
        let size = usize::try_from(chance.within((1, ITEMS_MAX))).unwrap_or(1);
        let together = alone.drain(..size.min(alone.len()));
        let mut items: Vec<Item> = together.filter_map(item).collect();
        repeat(chance, &mut items);
        setup.together_max = setup.together_max.max(items.len());
        operations.push(Operation {
            at,
            client,
            want: Want::SubmitMany { items },
        });
    }
    operations.sort_by_key(|operation| operation.at);
}

fn item(operation: Operation) -> Option<Item> {
    match operation.want {
        Want::Submit {
            task,
            named,
            keyed: _,
            wish,
            read,
        } => Some(Item {
            task,
            named,
            again: None,
            wish,
            read,
        }),
        _ => None,
    }
}

/// Puts some of those that are named in a second time, after the first, with the same payload or another.
fn repeat(chance: &mut Chance, items: &mut Vec<Item>) {
    for place in 0..items.len() {
        let full = items.len() as u64 >= ITEMS_MAX;
        let Some(first) = items.get(place) else {
            return;
        };
        if full || !first.named || first.again.is_some() || !chance.percent(25) {
            continue;
        }
        let again = Item {
            again: Some(chance.percent(40)),
            read: None,
            ..first.clone()
        };
        let latest = items.len() as u64;
        let place = chance.within((place as u64 + 1, latest));
        items.insert(usize::try_from(place).unwrap_or(items.len()), again);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::plan::Plan;

    #[test]
    fn batches_are_small_and_a_task_is_first_in_one_place_only() {
        let (mut sizes, mut twice) = (BTreeSet::new(), false);
        for seed in 0..200 {
            let mut first = BTreeSet::new();
            for operation in Plan::of(seed).operations {
                let Want::SubmitMany { items } = operation.want else {
                    if let Want::Submit { task, .. } = operation.want {
                        assert!(first.insert(task));
                    }
                    continue;
                };
                sizes.insert(items.len());
                for item in items {
                    match item.again {
                        None => assert!(first.insert(item.task)),
                        Some(_) => assert!(item.named && first.contains(&item.task)),
                    }
                    twice |= item.again.is_some();
                }
            }
        }
        assert_eq!(sizes, (1..=8).collect());
        assert!(twice);
    }
}
