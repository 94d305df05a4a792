//! Typed reading of GGUF metadata: every fault names the key.

use std::collections::HashMap;

use candle_core::quantized::gguf_file::Value;

use super::Fault;

/// The key-value part of a GGUF header.
#[derive(Clone, Copy)]
pub(crate) struct Metadata<'a>(&'a HashMap<String, Value>);

impl<'a> Metadata<'a> {
    pub(crate) fn new(values: &'a HashMap<String, Value>) -> Self {
        Self(values)
    }

    fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key)
    }

    pub(crate) fn has(self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(crate) fn count(self, key: &str) -> Result<usize, Fault> {
        self.optional_u32(key)?
            .map(|value| value as usize)
            .ok_or_else(|| missing(key))
    }

    pub(crate) fn optional_u32(self, key: &str) -> Result<Option<u32>, Fault> {
        self.read(key, "a u32", |value| match value {
            Value::U8(number) => Some(u32::from(*number)),
            Value::U16(number) => Some(u32::from(*number)),
            Value::U32(number) => Some(*number),
            Value::I32(number) => u32::try_from(*number).ok(),
            Value::U64(number) => u32::try_from(*number).ok(),
            _ => None,
        })
    }

    pub(crate) fn optional_f32(self, key: &str) -> Result<Option<f32>, Fault> {
        self.read(key, "a f32", |value| value.to_f32().ok())
    }

    pub(crate) fn optional_bool(self, key: &str) -> Result<Option<bool>, Fault> {
        self.read(key, "a bool", |value| value.to_bool().ok())
    }

    pub(crate) fn optional_text(self, key: &str) -> Result<Option<&'a str>, Fault> {
        self.read(key, "a string", |value| {
            value.to_string().ok().map(String::as_str)
        })
    }

    pub(crate) fn text(self, key: &str) -> Result<&'a str, Fault> {
        self.optional_text(key)?.ok_or_else(|| missing(key))
    }

    /// An array, each element converted by `element`.
    pub(crate) fn list<T>(
        self,
        key: &str,
        wanted: &str,
        element: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Vec<T>, Fault> {
        let Some(value) = self.get(key) else {
            return Err(missing(key));
        };
        value
            .to_vec()
            .ok()
            .and_then(|values| values.iter().map(element).collect())
            .ok_or_else(|| wrong_type(key, wanted))
    }

    fn read<T>(
        self,
        key: &str,
        wanted: &str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => convert(value)
                .map(Some)
                .ok_or_else(|| wrong_type(key, wanted)),
        }
    }
}

fn missing(key: &str) -> Fault {
    Fault::Damaged(format!("metadata key {key} is missing"))
}

fn wrong_type(key: &str, wanted: &str) -> Fault {
    Fault::Damaged(format!("metadata key {key} is not {wanted}"))
}
