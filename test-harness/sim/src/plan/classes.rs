//! Draws which classes there are, and who asks for which.

use orchestrator_core::queue::{ClassConfig, ClassName, FullPolicy};

use super::act::Act;
use super::operation::{Operation, Want};
use super::setup::Setup;
use crate::chance::Chance;

/// Names that the classes of a run have, the most urgent first.
const NAMES: [ClassName; 4] = [name("now"), name("soon"), name("later"), name("idle")];

/// A class that no run has, and that some ask for.
const UNKNOWN: ClassName = name("never");

const fn name(name: &str) -> ClassName {
    ClassName::named(name).expect("is a name")
}

/// In many runs there are one to four classes, some of which share a band, in the place of the usual two. In some, one of
/// them is not named to the second daemon.
pub(super) fn draw(chance: &mut Chance, setup: &mut Setup, operations: &mut [Operation]) {
    if chance.percent(40) {
        return;
    }
    let classes = classes(chance);
    let names: Vec<ClassName> = classes.iter().map(|class| class.name).collect();
    if let [_, others @ ..] = names.as_slice()
        && !others.is_empty()
        && chance.percent(35)
    {
        setup.unnamed = Some(chance.pick(others));
    }
    setup.machine.classes = classes;
    for operation in operations {
        match &mut operation.want {
            Want::Submit { wish, .. } => {
                let known = chance.pick(&names);
                wish.priority = if chance.percent(3) { UNKNOWN } else { known };
            }
            Want::Operate(Act::Bulk(bulk)) => {
                let known = chance.pick(&names);
                let asked = if chance.percent(5) { UNKNOWN } else { known };
                bulk.priority = bulk.priority.map(|_| asked);
            }
            _ => {}
        }
    }
}

fn classes(chance: &mut Chance) -> Vec<ClassConfig> {
    let count = 1 + chance.index(NAMES.len());
    let policies = [
        FullPolicy::DropLru,
        FullPolicy::Reject,
        FullPolicy::ShedLowPriority,
    ];
    let mut band = 1;
    let names = NAMES.iter().take(count);
    let classes = names.map(|name| {
        band += u32::from(chance.percent(55));
        ClassConfig {
            name: *name,
            capacity: chance.pick(&[1, 2, 3, 5, 8]),
            full: chance.pick(&policies),
            weight: chance.pick(&[1, 2, 8]),
            band,
        }
    });
    classes.collect()
}
