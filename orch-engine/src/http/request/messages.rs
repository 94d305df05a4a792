//! A conversation: the messages, and what else its template is told.

use serde_json::{Map, Value};

use super::fields::{Field, Fields};
use crate::http::reply::ApiError;
use crate::model::Model;
use crate::template::{Message, TemplateError};

/// The fields of a conversation.
pub(crate) const MESSAGES: [Field; 3] = [
    Field {
        name: "messages",
        accepts: "array of {\"role\": string, \"content\": string, or array of {\"type\": \"text\", \"text\": string}}",
    },
    Field {
        name: "add_generation_prompt",
        accepts: "true or false",
    },
    Field {
        name: "chat_template_kwargs",
        accepts: "object",
    },
];

/// A conversation that is well-formed. Whether the model's template takes it is another question.
#[derive(Debug)]
pub(crate) struct Conversation {
    messages: Vec<Message>,
    add_generation_prompt: bool,
    extra: Map<String, Value>,
}

impl Conversation {
    pub(crate) fn read(fields: &Fields) -> Result<Self, ApiError> {
        let Some(list) = fields.required("messages")?.as_array() else {
            return Err(fields.fault("messages"));
        };
        let extra = match fields.get("chat_template_kwargs") {
            None => Map::new(),
            Some(Value::Object(extra)) => extra.clone(),
            Some(_) => return Err(fields.fault("chat_template_kwargs")),
        };
        Ok(Self {
            messages: list
                .iter()
                .enumerate()
                .map(|(i, value)| message(i, value))
                .collect::<Result<_, _>>()?,
            add_generation_prompt: fields.bool("add_generation_prompt", true)?,
            extra,
        })
    }

    /// The prompt that the model's template makes of it.
    pub(crate) fn prompt(&self, model: &Model) -> Result<String, ApiError> {
        model
            .chat_template()
            .apply(
                model.vocabulary(),
                &self.messages,
                self.add_generation_prompt,
                &self.extra,
            )
            .map_err(|error| match error {
                TemplateError::Unusable(_) => ApiError::not_supported(error.to_string()),
                TemplateError::Refused(_) => ApiError::invalid(error.to_string()),
            })
    }
}

fn message(i: usize, value: &Value) -> Result<Message, ApiError> {
    let fault = |what: String| ApiError::invalid(format!("field `messages[{i}]{what}"));
    let Some(members) = value.as_object() else {
        return Err(fault("` is not an object".to_owned()));
    };
    let known = ["role", "content", "name"];
    // Clients echo a reply's message, whose other members are null.
    let unknown = members
        .iter()
        .find(|(name, value)| !known.contains(&name.as_str()) && !value.is_null());
    if let Some((unknown, _)) = unknown {
        return Err(fault(format!(
            ".{unknown}` is not served; the fields are {}",
            known.join(", ")
        )));
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let not_a_string = |name: &str| fault(format!(".{name}` is not a string"));
    let role = text("role").ok_or_else(|| not_a_string("role"))?;
    let name = match members.get("name") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text("name").ok_or_else(|| not_a_string("name"))?),
    };
    let content = match members.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .map(text_part)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| {
                fault(
                    ".content` has a part that is no {\"type\": \"text\", \"text\": string}"
                        .to_owned(),
                )
            })?
            .join("\n"),
        _ => return Err(not_a_string("content")),
    };
    Ok(Message {
        // The newer name of the same role.
        role: match role.as_str() {
            "developer" => "system".to_owned(),
            _ => role,
        },
        content,
        name,
    })
}

fn text_part(part: &Value) -> Option<&str> {
    let part = part.as_object()?;
    if part.len() == 2 && part.get("type")? == "text" {
        part.get("text")?.as_str()
    } else {
        None
    }
}
