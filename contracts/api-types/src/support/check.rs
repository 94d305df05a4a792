//! Checks of single values. Each answers with a fault of the value itself.

use std::{collections::BTreeMap, fmt::Display, sync::OnceLock};

use regex::Regex;

use super::Fault;

/// Length of a text in Unicode characters, both bounds included.
pub fn length(text: &str, min: u64, max: u64) -> Result<(), Fault> {
    // Bytes are counted first: they bound the characters from above.
    let bytes = text.len() as u64;
    if min == 0 && bytes <= max {
        return Ok(());
    }
    let chars = text.chars().count() as u64;
    if chars < min {
        Err(Fault::new(format!(
            "{chars} characters are fewer than {min}"
        )))
    } else if chars > max {
        Err(Fault::new(format!(
            "{chars} characters are more than {max}"
        )))
    } else {
        Ok(())
    }
}

/// Number of items of a list, both bounds included.
pub fn items(count: usize, min: u64, max: u64) -> Result<(), Fault> {
    counted(count, "items", min, max)
}

/// Number of entries of a map, both bounds included.
pub fn entries(count: usize, min: u64, max: u64) -> Result<(), Fault> {
    counted(count, "entries", min, max)
}

fn counted(count: usize, what: &str, min: u64, max: u64) -> Result<(), Fault> {
    let count = count as u64;
    if count < min {
        Err(Fault::new(format!("{count} {what} are fewer than {min}")))
    } else if count > max {
        Err(Fault::new(format!("{count} {what} are more than {max}")))
    } else {
        Ok(())
    }
}

/// Range of an integer, both bounds included.
pub fn integer(value: i128, min: i128, max: i128) -> Result<(), Fault> {
    if value < min {
        Err(less(value, min))
    } else if value > max {
        Err(more(value, max))
    } else {
        Ok(())
    }
}

/// A number that must not be less than `min`.
pub fn at_least(value: f64, min: f64) -> Result<(), Fault> {
    match value >= min {
        true => Ok(()),
        false => Err(less(value, min)),
    }
}

/// A number that must not be greater than `max`.
pub fn at_most(value: f64, max: f64) -> Result<(), Fault> {
    match value <= max {
        true => Ok(()),
        false => Err(more(value, max)),
    }
}

/// A number that must be greater than `min`.
pub fn above(value: f64, min: f64) -> Result<(), Fault> {
    match value > min {
        true => Ok(()),
        false => Err(Fault::new(format!("{value} is not greater than {min}"))),
    }
}

/// A number that must be less than `max`.
pub fn below(value: f64, max: f64) -> Result<(), Fault> {
    match value < max {
        true => Ok(()),
        false => Err(Fault::new(format!("{value} is not less than {max}"))),
    }
}

fn less(value: impl Display, min: impl Display) -> Fault {
    Fault::new(format!("{value} is less than the minimum of {min}"))
}

fn more(value: impl Display, max: impl Display) -> Fault {
    Fault::new(format!("{value} is greater than the maximum of {max}"))
}

/// Checks each item of a list and adds its index to a fault.
pub fn each<T>(items: &[T], check: impl Fn(&T) -> Result<(), Fault>) -> Result<(), Fault> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| check(item).map_err(|fault| fault.under(&index.to_string())))
}

/// Checks each value of a map and adds its key to a fault.
pub fn each_value<T>(
    map: &BTreeMap<String, T>,
    check: impl Fn(&T) -> Result<(), Fault>,
) -> Result<(), Fault> {
    map.iter()
        .try_for_each(|(key, value)| check(value).map_err(|fault| fault.under(key)))
}

/// A list without two equal items.
pub fn unique<T: PartialEq>(items: &[T]) -> Result<(), Fault> {
    let repeated = items
        .iter()
        .enumerate()
        .find(|(index, item)| items[..*index].contains(item));
    match repeated {
        None => Ok(()),
        Some((index, _)) => Err(Fault::new("the item is there already").under(&index.to_string())),
    }
}

/// A regular expression, compiled when it is first used.
#[derive(Debug)]
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// A pattern that the generator has found to compile.
    pub const fn new(source: &'static str) -> Self {
        Self {
            source,
            compiled: OnceLock::new(),
        }
    }

    /// Whether the pattern is found in the text.
    pub fn check(&self, text: &str) -> Result<(), Fault> {
        let regex = self
            .compiled
            .get_or_init(|| Regex::new(self.source).expect("the generator compiled this pattern"));
        match regex.is_match(text) {
            true => Ok(()),
            false => Err(Fault::new(format!(
                "does not match the pattern {}",
                self.source
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_characters_not_bytes() {
        assert!(length("äöü", 3, 3).is_ok());
        assert!(length("äöü", 0, 2).is_err());
        assert!(length("ä", 2, 9).is_err());
    }

    #[test]
    fn bounds_are_included_or_not_as_said() {
        assert!(integer(1, 1, 1).is_ok());
        assert!(integer(0, 1, 1).is_err());
        assert!(at_least(0.5, 0.5).is_ok());
        assert!(above(0.5, 0.5).is_err());
        assert!(below(0.5, 0.5).is_err());
        assert!(at_most(f64::NAN, 1.0).is_err());
    }

    #[test]
    fn a_fault_in_a_collection_knows_its_place() {
        let fault = each(&[1, 2, 30], |n| integer(i128::from(*n), 0, 9)).expect_err("too large");
        assert_eq!(fault.pointer, "/2");
        let map = BTreeMap::from([("a".to_owned(), "toolong".to_owned())]);
        let fault = each_value(&map, |text| length(text, 0, 3)).expect_err("too long");
        assert_eq!(fault.pointer, "/a");
        assert_eq!(unique(&[1, 2, 1]).expect_err("repeated").pointer, "/2");
    }

    #[test]
    fn a_pattern_is_searched_for() {
        static PATTERN: Pattern = Pattern::new("^[a-z]+$");
        assert!(PATTERN.check("abc").is_ok());
        assert!(PATTERN.check("aBc").is_err());
    }
}
