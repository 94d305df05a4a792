//! The chat template of a model file: from messages to the text of a prompt.

use minijinja::value::Value;
use minijinja::{Environment, ErrorKind, context};

use crate::gguf::{Fault, Metadata};
use crate::tokenizer::Vocabulary;

const NAME: &str = "chat";
const KEY: &str = "tokenizer.chat_template";

/// One message of a conversation.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Message {
    pub(crate) role: String,
    pub(crate) content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// Why no prompt came out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    /// The model has no usable template: no request can succeed.
    #[error("the model's chat template cannot be used: {0}")]
    Unusable(String),
    /// The template refused these messages.
    #[error("the model's chat template refuses the messages: {0}")]
    Refused(String),
}

/// A model's chat template. A model without a usable one still serves plain completions.
pub(crate) struct ChatTemplate {
    source: String,
    compiled: Result<Environment<'static>, String>,
}

impl ChatTemplate {
    pub(crate) fn read(metadata: Metadata<'_>) -> Result<Self, Fault> {
        Ok(match metadata.optional_text(KEY)? {
            Some(source) => Self::compile(source),
            None => Self {
                source: String::new(),
                compiled: Err(format!("the model file has no {KEY}")),
            },
        })
    }

    fn compile(source: &str) -> Self {
        let mut environment = Environment::new();
        // The settings under which these templates are written.
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |reason: String| -> Result<Value, _> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason))
        });
        let compiled = environment
            .add_template_owned(NAME, source.to_owned())
            .map(|()| environment)
            .map_err(|error| one_line(&error));
        Self {
            source: source.to_owned(),
            compiled,
        }
    }

    /// The template's text; empty if the model has none.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The prompt of a conversation. The begin token that a template writes out is taken off again
    /// where the tokenizer adds it, and likewise the end token. `extra` are further variables, which
    /// cannot replace the template's own.
    pub(crate) fn apply(
        &self,
        vocabulary: &Vocabulary,
        messages: &[Message],
        add_generation_prompt: bool,
        extra: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<String, TemplateError> {
        let environment = self
            .compiled
            .as_ref()
            .map_err(|reason| TemplateError::Unusable(reason.clone()))?;
        let values = context! {
            messages,
            add_generation_prompt,
            bos_token => vocabulary.bos_text(),
            eos_token => vocabulary.eos_text(),
            ..context! {
                ..Value::from_serialize(extra),
                // Models that think do so unless they are told otherwise, as in llama.cpp.
                ..context! { enable_thinking => true }
            }
        };
        let rendered = environment
            .get_template(NAME)
            .and_then(|template| template.render(values))
            .map_err(|error| TemplateError::Refused(one_line(&error)))?;
        let mut prompt = rendered.as_str();
        if vocabulary.added_bos().is_some() {
            prompt = prompt.strip_prefix(vocabulary.bos_text()).unwrap_or(prompt);
        }
        if vocabulary.added_eos().is_some() {
            prompt = prompt.strip_suffix(vocabulary.eos_text()).unwrap_or(prompt);
        }
        Ok(prompt.to_owned())
    }
}

fn one_line(error: &minijinja::Error) -> String {
    error.to_string().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Map, Value, json};

    use super::{ChatTemplate, Message};
    use crate::fixtures;
    use crate::gguf::Header;
    use crate::tokenizer::Vocabulary;

    fn applied(template: &str, extra: Value) -> String {
        let header = Header::read(&mut *fixtures::model("qwen2-bpe").open().unwrap().0).unwrap();
        let vocabulary = Vocabulary::read(header.metadata()).unwrap();
        let messages = [Message {
            role: "user".to_owned(),
            content: "a < b".to_owned(),
            name: None,
        }];
        let extra: Map<String, Value> = serde_json::from_value(extra).unwrap();
        let outcome = ChatTemplate::compile(template).apply(&vocabulary, &messages, true, &extra);
        outcome.unwrap_or_else(|error| format!("ERROR {error}"))
    }

    #[test]
    fn a_template_thinks_unless_it_is_told_otherwise() {
        let template = "{{ enable_thinking }} {{ mood }}";
        assert_eq!(applied(template, json!({})), "True ");
        let told = json!({ "enable_thinking": false, "mood": "calm" });
        assert_eq!(applied(template, told), "False calm");
    }

    #[test]
    fn what_a_request_adds_does_not_replace_the_conversation() {
        let template = "{{ messages[0].content }}{{ bos_token }}";
        let told = json!({ "messages": [], "bos_token": "<s>" });
        assert_eq!(applied(template, told), "a < b<|endoftext|>");
    }

    #[test]
    fn templates_may_break_write_json_and_refuse() {
        let breaks = "{% for m in messages %}{{ m | tojson }}{% break %}{% endfor %}";
        assert_eq!(
            applied(breaks, json!({})),
            r#"{"role":"user","content":"a \u003c b"}"#
        );
        let refuses = "{{ raise_exception('no ' + messages[0].role) }}";
        let refused = applied(refuses, json!({}));
        assert!(
            refused.contains("no user") && !refused.contains('\n'),
            "{refused}"
        );
    }
}
