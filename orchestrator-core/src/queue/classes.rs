//! The classes that a machine knows: those of its configuration, and those of tasks from an earlier one.

use crate::queue::class::{ClassConfig, ClassName};
use crate::queue::front::FullPolicy;
use crate::queue::order::Band;

/// Place of a class in the order of urgency, from 0, the most urgent. It means something within one machine only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassRank(pub u32);

impl ClassRank {
    fn at(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX))
    }
}

/// One class, as the machine knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// What was decided about it.
    pub config: ClassConfig,
    /// Where its tasks stand before they are due.
    pub band: Band,
    /// False if only tasks from an earlier configuration are in it: it takes nobody new.
    pub configured: bool,
}

/// All classes, the most urgent first. Behind those of the configuration come the retired ones, by name: their tasks
/// wait in the last band at weight 1, and none of them ever goes for a newcomer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    all: Vec<Class>,
    configured: usize,
}

impl Classes {
    /// Those of a configuration. A band that is lower than one before it counts as that one.
    #[must_use]
    pub fn new(configured: &[ClassConfig]) -> Self {
        let mut all: Vec<Class> = Vec::with_capacity(configured.len());
        for config in configured {
            let band = match all.last() {
                None => Band::FIRST,
                Some(before) if config.band > before.config.band => Band(before.band.0 + 1),
                Some(before) => before.band,
            };
            all.push(Class {
                config: *config,
                band,
                configured: true,
            });
        }
        Self {
            configured: all.len(),
            all,
        }
    }

    /// Takes in a class of which there are tasks, and which may be one that is configured no more.
    pub(crate) fn meet(&mut self, name: ClassName) {
        if self.is_known(name) {
            return;
        }
        let last = self.all.last();
        let (band, number) = last.map_or((Band::FIRST, 1), |last| (last.band, last.config.band));
        let (_, retired) = self.all.split_at(self.configured);
        let at = retired.partition_point(|class| class.config.name < name);
        let class = Class {
            config: ClassConfig {
                name,
                capacity: 0,
                full: FullPolicy::Reject,
                weight: 1,
                band: number,
            },
            band,
            configured: false,
        };
        self.all.insert(self.configured + at, class);
    }

    /// All of them, the most urgent first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Class> {
        self.all.iter()
    }

    /// Those that are configured, the most urgent first.
    pub fn configured(&self) -> impl DoubleEndedIterator<Item = &Class> {
        self.all.iter().take(self.configured)
    }

    /// Those that are configured with their places, the most urgent first.
    pub(crate) fn ranked(&self) -> impl DoubleEndedIterator<Item = (ClassRank, &Class)> {
        let configured = self.all[..self.configured].iter();
        configured
            .enumerate()
            .map(|(place, class)| (ClassRank::at(place), class))
    }

    /// The names of those that are configured, the most urgent first.
    #[must_use]
    pub fn names(&self) -> Vec<ClassName> {
        self.configured().map(|class| class.config.name).collect()
    }

    /// True if tasks may come into it.
    #[must_use]
    pub fn is_configured(&self, name: ClassName) -> bool {
        self.configured().any(|class| class.config.name == name)
    }

    /// The one that is the most urgent, if there is any.
    #[must_use]
    pub fn most_urgent(&self) -> Option<ClassName> {
        self.configured().next().map(|class| class.config.name)
    }

    /// The names of all of them, the most urgent first.
    #[must_use]
    pub fn known(&self) -> Vec<ClassName> {
        self.iter().map(|class| class.config.name).collect()
    }

    /// True if there may be tasks in it.
    #[must_use]
    pub fn is_known(&self, name: ClassName) -> bool {
        self.find(name).is_some()
    }

    /// The class that a task waits in which asks for one, and for which another is the highest: the less urgent of
    /// the two. A highest class that is configured no more counts as the least urgent one there is; what is asked
    /// for and is not configured stays as it is, to be refused.
    #[must_use]
    pub fn at_most(&self, name: ClassName, class_max: ClassName) -> ClassName {
        if !self.is_configured(name) {
            return name;
        }
        let least = self.configured().next_back();
        let capped = if self.is_configured(class_max) {
            class_max
        } else {
            least.map_or(name, |class| class.config.name)
        };
        // The order begins with the most urgent.
        if self.rank(name) < self.rank(capped) {
            capped
        } else {
            name
        }
    }

    /// Place of a class; that of the last one if it is none of these.
    #[must_use]
    pub fn rank(&self, name: ClassName) -> ClassRank {
        let last = self.all.len().saturating_sub(1);
        let place = self.find(name).unwrap_or(last);
        ClassRank::at(place)
    }

    /// Place of a class; `None` if it is none of these.
    #[must_use]
    pub fn rank_known(&self, name: ClassName) -> Option<ClassRank> {
        self.find(name).map(ClassRank::at)
    }

    /// A class by its place.
    #[must_use]
    pub fn get(&self, rank: ClassRank) -> Option<&Class> {
        self.all.get(rank.0 as usize)
    }

    /// Where the tasks of a class stand before they are due.
    #[must_use]
    pub fn band(&self, rank: ClassRank) -> Band {
        self.get(rank).map_or(Band::FIRST, |class| class.band)
    }

    /// Weight of a class, at least 1.
    pub(crate) fn weight(&self, rank: ClassRank) -> u32 {
        self.get(rank).map_or(1, |class| class.config.weight.max(1))
    }

    fn find(&self, name: ClassName) -> Option<usize> {
        self.all.iter().position(|class| class.config.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> ClassName {
        ClassName::named(name).unwrap()
    }

    fn class(of: &str, band: u32) -> ClassConfig {
        ClassConfig {
            name: name(of),
            band,
            ..ClassConfig::batch()
        }
    }

    fn four() -> Classes {
        Classes::new(&[
            class("now", 1),
            class("soon", 1),
            class("later", 7),
            class("idle", 9),
        ])
    }

    #[test]
    fn bands_are_counted_from_the_first_and_shared_where_they_are_equal() {
        let bands: Vec<u32> = four().iter().map(|class| class.band.0).collect();
        assert_eq!(bands, [0, 0, 1, 2]);
    }

    #[test]
    fn a_class_of_an_earlier_configuration_stands_last_at_weight_one_and_takes_nobody() {
        let mut classes = four();
        for met in ["old", "now", "elder", "old"] {
            classes.meet(name(met));
        }
        let names: Vec<_> = classes
            .iter()
            .map(|class| class.config.name.to_string())
            .collect();
        assert_eq!(names, ["now", "soon", "later", "idle", "elder", "old"]);
        let old = classes.rank(name("old"));
        assert_eq!((classes.band(old), classes.weight(old)), (Band(2), 1));
        assert!(!classes.is_configured(name("old")));
        assert_eq!(classes.names(), four().names());
    }

    #[test]
    fn the_highest_class_of_a_key_caps_and_never_raises() {
        let mut classes = four();
        classes.meet(name("old"));
        let capped = |asked, most| classes.at_most(name(asked), name(most)).to_string();
        assert_eq!(capped("now", "later"), "later");
        assert_eq!(capped("idle", "later"), "idle");
        assert_eq!(
            capped("now", "old"),
            "idle",
            "no more than the least urgent"
        );
        assert_eq!(capped("now", "never"), "idle");
        assert_eq!(capped("never", "later"), "never", "it will be refused");
    }
}
