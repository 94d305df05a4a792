//! The waiting room and its classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most classes.
pub(crate) const CLASSES_MAX: usize = 16;

/// The waiting room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// The classes that tasks wait in, the most urgent first. If none is given there are two: `interactive` (capacity
    /// 1024, full_policy `reject`, weight 8) and `batch` (capacity 1024, full_policy `drop-lru`, weight 1).
    #[serde(rename = "class")]
    #[schemars(length(min = 1, max = 16))]
    pub classes: Vec<QueueClass>,
    /// Class of tasks that ask for none. If left out: `interactive` if there is one, and else the most urgent.
    pub default_class: Option<String>,
    /// Milliseconds after which a waiting task is due: it is overtaken in its class by nobody who comes later, and
    /// gets the share of its weight beside the most urgent ones.
    #[schemars(range(min = 1_000, max = 86_400_000))]
    pub age_after_ms: u64,
    /// Most tasks that wait for the `run_at_ms` that they were accepted for.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub scheduled_max: u32,
    /// A task with a deadline is refused if it is less likely than this to meet it, in thousandths, by what has
    /// been measured.
    #[schemars(range(min = 1, max = 999))]
    pub deadline_confidence_permille: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            classes: vec![
                QueueClass {
                    weight: 8,
                    ..QueueClass::named(Self::INTERACTIVE)
                },
                QueueClass {
                    full_policy: FullPolicy::DropLru,
                    ..QueueClass::named("batch")
                },
            ],
            default_class: None,
            age_after_ms: 300_000,
            scheduled_max: 10_000,
            deadline_confidence_permille: 950,
        }
    }
}

impl Queue {
    const INTERACTIVE: &str = "interactive";

    /// Class of tasks that ask for none; empty if there is no class, which is a fault.
    #[must_use]
    pub fn class_by_default(&self) -> &str {
        let mut names = self.classes.iter().map(|class| class.name.as_str());
        let most_urgent = names.clone().next().unwrap_or_default();
        match &self.default_class {
            Some(class) => class,
            None => names
                .find(|name| *name == Self::INTERACTIVE)
                .unwrap_or(most_urgent),
        }
    }

    /// The classes with the band of each: its own, or else its place in the list.
    pub fn classes_in_bands(&self) -> impl Iterator<Item = (&QueueClass, u32)> {
        (1..).zip(&self.classes).map(|(place, class)| {
            let band = class.band.unwrap_or(place);
            (class, band)
        })
    }
}

/// One class of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueClass {
    /// Name by which tasks and keys ask for it: small letters, digits and dashes, a letter first.
    #[schemars(length(min = 1, max = 23), regex(pattern = "^[a-z][a-z0-9-]*$"))]
    pub name: String,
    /// Most tasks that wait in it.
    #[serde(default = "QueueClass::default_capacity")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub capacity: u32,
    /// What happens when one more comes.
    #[serde(default = "QueueClass::default_full_policy")]
    pub full_policy: FullPolicy,
    /// Share of the tokens beside other classes, where they compete for the same slots.
    #[serde(default = "QueueClass::default_weight")]
    #[schemars(range(min = 1, max = 1_000))]
    pub weight: u32,
    /// Classes of one band share the slots by weight; a lower band goes before a higher one, strictly. Never lower than
    /// that of a class before it. If left out: the place in the list, from 1, so that each class goes before the next.
    #[schemars(range(min = 1, max = 16))]
    pub band: Option<u32>,
}

impl QueueClass {
    /// A class of which nothing but the name is said.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            capacity: Self::default_capacity(),
            full_policy: Self::default_full_policy(),
            weight: Self::default_weight(),
            band: None,
        }
    }

    const fn default_capacity() -> u32 {
        1_024
    }

    const fn default_full_policy() -> FullPolicy {
        FullPolicy::Reject
    }

    const fn default_weight() -> u32 {
        1
    }
}

/// What a full class does with a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FullPolicy {
    /// Takes it, and the oldest waiting task of the class ends with QUEUE_FULL_DROP_LRU.
    DropLru,
    /// Refuses it with ADMISSION_REJECT.
    Reject,
    /// Takes it, and of the least urgent class below its own that has tasks waiting, the one that was accepted last
    /// ends with QUEUE_FULL_SHED; refuses it if nothing less urgent waits.
    ShedLowPriority,
}
