//! Something that no server tells.

use api_client::ApiError;
use serde::Serialize;
use uuid::Uuid;

use super::{
    Failure,
    advice::advice,
    report::{Told, detail, heading, knobs},
};
use crate::{config, output::Page, server::Server};

const CONFIG: &str =
    "mend the file; it may hold `server = \"URL\"` and `key_file = \"PATH\"`, and nothing else";

const URL: &str =
    "write http://HOST:PORT; where TLS is needed, let a tunnel such as `ssh -L` carry it";

const NO_MODEL_FILE: &str = "name a GGUF file that you may read; a model that a daemon knows has no folder and no .gguf in its name";

const NO_DAEMON_PROGRAM: &str = "put orchestratord and orch-engine beside orch or into a folder of PATH (in a checkout, `cargo build` makes all three), or name a daemon that runs with --server, and a model that it knows";

const MODEL: &str = "give it a whole GGUF file of the llama, qwen2 or qwen3 family; where memory is short, --ctx lowers the context; what else it says is for llama.cpp's server, in a [[pool]] with engine = \"llamacpp\"";

const OWN_DAEMON: &str = "see to what its last words say, and run it again";

const NOT_A_DAEMON: &str =
    "see that the URL is that of an orchestratord, of about this version: `orch version` compares";

/// Something that no server tells.
#[derive(Serialize)]
pub(super) struct Trouble {
    /// Which trouble, for programs. In lower case, so that nobody takes it for a code of the API.
    client_error: &'static str,
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_from: Option<String>,
    what_to_do: String,
    /// The task whose stream was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<Uuid>,
    /// The place in its text that was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_id: Option<String>,
}

impl Trouble {
    pub(super) fn of(failure: &Failure, server: Option<&Server>) -> Self {
        match failure {
            Failure::Usage(title) => {
                Self::new("usage", title, &"", "see `--help` of the same verb")
            }
            Failure::Config { path, detail } => Self::new(
                "config",
                "The configuration file is not right",
                &place(path, detail),
                CONFIG,
            ),
            Failure::Url { detail } => {
                Self::new("url", "The server's URL cannot be used", detail, URL).about(server)
            }
            Failure::NoModelFile { detail } => Self::new(
                "model_file",
                "There is no such model file",
                detail,
                NO_MODEL_FILE,
            ),
            Failure::NoDaemonProgram { tried } => Self::new(
                "no_daemon",
                "A model file needs orchestratord, which is not there",
                &format!("looked for:\n{}", tried.join("\n")),
                NO_DAEMON_PROGRAM,
            ),
            Failure::Model { detail } => {
                Self::new("model", "The model cannot be run", detail, MODEL)
            }
            Failure::OwnDaemon { detail } => Self::new(
                "daemon",
                "The daemon that was started for this run is not there",
                detail,
                OWN_DAEMON,
            ),
            Failure::Api(error) => Self::of_call(error).about(server),
            Failure::Lost {
                task,
                last_event_id,
                error,
            } => Self {
                task_id: Some(*task),
                last_event_id: last_event_id.clone(),
                ..Self::of_call(error).about(server)
            },
            Failure::Task(problem) => {
                Self::new("task", "The task failed", &problem.detail, advice(problem))
            }
            Failure::Left { task } => left(*task),
            Failure::Output(error) => Self::new(
                "output",
                "Standard output takes no more",
                error,
                "make room, and repeat",
            ),
            Failure::Runtime(error) => Self::new(
                "system",
                "The system gives no threads or signals",
                error,
                "see what limits this process",
            ),
        }
    }

    fn of_call(error: &ApiError) -> Self {
        match error {
            ApiError::Unreachable { detail, .. } => {
                Self::new("unreachable", "Nobody answers", detail, &no_answer())
            }
            ApiError::Interrupted { detail } => Self::new(
                "interrupted",
                "The answer broke off",
                detail,
                "try again; the daemon's log says more",
            ),
            ApiError::Unexpected {
                status,
                content_type,
                start,
            } => {
                let detail = format!("status {status}, {content_type}: {start}");
                Self::new(
                    "not_a_daemon",
                    "Something else than an orchestrator answered",
                    &detail,
                    NOT_A_DAEMON,
                )
            }
            ApiError::Protocol { detail } => Self::new(
                "protocol",
                "The answer does not fit the contract",
                detail,
                NOT_A_DAEMON,
            ),
            ApiError::InvalidRequest { detail } => Self::new(
                "request",
                "The request cannot be made",
                detail,
                "this is a fault of orch; report it",
            ),
            ApiError::Problem { problem, .. } => {
                Self::new("problem", &problem.title, &problem.detail, advice(problem))
            }
        }
    }

    fn new(
        client_error: &'static str,
        title: &str,
        detail: &dyn ToString,
        what_to_do: &str,
    ) -> Self {
        Self {
            client_error,
            title: title.to_owned(),
            detail: detail.to_string(),
            server: None,
            server_from: None,
            what_to_do: what_to_do.to_owned(),
            task_id: None,
            last_event_id: None,
        }
    }

    /// The same, with the server that it is about.
    fn about(mut self, server: Option<&Server>) -> Self {
        self.server = server.map(|server| server.url.clone());
        self.server_from = server.map(|server| server.origin.to_string());
        self
    }
}

impl Told for Trouble {
    fn describe(&self, page: &mut Page) {
        heading(page, &self.title);
        detail(page, &self.detail);
        let mut lines = Vec::new();
        if let (Some(url), Some(from)) = (&self.server, &self.server_from) {
            lines.push(("server", format!("{url} ({from})")));
        }
        lines.push(("what to do", self.what_to_do.clone()));
        if let Some(task) = self.task_id {
            let from = self.last_event_id.as_deref();
            lines.push((
                "task",
                format!("{task} lives on, unless it was made with --on-disconnect cancel"),
            ));
            lines.push(("to go on", resume(task, from)));
        }
        knobs(page, &lines);
    }
}

fn place(path: &std::path::Path, detail: &str) -> String {
    format!("{}: {detail}", path.display())
}

/// The command that goes on with a text.
fn resume(task: Uuid, last_event_id: Option<&str>) -> String {
    match last_event_id {
        Some(id) => format!("orch task stream {task} --last-event-id {id}"),
        None => format!("orch task stream {task}"),
    }
}

/// What to do if nobody answers.
fn no_answer() -> String {
    let file =
        config::path().map_or_else(|| "orch.toml".to_owned(), |path| path.display().to_string());
    format!(
        "start a daemon with `orchestratord --data-dir DIR`, or name the right server: --server, ORCH_SERVER, or `server = \"URL\"` in {file}"
    )
}

/// Whoever leaves before the answer does not know whether there is a task.
fn left(task: Option<Uuid>) -> Trouble {
    let (detail, hint) = match task {
        Some(task) => (
            format!("nobody knows whether task {task} was accepted"),
            format!("`orch task cancel {task}` cancels it if it was"),
        ),
        None => (
            "nobody knows whether the task was accepted".to_owned(),
            "the same command, with its --idempotency-key, shows it if it was".to_owned(),
        ),
    };
    Trouble::new("left", "Left before the answer came", &detail, &hint)
}
