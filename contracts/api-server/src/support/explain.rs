//! Every fault of a value, in words for its sender.

use std::sync::Arc;

use api_types::{ProblemFault, support::de::parse_uuid};
use jsonschema::{
    Draft, Keyword, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

/// Most faults that one reply lists.
const FAULTS_MAX: usize = 64;

/// The compiled schema of one type.
#[derive(Debug)]
pub(super) struct Explainer {
    validator: Validator,
    schema: Arc<Value>,
}

impl Explainer {
    /// Compiles the schema called `name` of the generated document.
    ///
    /// # Panics
    ///
    /// If the document was not written by the generator, which has compiled each schema.
    pub(super) fn compile(text: &str, name: &str) -> Self {
        let mut schema: Value = serde_json::from_str(text).expect("generated JSON");
        schema["$ref"] = Value::String(format!("#/definitions/{name}"));
        let validator = jsonschema::options()
            .with_draft(Draft::Draft7)
            .should_validate_formats(true)
            .with_format("uuid", |text: &str| parse_uuid(text).is_ok())
            .with_keyword("x-wire-integer", |_, _, _| Ok(Box::new(WireInteger)))
            .build(&schema)
            .expect("a generated schema compiles");
        Self {
            validator,
            schema: Arc::new(schema),
        }
    }

    /// Every fault, each once, up to a bound.
    pub(super) fn faults(&self, value: &Value) -> Vec<ProblemFault> {
        let mut faults: Vec<ProblemFault> = Vec::new();
        for error in self.validator.iter_errors(value) {
            for found in self.explain(&error) {
                if !faults.contains(&found) {
                    faults.push(found);
                }
            }
            if faults.len() >= FAULTS_MAX {
                faults.truncate(FAULTS_MAX);
                break;
            }
        }
        faults
    }

    fn explain(&self, error: &ValidationError<'_>) -> Vec<ProblemFault> {
        let pointer = error.instance_path().to_string();
        if let Kind::AdditionalProperties { unexpected } = error.kind() {
            let hint = self.known_fields(error);
            return unexpected
                .iter()
                .map(|name| {
                    let step = name.replace('~', "~0").replace('/', "~1");
                    let mut found = fault(format!("{pointer}/{step}"), "unknown field".to_owned());
                    found.hint.clone_from(&hint);
                    found
                })
                .collect();
        }
        let (pointer, detail) = match error.kind() {
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                (
                    format!("{pointer}/{name}"),
                    "required, but missing".to_owned(),
                )
            }
            kind => (pointer, detail(kind, error)),
        };
        vec![fault(pointer, detail)]
    }

    /// The fields of the object whose schema refused an unknown one.
    fn known_fields(&self, error: &ValidationError<'_>) -> Option<String> {
        let path = error.schema_path().to_string();
        let object = path.strip_suffix("/additionalProperties")?;
        let fields = self
            .schema
            .pointer(object)?
            .get("properties")?
            .as_object()?;
        let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
        names.sort_unstable();
        Some(format!("the fields here are {}", names.join(", ")))
    }
}

/// What is wrong, without repeating texts: they may be long, and are the caller's own.
fn detail(kind: &Kind, error: &ValidationError<'_>) -> String {
    let value = error.instance();
    match kind {
        Kind::Type { kind } => {
            format!("{} is expected, this is {}", expected(kind), name_of(value))
        }
        Kind::Enum { options } => format!("must be one of {}", list(options)),
        Kind::Constant { expected_value } => format!("must be {expected_value}"),
        Kind::Minimum { limit } => format!("{value} is less than the minimum of {limit}"),
        Kind::Maximum { limit } => format!("{value} is greater than the maximum of {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("{value} is not greater than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("{value} is not less than {limit}"),
        Kind::MinLength { limit: 1 } => "must not be empty".to_owned(),
        Kind::MinLength { limit } => format!("has fewer than {limit} characters"),
        Kind::MaxLength { limit } => format!("has more than {limit} characters"),
        Kind::MinItems { limit } => format!("has fewer than {limit} items"),
        Kind::MaxItems { limit } => format!("has more than {limit} items"),
        Kind::MinProperties { limit } => format!("has fewer than {limit} entries"),
        Kind::MaxProperties { limit } => format!("has more than {limit} entries"),
        Kind::UniqueItems => "has equal items".to_owned(),
        Kind::Pattern { pattern } => format!("does not match the pattern {pattern}"),
        Kind::Format { format } => format!("is not a {format}"),
        _ => error.masked().to_string(),
    }
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => format!("{one}"),
        TypeKind::Multiple(many) => many
            .iter()
            .map(|one| one.to_string())
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn list(options: &Value) -> String {
    let texts = options.as_array().into_iter().flatten();
    texts
        .map(|option| {
            option
                .as_str()
                .map_or_else(|| option.to_string(), str::to_owned)
        })
        .collect::<Vec<_>>()
        .join(", ")
}

/// A fault without a hint.
pub(super) fn fault(pointer: String, detail: String) -> ProblemFault {
    ProblemFault {
        pointer,
        detail,
        hint: None,
    }
}

/// An integer must be written as one: `1.0` is a number to JSON Schema's draft 7, but Rust's
/// integers do not read it.
struct WireInteger;

impl<'i> Keyword<'i> for WireInteger {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        match Keyword::is_valid(self, instance) {
            true => Ok(()),
            false => Err(ValidationError::custom(
                "must be written as an integer, without fraction or exponent",
            )),
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        match instance {
            // What has a fraction is refused by its type already.
            Value::Number(number) => {
                number.is_i64()
                    || number.is_u64()
                    || number.as_f64().is_some_and(|number| number.fract() != 0.0)
            }
            _ => true,
        }
    }
}
