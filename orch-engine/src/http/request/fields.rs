//! Reading a request body field by field, against tables of the fields that are served.
//!
//! A field that is in none of them is refused by name: to ignore it would be to promise something
//! and not to do it.

use std::ops::RangeInclusive;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use serde_json::{Map, Value};

use crate::http::reply::ApiError;

/// One field of a request, as the documentation lists it. A test holds the two together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) accepts: &'static str,
}

/// The fields of one request. A field that is `null` counts as absent.
#[derive(Debug)]
pub(crate) struct Fields {
    values: Map<String, Value>,
    tables: &'static [&'static [Field]],
}

impl Fields {
    /// A request without any.
    pub(crate) fn none() -> Self {
        Self {
            values: Map::new(),
            tables: &[],
        }
    }

    /// Parses a body, which must be an object with no other fields than those of the tables.
    pub(crate) fn parse(
        body: Result<Bytes, BytesRejection>,
        tables: &'static [&'static [Field]],
    ) -> Result<Self, ApiError> {
        let body = body.map_err(|rejection| ApiError::body(&rejection))?;
        let value: Value = serde_json::from_slice(&body)
            .map_err(|error| ApiError::invalid(format!("the body is not JSON: {error}")))?;
        let Value::Object(values) = value else {
            return Err(ApiError::invalid("the body is not a JSON object"));
        };
        let known = || tables.iter().copied().flatten().map(|field| field.name);
        let is_known = |name: &str| known().any(|known| known == name);
        let unknown = values
            .iter()
            .find(|(name, value)| !is_known(name) && !value.is_null());
        if let Some((unknown, _)) = unknown {
            let known: Vec<&str> = known().collect();
            return Err(ApiError::invalid(format!(
                "field `{unknown}` is not served; the fields are {}",
                known.join(", ")
            )));
        }
        Ok(Self { values, tables })
    }

    /// A field's value, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&Value, ApiError> {
        self.get(name)
            .ok_or_else(|| ApiError::invalid(format!("field `{name}` is missing")))
    }

    pub(crate) fn bool(&self, name: &str, default: bool) -> Result<bool, ApiError> {
        match self.get(name) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.fault(name)),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, ApiError> {
        self.required(name)?
            .as_str()
            .ok_or_else(|| self.fault(name))
    }

    pub(crate) fn integer(
        &self,
        name: &str,
        range: RangeInclusive<i64>,
        default: i64,
    ) -> Result<i64, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        value
            .as_i64()
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.fault(name))
    }

    pub(crate) fn number(
        &self,
        name: &str,
        range: RangeInclusive<f64>,
        default: f64,
    ) -> Result<f64, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(default);
        };
        value
            .as_f64()
            .filter(|number| range.contains(number))
            .ok_or_else(|| self.fault(name))
    }

    /// What is wrong with a field: what it is, and what its table accepts.
    pub(crate) fn fault(&self, name: &str) -> ApiError {
        let value = self.values.get(name).unwrap_or(&Value::Null);
        let accepts = self
            .tables
            .iter()
            .copied()
            .flatten()
            .find(|field| field.name == name)
            .map_or("nothing", |field| field.accepts);
        ApiError::invalid(format!(
            "field `{name}` is {}; it takes: {accepts}",
            shortened(value)
        ))
    }
}

/// A value as it may be quoted in a message.
fn shortened(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        None => text,
        Some((cut, _)) => format!("{}…", &text[..cut]),
    }
}
