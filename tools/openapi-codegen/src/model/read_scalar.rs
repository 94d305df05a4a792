//! Reads texts, integers and numbers with their bounds.

use super::{
    pattern,
    schema::{IntRules, IntType, NumRules, TextRules, Type},
};
use crate::{
    fault::{Fault, Outcome},
    yaml::Fields,
};

/// Reads a string: a text or a UUID.
pub(super) fn text(fields: &mut Fields<'_>) -> Outcome<Type> {
    let at = &fields.node().at;
    let rules = TextRules {
        min: fields.count("minLength")?,
        max: fields.count("maxLength")?,
        pattern: fields.text("pattern")?.map(str::to_owned),
    };
    if let Some(pattern) = &rules.pattern {
        pattern::check(pattern)
            .map_err(|why| Fault::unsupported(at, format!("pattern `{pattern}`: {why}")))?;
    }
    match fields.text("format")? {
        None => Ok(Type::Text(rules)),
        Some("uuid") if rules == TextRules::default() => Ok(Type::Uuid),
        Some("uuid") => Err(Fault::unsupported(
            at,
            "a uuid takes no length and no pattern",
        )),
        Some(other) => Err(Fault::unsupported(
            at,
            format!("format `{other}` of a string is not supported; use uuid, or a pattern"),
        )),
    }
}

/// Reads an integer. Its format and its sign choose the Rust type.
pub(super) fn integer(fields: &mut Fields<'_>) -> Outcome<IntRules> {
    let at = &fields.node().at;
    let (min, max) = (fields.int("minimum")?, fields.int("maximum")?);
    let unsigned = min.is_some_and(|min| min >= 0);
    let (ty, least, most) = match (fields.text("format")?, unsigned) {
        (Some("int32"), false) => (IntType::I32, i32::MIN.into(), i32::MAX.into()),
        (Some("int32"), true) => (IntType::U32, 0, i32::MAX.into()),
        (Some("int64") | None, false) => (IntType::I64, i64::MIN.into(), i64::MAX.into()),
        (Some("int64") | None, true) => (IntType::U64, 0, i64::MAX.into()),
        (Some(other), _) => {
            return Err(Fault::unsupported(
                at,
                format!("format `{other}` of an integer is not supported; use int32 or int64"),
            ));
        }
    };
    let rules = IntRules {
        ty,
        min: min.unwrap_or(least),
        max: max.unwrap_or(most),
    };
    if rules.min < least || rules.max > most || rules.min > rules.max {
        return Err(Fault::unsupported(
            at,
            format!(
                "the bounds {}..={} do not fit the format",
                rules.min, rules.max
            ),
        ));
    }
    Ok(rules)
}

/// Reads a number.
pub(super) fn number(fields: &mut Fields<'_>) -> Outcome<NumRules> {
    let at = &fields.node().at;
    if let Some(other) = fields.text("format")?.filter(|format| *format != "double") {
        return Err(Fault::unsupported(
            at,
            format!("format `{other}` of a number is not supported; use double"),
        ));
    }
    let open_below = fields.flag("exclusiveMinimum")?;
    let open_above = fields.flag("exclusiveMaximum")?;
    Ok(NumRules {
        min: fields.number("minimum")?.map(|bound| (bound, open_below)),
        max: fields.number("maximum")?.map(|bound| (bound, open_above)),
    })
}
