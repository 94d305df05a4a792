//! The adapter itself: which call asks what.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode, Url};
use tokio::time::timeout;
use worker_adapter::{
    Adapter, AdapterError, AdapterFuture, EngineFacts, Generation, GenerationStream, Health, Prompt,
};

use crate::call::{self, MAX_REPLY_BYTES};
use crate::failure;
use crate::generation::{self, Clock};
use crate::line::Line;
use crate::timeouts::Timeouts;
use crate::wire::{CompletionRequest, Message, Props, TemplateReply, TemplateRequest};

/// Speaks to one engine in the llama.cpp server dialect, or to one model of an engine that serves several.
#[derive(Clone, Debug)]
pub struct LlamacppAdapter {
    line: Line,
    /// Without a slash at the end.
    base: String,
    /// What the engine calls the model; none leaves it to the engine, which then has only one.
    model: Option<Arc<str>>,
    timeouts: Timeouts,
}

impl LlamacppAdapter {
    /// An adapter for the engine at `base_url`, such as `http://127.0.0.1:8080`. Connects to nothing yet.
    /// Proxies named in the environment are not used, and redirects are not followed.
    ///
    /// # Errors
    /// [`AdapterError::Unreachable`] if `base_url` is no `http` address.
    pub fn new(base_url: &str, timeouts: Timeouts) -> Result<Self, AdapterError> {
        let unreachable = |detail: String| AdapterError::Unreachable {
            url: base_url.to_owned(),
            detail,
        };
        let url = Url::parse(base_url).map_err(|error| {
            unreachable(format!("{error}; write it like http://127.0.0.1:8080"))
        })?;
        if url.scheme() != "http" {
            return Err(unreachable(format!(
                "{} is not spoken here; use http on loopback or a private network",
                url.scheme()
            )));
        }
        let line = Line::new(&timeouts).map_err(|error| unreachable(error.to_string()))?;
        Ok(Self {
            line,
            base: url.as_str().trim_end_matches('/').to_owned(),
            model: None,
            timeouts,
        })
    }

    /// The adapter for one model, by the name that the engine knows it by: facts are that model's, and
    /// generations run on it. The engine may have to bring it in first, for which there is time besides
    /// ([`Timeouts::load`]). An engine that serves only one looks at no name.
    #[must_use]
    pub fn of_model(mut self, name: &str) -> Self {
        if self.model.is_none() {
            self.timeouts.first_token += self.timeouts.load;
        }
        self.model = Some(Arc::from(name));
        self
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A plain call without a body.
    fn get(&self, path: &str) -> RequestBuilder {
        self.line.fresh().get(self.url(path))
    }

    /// Time for the answer to a question about the model.
    fn facts_within(&self) -> Duration {
        let load = self.model.as_ref().map(|_| self.timeouts.load);
        self.timeouts.reply + load.unwrap_or_default()
    }

    async fn ask_health(&self) -> Result<Health, AdapterError> {
        let (status, body) = call::reply(&self.base, self.get("/health"), MAX_REPLY_BYTES).await?;
        match status {
            StatusCode::OK => Ok(Health::Ready),
            StatusCode::SERVICE_UNAVAILABLE => Ok(Health::Loading),
            _ => Err(failure::from_reply(status, &body)),
        }
    }

    async fn ask_facts(&self) -> Result<EngineFacts, AdapterError> {
        let mut asked = self.get("/props");
        if let Some(model) = &self.model {
            asked = asked.query(&[("model", &**model)]);
        }
        let reply = call::reply(&self.base, asked, MAX_REPLY_BYTES).await?;
        let props: Props = call::read("the reply of /props", reply)?;
        if props.role.as_deref() == Some("router") {
            return Err(AdapterError::Refused(
                "it serves several models, and was not told which of them is meant; give one of the names that its /models \
                 lists as model_ref".to_owned(),
            ));
        }
        let engine_version = props
            .engine_version
            .or(props.build_info)
            .filter(|version| !version.is_empty())
            .ok_or_else(|| protocol("/props has neither engine_version nor build_info"))?;
        let model_digest = props.model_digest.filter(|digest| !digest.is_empty());
        if let Some(digest) = &model_digest
            && !is_digest(digest)
        {
            return Err(protocol(
                "model_digest of /props is not sha256:<64 hex digits>",
            ));
        }
        if props.total_slots == 0 || props.default_generation_settings.n_ctx == 0 {
            return Err(protocol("/props tells of no slot or of no context"));
        }
        self.line.promised(props.keeps_connections);
        Ok(EngineFacts {
            engine_version,
            model_digest,
            model_path: props.model_path.filter(|path| !path.is_empty()),
            ctx: props.default_generation_settings.n_ctx,
            slots: props.total_slots,
        })
    }

    async fn apply_template(&self, message: &str) -> Result<String, AdapterError> {
        let asked = TemplateRequest {
            model: self.model.as_deref(),
            messages: [Message {
                role: "user",
                content: message,
            }],
        };
        let request = self.line.fresh().post(self.url("/apply-template"));
        let request = request.json(&asked);
        // JSON may escape each byte of the message as six.
        let max_bytes = MAX_REPLY_BYTES + 6 * message.len();
        let reply = call::reply(&self.base, request, max_bytes).await?;
        let reply: TemplateReply = call::read("the reply of /apply-template", reply)?;
        Ok(reply.prompt)
    }

    async fn begin(&self, generation: &Generation) -> Result<reqwest::Response, AdapterError> {
        let templated;
        let prompt = match &generation.prompt {
            Prompt::Raw(text) => text,
            Prompt::Chat(message) => {
                templated = self.apply_template(message).await?;
                &templated
            }
        };
        let body = CompletionRequest::new(self.model.as_deref(), prompt, generation);
        let request = self.line.client().post(self.url("/completion"));
        let response = call::send(&self.base, request.json(&body)).await?;
        let status = response.status();
        let streams = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if status == StatusCode::OK && streams {
            return Ok(response);
        }
        let body = call::body(&self.base, response, MAX_REPLY_BYTES).await?;
        if status == StatusCode::OK {
            let quoted = failure::quote(&body);
            return Err(protocol(&format!(
                "/completion answered with no event stream but: {quoted}"
            )));
        }
        Err(failure::from_reply(status, &body))
    }
}

impl Adapter for LlamacppAdapter {
    fn health(&self) -> AdapterFuture<'_, Health> {
        let within = self.timeouts.reply;
        Box::pin(in_time("to tell its health", within, self.ask_health()))
    }

    fn facts(&self) -> AdapterFuture<'_, EngineFacts> {
        let within = self.facts_within();
        Box::pin(in_time("to tell its properties", within, self.ask_facts()))
    }

    fn generate(&self, generation: Generation) -> AdapterFuture<'_, GenerationStream> {
        Box::pin(async move {
            let clock = Clock::start(self.timeouts);
            let response = clock.first_token().wait(self.begin(&generation)).await?;
            Ok(generation::events(
                (self.line.clone(), self.base.clone()),
                response,
                generation.max_tokens,
                clock,
            ))
        })
    }
}

/// Answers within this time.
async fn in_time<T>(
    phase: &'static str,
    after: Duration,
    work: impl Future<Output = Result<T, AdapterError>>,
) -> Result<T, AdapterError> {
    timeout(after, work)
        .await
        .unwrap_or(Err(AdapterError::TimedOut { phase, after }))
}

fn protocol(what: &str) -> AdapterError {
    AdapterError::Protocol(what.to_owned())
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}
