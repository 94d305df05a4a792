//! From text to a configuration, or to every fault in it.

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use crate::config::Config;
use crate::fault::ConfigFault;
use crate::{hint, validate};

/// Reads a configuration.
///
/// # Errors
/// Every fault that could be found: the first one of syntax or shape, else all of range and relation.
pub fn parse(text: &str) -> Result<Config, Vec<ConfigFault>> {
    parse_and(text, |_| Vec::new())
}

/// Reads a configuration, and holds it to what only its reader knows as well. The faults that `further`
/// finds get their lines here.
///
/// # Errors
/// As [`parse`], and whatever `further` finds.
pub fn parse_and(
    text: &str,
    further: impl FnOnce(&Config) -> Vec<ConfigFault>,
) -> Result<Config, Vec<ConfigFault>> {
    let document =
        DeTable::parse(text).map_err(|error| vec![shape_fault(text, String::new(), &error)])?;
    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| vec![shape_fault(text, String::new(), &error)])?;
    let mut track = serde_path_to_error::Track::new();
    let config = Config::deserialize(serde_path_to_error::Deserializer::new(
        deserializer,
        &mut track,
    ))
    .map_err(|error| vec![shape_fault(text, pointer_of(&track.path()), &error)])?;
    let mut faults = validate::check(&config);
    faults.extend(further(&config));
    for fault in &mut faults {
        fault.line = line_of_pointer(text, document.get_ref(), &fault.pointer);
    }
    if faults.is_empty() {
        Ok(config)
    } else {
        Err(faults)
    }
}

fn shape_fault(text: &str, mut pointer: String, error: &toml::de::Error) -> ConfigFault {
    let message = error
        .message()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let hint = hint::from_message(&message, &pointer);
    if let Some(field) = message
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next())
        && !pointer.ends_with(&format!("/{field}"))
    {
        pointer.push('/');
        pointer.push_str(field);
    }
    ConfigFault {
        line: error.span().map(|span| line_at(text, span.start)),
        pointer,
        what: message,
        hint,
    }
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(format!("/{key}")),
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// Line of the value, or of the deepest part of the pointer that the file has.
fn line_of_pointer(text: &str, document: &DeTable<'_>, pointer: &str) -> Option<usize> {
    let mut line = None;
    let mut table = Some(document);
    let mut array = None;
    for step in pointer.split('/').skip(1) {
        let value = match (table, array) {
            (Some(table), _) => table.get(step),
            (None, Some(values)) => step
                .parse()
                .ok()
                .and_then(|index: usize| <[_]>::get(values, index)),
            (None, None) => None,
        };
        let Some(value) = value else { break };
        line = Some(line_at(text, value.span().start));
        (table, array) = match value.get_ref() {
            DeValue::Table(inner) => (Some(inner), None),
            DeValue::Array(inner) => (None, Some(&**inner)),
            _ => (None, None),
        };
    }
    line
}
