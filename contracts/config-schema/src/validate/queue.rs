//! Faults of the list of classes.

use std::collections::BTreeSet;

use super::Faults;
use crate::config::{CLASSES_MAX, Queue};

/// Most bytes of a class's name.
const NAME_MAX: usize = 23;

impl Faults {
    pub(super) fn queue(&mut self, queue: &Queue) {
        self.class_count(queue.classes.len());
        self.class_names(queue);
        self.class_values(queue);
        self.class_bands(queue);
        self.default_class(queue);
        self.range("/queue/age_after_ms", queue.age_after_ms, 1_000, 86_400_000);
        self.range(
            "/queue/scheduled_max",
            queue.scheduled_max.into(),
            1,
            10_000_000,
        );
    }

    fn class_count(&mut self, count: usize) {
        if count == 0 {
            self.add(
                "/queue/class",
                "without a class no task could wait".to_owned(),
                "write a table `[[queue.class]]` for each, or leave the list out for `interactive` and `batch`",
            );
        }
        if count > CLASSES_MAX {
            self.add(
                &format!("/queue/class/{CLASSES_MAX}"),
                format!("{count} classes are more than {CLASSES_MAX}"),
                "put into one class what is equally urgent; tenants share a class by their weights",
            );
        }
    }

    fn class_names(&mut self, queue: &Queue) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let mut names = BTreeSet::new();
        for (index, class) in queue.classes.iter().enumerate() {
            let (name, at) = (class.name.as_str(), format!("/queue/class/{index}/name"));
            let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
            if !begins || name.len() > NAME_MAX || !name.chars().all(plain) {
                self.add(
                    &at,
                    format!("`{name}` is not a name of a class"),
                    "use 1 to 23 small letters, digits and dashes, and begin with a letter",
                );
            }
            if !names.insert(name) {
                self.add(
                    &at,
                    format!("the name `{name}` is taken by an earlier class"),
                    "give each class a name of its own",
                );
            }
        }
    }

    fn class_values(&mut self, queue: &Queue) {
        for (index, class) in queue.classes.iter().enumerate() {
            let at = format!("/queue/class/{index}");
            let capacity = class.capacity.into();
            self.range(&format!("{at}/capacity"), capacity, 1, 10_000_000);
            self.range(&format!("{at}/weight"), class.weight.into(), 1, 1_000);
            let band = class.band.unwrap_or(1).into();
            self.range(&format!("{at}/band"), band, 1, CLASSES_MAX as u64);
        }
    }

    /// The list says who is the more urgent, and the bands may not say otherwise.
    fn class_bands(&mut self, queue: &Queue) {
        let bands: Vec<_> = queue.classes_in_bands().collect();
        for (index, pair) in bands.windows(2).enumerate() {
            let [(earlier, before), (class, band)] = pair else {
                continue;
            };
            if band < before {
                let whence = match class.band {
                    Some(_) => "",
                    None => ", its place in the list",
                };
                self.add(
                    &format!("/queue/class/{}/band", index + 1),
                    format!(
                        "`{}` is in band {band}{whence}, before `{}` in band {before}, which the list has before it",
                        class.name, earlier.name
                    ),
                    &format!(
                        "write the more urgent class first, or set band = {before} or a higher one here"
                    ),
                );
            }
        }
    }

    fn default_class(&mut self, queue: &Queue) {
        let Some(class) = &queue.default_class else {
            return;
        };
        let mut names = queue.classes.iter().map(|class| class.name.as_str());
        if !names.clone().any(|name| name == class) {
            let names: Vec<&str> = names.by_ref().collect();
            self.add(
                "/queue/default_class",
                format!("there is no class `{class}`"),
                &format!("one of: {}", names.join(", ")),
            );
        }
    }
}
