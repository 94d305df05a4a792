//! The flags of a new task: one for each field of the request.

use std::{collections::BTreeMap, error::Error, str::FromStr};

use api_client::types::{
    CompletionInput, DeterminismChoice, EngineChoice, OnDisconnectChoice, PromptInput,
    SessionBudgetRequest, TaskCreateRequest, TaskInputRequest,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use uuid::Uuid;

use super::prompt;
use crate::{classes, error::Failure, ids, output::Clock, times};

/// How the prompt is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    // Documented at the flag, as its help would grow too long otherwise.
    Completion,
    Prompt,
}

/// Ranges are not checked here: the server knows them, and lists every fault at once.
#[derive(clap::Args)]
pub(crate) struct TaskFlags {
    /// What to ask for; `-` or nothing reads it from standard input
    prompt: Option<String>,
    /// How the prompt is read: through the model's chat template, or as a text to be continued exactly
    #[arg(long, value_enum, default_value_t = Kind::Prompt)]
    kind: Kind,
    /// Id of your own choosing, a UUID, which makes a repeat safe [default: a fresh one]
    #[arg(long, value_name = "UUID", value_parser = ids::task)]
    task_id: Option<Uuid>,
    /// A key of your own choosing under which a repeat of the command gets the first answer again, and makes nothing
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Model to run, as `orch status` lists them [default: any]; `orch run` takes a GGUF file, too
    #[arg(long, value_name = "MODEL", help_heading = PLACE)]
    model: Option<String>,
    /// Kind of engine to run on [default: any]
    #[arg(long, value_name = "KIND", value_parser = one_of(EngineChoice::ALL, EngineChoice::as_str), help_heading = PLACE)]
    engine: Option<EngineChoice>,
    /// Least context window, in tokens, that the replica must have
    #[arg(long, value_name = "TOKENS", help_heading = PLACE)]
    ctx: Option<u32>,
    /// Session to run in, a UUID, made on first use
    #[arg(long, value_name = "UUID", value_parser = ids::session, help_heading = PLACE)]
    session: Option<Uuid>,
    /// Tokens that the session may use from this task on, what it has used before included [default: as before, and without limit if another of these three is given]
    #[arg(long, value_name = "TOKENS", requires = "session", help_heading = PLACE)]
    session_tokens: Option<u64>,
    /// Time for which the session's attempts may hold slots, such as `90s` [default: likewise]
    #[arg(long, value_name = "TIME", value_parser = times::length, requires = "session", help_heading = PLACE)]
    session_time: Option<u64>,
    /// Money that the session may spend, in millionths of its unit [default: likewise]
    #[arg(long, value_name = "MICROS", requires = "session", help_heading = PLACE)]
    session_cost: Option<u64>,
    /// Project that the task goes to, a UUID [default: that of your key]
    #[arg(long, value_name = "UUID", value_parser = ids::project, help_heading = PLACE)]
    project: Option<Uuid>,
    /// Class to wait in; `orch status` lists those that there are [default: as the operator decided]
    #[arg(long, value_name = "NAME", value_parser = classes::name, help_heading = PLACE)]
    priority: Option<String>,
    /// Time from acceptance within which it must have ended, such as `90s`, `15m`, `500ms` [default: none]
    #[arg(long, value_name = "TIME", value_parser = times::length, help_heading = PLACE)]
    deadline: Option<u64>,
    /// Earliest start, such as `2030-01-31T08:00:00Z`, or without the Z in UTC [default: at once]
    #[arg(long, value_name = "TIME", value_parser = times::moment, conflicts_with = "delay", help_heading = PLACE)]
    at: Option<u64>,
    /// The same, as a time from now, such as `90s`, `15m`; with an idempotency key use --at, since a repeat of this
    /// names another moment
    #[arg(long = "in", value_name = "TIME", value_parser = times::length, help_heading = PLACE)]
    delay: Option<u64>,
    /// What happens 5 seconds after the last reader has left [default: continue]
    #[arg(long, value_name = "WHAT", value_parser = one_of(OnDisconnectChoice::ALL, OnDisconnectChoice::as_str), help_heading = PLACE)]
    on_disconnect: Option<OnDisconnectChoice>,
    /// A label of your own, returned with the task; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, help_heading = PLACE)]
    metadata: Vec<(String, String)>,
    /// Most tokens to generate
    #[arg(long, value_name = "TOKENS", help_heading = SAMPLING)]
    max_tokens: Option<u32>,
    /// Generate on to --max-tokens, past the model's own end
    #[arg(long, help_heading = SAMPLING)]
    ignore_eos: bool,
    /// Sampling temperature, 0 for greedy
    #[arg(long, value_name = "NUMBER", help_heading = SAMPLING)]
    temperature: Option<f64>,
    /// Sample among this many most likely tokens, 0 for all
    #[arg(long, value_name = "COUNT", help_heading = SAMPLING)]
    top_k: Option<u32>,
    /// Nucleus sampling, 0 to 1
    #[arg(long, value_name = "SHARE", help_heading = SAMPLING)]
    top_p: Option<f64>,
    /// Least probability relative to the most likely token, 0 to 1
    #[arg(long, value_name = "SHARE", help_heading = SAMPLING)]
    min_p: Option<f64>,
    /// Penalty on repeated tokens, 1 for none
    #[arg(long, value_name = "NUMBER", help_heading = SAMPLING)]
    repeat_penalty: Option<f64>,
    /// Seed of the sampling, 1 to 2147483647 [default: derived from the task's id]
    #[arg(long, value_name = "NUMBER", help_heading = SAMPLING)]
    seed: Option<u64>,
    /// `strict` forbids cache reuse, so that one seed gives one text inside a replica set
    #[arg(long, value_name = "LEVEL", value_parser = one_of(DeterminismChoice::ALL, DeterminismChoice::as_str), help_heading = SAMPLING)]
    determinism: Option<DeterminismChoice>,
}

/// A task to hand over. It has an id or an idempotency key, so that sending it twice makes one task.
pub(crate) struct NewTask {
    pub(crate) request: TaskCreateRequest,
    pub(crate) idempotency_key: Option<String>,
}

const PLACE: &str = "Where and when it runs";
const SAMPLING: &str = "How it generates";

impl TaskFlags {
    /// What `--model` says.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The request, under an id of its own. With an idempotency key it has none but the one that was named: the same
    /// command is then the same request.
    ///
    /// # Errors
    ///
    /// If there is no prompt, it is not to be read, or a label is there twice.
    pub(crate) fn into_request(self) -> Result<NewTask, Failure> {
        let prompt = prompt::read(self.prompt, self.kind)?;
        let input = match self.kind {
            Kind::Completion => TaskInputRequest::Completion(CompletionInput { prompt }),
            Kind::Prompt => TaskInputRequest::Prompt(PromptInput { prompt }),
        };
        let fresh = || self.idempotency_key.is_none().then(Uuid::now_v7);
        let session_budget = SessionBudgetRequest {
            tokens: self.session_tokens,
            time_ms: self.session_time,
            cost_micros: self.session_cost,
        };
        let request = TaskCreateRequest {
            input,
            task_id: self.task_id.or_else(fresh),
            model_ref: self.model,
            engine: self.engine,
            ctx: self.ctx,
            max_tokens: self.max_tokens,
            ignore_eos: self.ignore_eos.then_some(true),
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repeat_penalty: self.repeat_penalty,
            seed: self.seed,
            determinism: self.determinism,
            priority: self.priority,
            deadline_ms: self.deadline,
            run_at_ms: self.at.or_else(|| self.delay.map(from_now)),
            session_id: self.session,
            session_budget: Some(session_budget).filter(|it| *it != Default::default()),
            project_id: self.project,
            on_disconnect: self.on_disconnect,
            metadata: labels(self.metadata)?,
        };
        Ok(NewTask {
            request,
            idempotency_key: self.idempotency_key,
        })
    }
}

/// Reads one of the contract's closed enumerations, and lists its values in help and completions.
pub(crate) fn one_of<T>(all: &'static [T], name: fn(&T) -> &str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: Error + Send + Sync + 'static> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(name)).try_map(|text| text.parse::<T>())
}

/// So many milliseconds from now, in milliseconds since 1970.
fn from_now(ms: u64) -> u64 {
    Clock::read().now_ms().saturating_add(ms)
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

fn labels(pairs: Vec<(String, String)>) -> Result<Option<BTreeMap<String, String>>, Failure> {
    let mut labels = BTreeMap::new();
    for (key, value) in pairs {
        if let Some(earlier) = labels.insert(key.clone(), value) {
            return Err(Failure::Usage(format!(
                "--metadata {key} is there twice, first as `{earlier}`"
            )));
        }
    }
    Ok(Some(labels).filter(|labels| !labels.is_empty()))
}
