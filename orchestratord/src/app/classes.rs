//! The classes that are offered, as far as a request has to be understood by them. Who gets in decides the machine.

use config_schema::{FullPolicy as ConfigPolicy, Queue};
use orchestrator_core::queue::{ClassConfig, ClassName, Classes, FullPolicy};

use super::Caller;

/// The classes of the configuration.
#[derive(Clone, Debug)]
pub struct ClassOffer {
    classes: Classes,
    by_default: ClassName,
}

impl ClassOffer {
    /// Those of a configuration that was found without fault.
    #[must_use]
    pub fn of(queue: &Queue) -> Self {
        let by_default = ClassName::named(queue.class_by_default());
        Self {
            classes: Classes::new(&class_configs(queue)),
            by_default: by_default.expect("the configuration is checked"),
        }
    }

    /// Class of tasks that ask for none.
    #[must_use]
    pub fn by_default(&self) -> ClassName {
        self.by_default
    }

    /// The most urgent one.
    #[must_use]
    pub fn most_urgent(&self) -> ClassName {
        self.classes.most_urgent().unwrap_or(self.by_default)
    }

    /// The names of all of them, the most urgent first.
    #[must_use]
    pub fn names(&self) -> Vec<ClassName> {
        self.classes.names()
    }

    /// The class that a task waits in which asks for this one, of a caller who may not use all of them.
    pub(super) fn capped(&self, asked: ClassName, caller: &Caller) -> ClassName {
        match caller.class_max() {
            Some(class_max) => self.classes.at_most(asked, class_max),
            None => asked,
        }
    }
}

/// The classes of a configuration that was found without fault, in the machine's words.
#[must_use]
pub fn class_configs(queue: &Queue) -> Vec<ClassConfig> {
    let classes = queue.classes_in_bands().map(|(class, band)| ClassConfig {
        name: ClassName::named(&class.name).expect("the configuration is checked"),
        capacity: class.capacity,
        full: match class.full_policy {
            ConfigPolicy::DropLru => FullPolicy::DropLru,
            ConfigPolicy::Reject => FullPolicy::Reject,
            ConfigPolicy::ShedLowPriority => FullPolicy::ShedLowPriority,
        },
        weight: class.weight,
        band,
    });
    classes.collect()
}
