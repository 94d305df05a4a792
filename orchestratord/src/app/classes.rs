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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use api_types::support::Validate;
    use api_types::{
        BulkFilter, KeyCreateRequest, KeyScopeChoice, PromptInput, TaskCreateRequest,
        TaskInputRequest,
    };
    use config_schema::{Config, QueueClass};
    use proptest::prelude::*;

    use super::*;

    /// Whether a class may have this name by the machine, by the configuration, and by each place of the contract.
    fn may_be_named(name: &str) -> [bool; 5] {
        let mut config = Config::default();
        config.queue.classes = vec![QueueClass::named(name)];
        let asked = Some(name.to_owned());
        let bulk = BulkFilter {
            priority: asked.clone(),
            ..BulkFilter::default()
        };
        let key = KeyCreateRequest {
            class_max: asked.clone(),
            ..KeyCreateRequest::new("key".to_owned(), vec![KeyScopeChoice::User])
        };
        let task = TaskCreateRequest {
            priority: asked,
            ..TaskCreateRequest::new(TaskInputRequest::Prompt(PromptInput {
                prompt: "prompt".to_owned(),
            }))
        };
        [
            ClassName::named(name).is_some(),
            config_schema::check(&config).is_empty(),
            bulk.validate().is_ok(),
            key.validate().is_ok(),
            task.validate().is_ok(),
        ]
    }

    #[test]
    fn a_plain_name_is_one_everywhere_and_each_other_letter_is_none_anywhere() {
        for byte in 0..=u8::MAX {
            let letter = char::from(byte);
            let first = may_be_named(&letter.to_string());
            assert_eq!(first, [letter.is_ascii_lowercase(); 5], "{letter:?}");
            let plain = matches!(letter, 'a'..='z' | '0'..='9' | '-');
            assert_eq!(
                may_be_named(&format!("a{letter}")),
                [plain; 5],
                "a{letter:?}"
            );
        }
        for (length, may) in [(0, false), (1, true), (23, true), (24, false)] {
            assert_eq!(
                may_be_named(&"a".repeat(length)),
                [may; 5],
                "{length} letters"
            );
        }
    }

    #[test]
    fn the_schema_of_the_configuration_says_the_same() {
        let schema: serde_json::Value =
            serde_json::from_str(&config_schema::schema_json()).unwrap();
        let name = &schema["$defs"]["QueueClass"]["properties"]["name"];
        assert_eq!(name["minLength"], 1);
        assert_eq!(name["maxLength"], 23);
        assert_eq!(name["pattern"], "^[a-z][a-z0-9-]*$");
    }

    proptest! {
        #[test]
        fn what_is_a_name_to_one_is_one_to_all(
            name in prop_oneof!["[a-z0-9-]{0,26}", "[a-zA-Z0-9_. -]{0,8}", ".{0,30}"],
        ) {
            let machine = ClassName::named(&name).is_some();
            prop_assert_eq!(may_be_named(&name), [machine; 5]);
        }
    }
}
